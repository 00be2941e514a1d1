//! What came of visits: how many did what, and how long it took.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use bigtix_contracts::ErrorCode;
use hdrhistogram::Histogram;
use serde::Serialize;

/// The slowest answer that is told from slower ones, in microseconds.
const SLOWEST: u64 = 120_000_000;

/// How long many of the same took.
#[derive(Debug, Clone)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        Self(Histogram::new_with_max(SLOWEST, 3).expect("the bounds are constants"))
    }
}

impl AddAssign<&Self> for Latencies {
    fn add_assign(&mut self, other: &Self) {
        self.0 += &other.0;
    }
}

impl Latencies {
    /// Adds one.
    pub fn note(&mut self, took: Duration) {
        self.0
            .saturating_record(u64::try_from(took.as_micros()).unwrap_or(SLOWEST));
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// This share of them took at most so many milliseconds; `None` without any.
    pub fn milliseconds(&self, share: f64) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(share) as f64 / 1000.0)
    }

    /// The usual quantiles; `None` without any.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let at = |share| self.milliseconds(share);
        Some(Quantiles {
            count: self.count(),
            p50: at(0.5)?,
            p90: at(0.9)?,
            p99: at(0.99)?,
            p999: at(0.999)?,
            max: at(1.0)?,
        })
    }
}

/// How long many of the same took, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// How many there were.
    pub count: u64,
    /// Half of them took at most so long.
    pub p50: f64,
    /// All but one in ten.
    pub p90: f64,
    /// All but one in a hundred.
    pub p99: f64,
    /// All but one in a thousand.
    pub p999: f64,
    /// All.
    pub max: f64,
}

/// What came of one visit.
#[derive(Debug)]
pub enum Outcome {
    /// What the visitor came for was done.
    Done,
    /// The shop said no, for a reason that the scenario reckons with.
    Refused(ErrorCode),
    /// Nobody knows whether it was done.
    Unknown(String),
    /// It went wrong, and why.
    Failed(String),
    /// There is nothing left to come for.
    NoWork,
}

/// What came of all visits.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Visits that did what they came for.
    pub done: u64,
    /// Visits that were refused, by the code of the refusal.
    pub refused: BTreeMap<&'static str, u64>,
    /// Visits of which nobody knows what they did.
    pub unknown: u64,
    /// Visits that went wrong.
    pub failed: u64,
    /// Why the first visit went wrong, or is unknown.
    pub first_trouble: Option<String>,
    /// From the first visit to the last answer.
    pub elapsed: Duration,
    /// How long visits took that did what they came for, from when they were due.
    pub latency: Latencies,
    /// How long those took that were refused.
    pub refusing: Latencies,
}

impl Tally {
    /// Takes what came of a visit that was due so long ago. Whether there was anything to come for.
    pub fn note(&mut self, outcome: Outcome, took: Duration) -> bool {
        match outcome {
            Outcome::Done => {
                self.done += 1;
                self.latency.note(took);
            }
            Outcome::Refused(code) => {
                *self.refused.entry(code.as_str()).or_default() += 1;
                self.refusing.note(took);
            }
            Outcome::Unknown(why) => {
                self.unknown += 1;
                self.first_trouble.get_or_insert(why);
            }
            Outcome::Failed(why) => {
                self.failed += 1;
                self.first_trouble.get_or_insert(why);
            }
            Outcome::NoWork => return false,
        }
        true
    }

    /// Visits a second that did what they came for.
    pub fn rate(&self) -> f64 {
        self.done as f64 / self.elapsed.as_secs_f64()
    }

    /// How many were refused, for whatever reason.
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }

    /// Refuses a run in which anything went wrong or is unknown: its figures would mean nothing.
    ///
    /// # Errors
    /// How many, and the first one's reason.
    pub fn flawless(&self) -> anyhow::Result<()> {
        let Some(why) = &self.first_trouble else {
            return Ok(());
        };
        let (troubled, done) = (self.failed + self.unknown, self.done);
        anyhow::bail!("{troubled} went wrong beside {done} that were done; one: {why}")
    }
}

/// How long the steps of visits took, by name. Visits of one run share it.
#[derive(Debug, Default)]
pub struct Steps(RefCell<BTreeMap<&'static str, Latencies>>);

impl Steps {
    /// Adds one.
    pub fn note(&self, step: &'static str, took: Duration) {
        self.0.borrow_mut().entry(step).or_default().note(took);
    }

    /// All of one name.
    pub fn of(&self, step: &str) -> Latencies {
        self.0.borrow().get(step).cloned().unwrap_or_default()
    }

    /// The usual quantiles of each.
    pub fn quantiles(&self) -> BTreeMap<&'static str, Quantiles> {
        let steps = self.0.borrow();
        let known = steps.iter();
        known
            .filter_map(|(step, latencies)| Some((*step, latencies.quantiles()?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_neither_done_nor_trouble() {
        let mut tally = Tally::default();
        assert!(tally.note(Outcome::Done, Duration::from_millis(3)));
        assert!(tally.note(Outcome::Refused(ErrorCode::SoldOut), Duration::from_millis(1)));
        assert!(tally.flawless().is_ok());
        assert!(!tally.note(Outcome::NoWork, Duration::ZERO));
        assert_eq!((tally.done, tally.refusals(), tally.latency.count()), (1, 1, 1));

        assert!(tally.note(Outcome::Unknown("cut off".into()), Duration::ZERO));
        assert!(tally.note(Outcome::Failed("500".into()), Duration::ZERO));
        let error = tally.flawless().unwrap_err().to_string();
        assert!(
            error.contains("2 went wrong") && error.ends_with("cut off"),
            "{error}"
        );
    }

    #[test]
    fn nothing_has_no_quantiles() {
        assert_eq!(Latencies::default().quantiles(), None);
        let mut two = Latencies::default();
        two.note(Duration::from_millis(1));
        two.note(Duration::from_millis(9));
        let quantiles = two.quantiles().unwrap();
        assert!((quantiles.p50 - 1.0).abs() < 0.01 && (quantiles.max - 9.0).abs() < 0.01);
    }
}
