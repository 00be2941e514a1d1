//! Figures: as JSON for programs, as a table for people.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::load::machine::Circumstances;
use crate::load::tally::{Latencies, Tally};

/// The median of some rounds, and how far they lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Half of the rounds are at most this.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// Of these; `None` of none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            median: round(*sorted.get(sorted.len() / 2)?),
            min: round(*sorted.first()?),
            max: round(*sorted.last()?),
        })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, min, max } = self;
        write!(f, "{} ({}..{})", short(*median), short(*min), short(*max))
    }
}

/// One figure, with what it stands beside.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub value: Spread,
    /// Of `value` and `baseline`.
    pub unit: &'static str,
    /// What was measured without a shop in the same rounds.
    pub baseline: Option<Spread>,
    /// `value / baseline` of each round.
    pub ratio: Option<Spread>,
    /// Half of the units took at most so many milliseconds.
    pub p50: Option<f64>,
    /// All but one in a hundred took at most so many milliseconds.
    pub p99: Option<f64>,
}

/// The rounds of one figure.
#[derive(Debug, Default)]
struct Rounds {
    unit: &'static str,
    values: Vec<f64>,
    baselines: Vec<f64>,
    latency: Latencies,
}

impl Rounds {
    fn figure(&self) -> Option<Figure> {
        let Self {
            unit,
            values,
            baselines,
            latency,
        } = self;
        let ratios: Vec<f64> = values
            .iter()
            .zip(baselines)
            .map(|(value, base)| value / base)
            .collect();
        Some(Figure {
            value: Spread::of(values)?,
            unit,
            baseline: Spread::of(baselines),
            ratio: Spread::of(&ratios),
            p50: latency.milliseconds(0.5).map(round),
            p99: latency.milliseconds(0.99).map(round),
        })
    }
}

/// Three decimals are more than a measurement is good for.
pub(super) fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// As many digits as people read.
pub(super) fn short(value: f64) -> String {
    if value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// All figures of a run, by name.
#[derive(Debug, Default)]
pub struct Report(BTreeMap<&'static str, Rounds>);

impl Report {
    /// Takes a round of visits, and what the baseline did beside it.
    ///
    /// # Errors
    /// When something went wrong in the round: its figure would mean nothing.
    pub fn add_round(&mut self, name: &'static str, tally: &Tally, baseline: f64) -> Result<()> {
        tally.flawless().context(name)?;
        let rate = tally.rate();
        eprintln!("  {name}: {}/s beside {}/s", short(rate), short(baseline));
        self.add_value(name, "1/s", rate, Some(baseline));
        self.0.entry(name).or_default().latency += &tally.latency;
        Ok(())
    }

    /// Takes a value of a round.
    pub fn add_value(&mut self, name: &'static str, unit: &'static str, value: f64, baseline: Option<f64>) {
        let rounds = self.0.entry(name).or_default();
        rounds.unit = unit;
        rounds.values.push(value);
        rounds.baselines.extend(baseline);
    }

    /// The figures.
    pub fn figures(&self) -> BTreeMap<&'static str, Figure> {
        let all = self.0.iter();
        all.filter_map(|(name, rounds)| Some((*name, rounds.figure()?)))
            .collect()
    }
}

/// What a run writes to its file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written<'a, T> {
    /// On and with what.
    pub circumstances: &'a Circumstances,
    /// What was measured.
    pub figures: T,
}

impl<T: Serialize> Written<'_, T> {
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
        let [scenario, value, unit, baseline, ratio] = ["scenario", "value", "unit", "baseline", "ratio"];
        writeln!(
            f,
            "{scenario:<24} {value:>24} {unit:<5} {baseline:>26} {ratio:>20} {:>9} {:>9}",
            "p50 ms", "p99 ms"
        )?;
        let spread = |spread: Option<Spread>| spread.map_or("-".into(), |spread| spread.to_string());
        let number = |value: Option<f64>| value.map_or("-".into(), short);
        for (name, figure) in self.figures() {
            let Figure {
                value,
                unit,
                baseline,
                ratio,
                p50,
                p99,
            } = figure;
            let (value, baseline, ratio) = (value.to_string(), spread(baseline), spread(ratio));
            writeln!(
                f,
                "{name:<24} {value:>24} {unit:<5} {baseline:>26} {ratio:>20} {:>9} {:>9}",
                number(p50),
                number(p99)
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_the_median_beside_the_median_with_how_far_rounds_lie_apart() {
        let mut report = Report::default();
        for (value, baseline) in [(30.0, 60.0), (10.0, 40.0), (20.0, 80.0)] {
            report.add_value("a", "1/s", value, Some(baseline));
        }
        report.add_value("b", "MB", 7.0, None);
        let figures = report.figures();
        let spread = |median, min, max| Spread { median, min, max };
        let a = &figures["a"];
        assert_eq!(a.value, spread(20.0, 10.0, 30.0));
        assert_eq!(a.baseline, Some(spread(60.0, 40.0, 80.0)));
        // Each round beside the baseline that was measured with it.
        assert_eq!(a.ratio, Some(spread(0.25, 0.25, 0.5)));
        assert_eq!((figures["b"].ratio, figures["b"].p99), (None, None));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn a_round_in_which_anything_went_wrong_has_no_figure() {
        use crate::load::tally::Outcome;
        let mut tally = Tally::default();
        tally.note(Outcome::Unknown("cut off".into()), std::time::Duration::ZERO);
        assert!(Report::default().add_round("a", &tally, 1.0).is_err());
    }
}
