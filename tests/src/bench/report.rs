//! Figures: as JSON for programs, as a table for people.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde::Serialize;

use super::load::Tally;

/// One figure, with what it stands beside.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The median of the rounds.
    pub value: f64,
    /// Of `value` and `baseline`.
    pub unit: &'static str,
    /// What was measured without a shop in the same rounds.
    pub baseline: Option<f64>,
    /// `value / baseline`.
    pub ratio: Option<f64>,
    /// Half of the units took at most so many milliseconds.
    pub p50: Option<f64>,
    /// All but one in a hundred took at most so many milliseconds.
    pub p99: Option<f64>,
}

impl Figure {
    /// A value that was measured once, beside another.
    pub fn beside(value: f64, unit: &'static str, baseline: Option<f64>) -> Self {
        Self {
            value: round(value),
            unit,
            baseline: baseline.map(round),
            ratio: baseline.map(|baseline| round(value / baseline)),
            p50: None,
            p99: None,
        }
    }
}

/// The rounds of one scenario.
#[derive(Debug, Default)]
pub struct Rounds {
    values: Vec<f64>,
    baselines: Vec<f64>,
    latency: Option<Histogram<u64>>,
}

impl Rounds {
    /// Takes a round of a closed loop, and what the baseline did beside it.
    ///
    /// # Errors
    /// When something went wrong in the round: its figure would mean nothing.
    pub fn add(&mut self, name: &str, tally: &Tally, baseline: f64) -> Result<()> {
        if let Some(why) = &tally.first_failure {
            anyhow::bail!(
                "{name}: {} of {} went wrong; one: {why}",
                tally.failed,
                tally.failed + tally.done
            );
        }
        self.values.push(tally.rate());
        self.baselines.push(baseline);
        match &mut self.latency {
            Some(latency) => *latency += &tally.latency,
            None => self.latency = Some(tally.latency.clone()),
        }
        Ok(())
    }

    /// Takes a value that has no baseline.
    pub fn add_value(&mut self, value: f64) {
        self.values.push(value);
    }

    /// The figure; `None` without rounds.
    pub fn figure(&self, unit: &'static str) -> Option<Figure> {
        let figure = Figure::beside(median(&self.values)?, unit, median(&self.baselines));
        let quantile = |q: f64| {
            self.latency
                .as_ref()
                .map(|latency| round(latency.value_at_quantile(q) as f64 / 1000.0))
        };
        Some(Figure {
            p50: quantile(0.5),
            p99: quantile(0.99),
            ..figure
        })
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// Three decimals are more than a measurement is good for.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// All figures of a run, by scenario.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Report(BTreeMap<&'static str, Figure>);

impl Report {
    /// Adds a scenario's figure, if it was measured.
    pub fn add(&mut self, name: &'static str, figure: Option<Figure>) {
        self.0.extend(figure.map(|figure| (name, figure)));
    }

    /// Writes the file, and its folder if need be.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        std::fs::write(path, text).with_context(|| path.display().to_string())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: Option<f64>| match value {
            None => "-".to_owned(),
            Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
            Some(value) => format!("{value:.2}"),
        };
        writeln!(
            f,
            "{:<18} {:>10} {:<8} {:>10} {:>7} {:>9} {:>9}",
            "scenario", "value", "unit", "baseline", "ratio", "p50 ms", "p99 ms"
        )?;
        for (name, figure) in &self.0 {
            let [value, baseline, ratio, p50, p99] = [
                Some(figure.value),
                figure.baseline,
                figure.ratio,
                figure.p50,
                figure.p99,
            ]
            .map(number);
            let unit = figure.unit;
            writeln!(
                f,
                "{name:<18} {value:>10} {unit:<8} {baseline:>10} {ratio:>7} {p50:>9} {p99:>9}"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_beside_the_median() {
        let rounds = Rounds {
            values: vec![30.0, 10.0, 20.0],
            baselines: vec![80.0, 40.0, 60.0],
            latency: None,
        };
        let figure = rounds.figure("1/s").unwrap();
        assert_eq!(
            (figure.value, figure.baseline, figure.ratio),
            (20.0, Some(60.0), Some(0.333))
        );
        assert!(Rounds::default().figure("1/s").is_none());
    }
}
