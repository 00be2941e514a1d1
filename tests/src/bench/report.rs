//! Figures beside their baselines.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// One measurement and what it is compared with.
#[derive(Debug, Clone)]
pub struct Figure {
    value: f64,
    unit: &'static str,
    baseline: Option<f64>,
    p50: Option<f64>,
    p99: Option<f64>,
}

impl Figure {
    /// Something a second, with its latencies in microseconds.
    pub fn rate(value: f64, baseline: f64, micros: &Histogram<u64>) -> Self {
        let millis = |quantile| micros.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            value,
            unit: "1/s",
            baseline: Some(baseline),
            p50: Some(millis(0.5)),
            p99: Some(millis(0.99)),
        }
    }

    /// A time, beside another.
    pub fn time(value: Duration, baseline: Duration) -> Self {
        let baseline = Some(baseline.as_secs_f64());
        Self {
            value: value.as_secs_f64(),
            unit: "s",
            baseline,
            p50: None,
            p99: None,
        }
    }

    /// Memory in megabytes; nothing bare compares with it.
    pub fn megabytes(value: f64) -> Self {
        Self {
            value,
            unit: "MB",
            baseline: None,
            p50: None,
            p99: None,
        }
    }
}

/// Every figure by name, each measured once or more.
#[derive(Debug, Default)]
pub struct Report {
    figures: BTreeMap<&'static str, Vec<Figure>>,
}

impl Report {
    /// Adds one measurement.
    pub fn add(&mut self, name: &'static str, figure: Figure) {
        self.figures.entry(name).or_default().push(figure);
    }

    /// Writes the medians to `path`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let entries = self
            .figures
            .iter()
            .filter_map(|(name, figures)| Some(((*name).to_owned(), entry(figures)?)));
        let text = serde_json::to_string_pretty(&Value::Object(entries.collect()))?;
        let folder = path.parent().context("the report has no folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }

    /// The table that people read.
    pub fn table(&self) -> String {
        let mut lines = vec![
            "| what | value | unit | spread | baseline | ratio | p50 ms | p99 ms |".to_owned(),
            "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |".to_owned(),
        ];
        for (name, figures) in &self.figures {
            let (least, most) = spread(figures);
            let Some(entry) = entry(figures) else { continue };
            let cell = |field: &str| entry[field].as_f64().map_or("-".to_owned(), readable);
            lines.push(format!(
                "| `{name}` | {} | {} | {}..{} | {} | {} | {} | {} |",
                cell("value"),
                entry["unit"].as_str().unwrap_or_default(),
                readable(least),
                readable(most),
                cell("baseline"),
                cell("ratio"),
                cell("p50"),
                cell("p99"),
            ));
        }
        lines.join("\n")
    }
}

fn spread(figures: &[Figure]) -> (f64, f64) {
    let values = figures.iter().map(|figure| figure.value);
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| {
        (least.min(value), most.max(value))
    })
}

fn entry(figures: &[Figure]) -> Option<Value> {
    let of = |read: fn(&Figure) -> Option<f64>| median(figures.iter().filter_map(read).collect());
    let ratio = |figure: &Figure| figure.baseline.map(|baseline| figure.value / baseline);
    Some(json!({
        "value": of(|figure| Some(figure.value))?,
        "unit": figures.first()?.unit,
        "baseline": of(|figure| figure.baseline),
        "ratio": median(figures.iter().filter_map(ratio).collect()),
        "p50": of(|figure| figure.p50),
        "p99": of(|figure| figure.p99),
    }))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

fn readable(number: f64) -> String {
    if number >= 100.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_what_is_reported_and_the_spread_beside_it() {
        let mut report = Report::default();
        for value in [10.0, 40.0, 20.0] {
            report.add("idle_memory", Figure::megabytes(value));
        }
        assert!(
            report
                .table()
                .contains("| `idle_memory` | 20.00 | MB | 10.00..40.00 |"),
            "{}",
            report.table()
        );
    }
}
