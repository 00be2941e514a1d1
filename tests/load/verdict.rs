//! The result: figures, and whether the shop kept its promises.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bigtix_tests::load::audit::{Breach, Sales};
use bigtix_tests::load::drive::Arrivals;
use bigtix_tests::load::machine::Circumstances;
use bigtix_tests::load::shopping::Pick;
use bigtix_tests::load::tally::{Quantiles, Tally};
use serde::Serialize;

use super::arguments::{Arguments, Scenario};

/// How many of the promises that were not kept are printed for people.
const SHOWN: usize = 10;

/// What was found out.
pub(crate) struct Findings {
    pub(crate) tally: Tally,
    pub(crate) steps: BTreeMap<&'static str, Quantiles>,
    pub(crate) sales: Sales,
    pub(crate) sold_out_after: Option<Duration>,
    pub(crate) caught_up: Duration,
    pub(crate) breaches: Vec<Breach>,
}

/// What was sent to the shop.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    scenario: Scenario,
    pick: Pick,
    /// Of an open loop.
    rate: Option<f64>,
    /// Of a closed loop.
    clients: Option<usize>,
    seconds: u64,
    events: usize,
    buyers: usize,
}

/// The result of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    sent: Sent,
    circumstances: Option<Circumstances>,
    done: u64,
    per_second: f64,
    /// By code.
    refused: BTreeMap<&'static str, u64>,
    unknown: u64,
    failed: u64,
    first_trouble: Option<String>,
    /// From when visits were due, in milliseconds, of those that did what they came for.
    latency: Option<Quantiles>,
    /// The same of those that were refused.
    refusing: Option<Quantiles>,
    steps: BTreeMap<&'static str, Quantiles>,
    sales: Sales,
    sold_out_after_seconds: Option<f64>,
    caught_up_seconds: f64,
    /// Promises that were not kept.
    breaches: Vec<String>,
}

impl Verdict {
    pub(crate) fn new(
        arguments: &Arguments,
        circumstances: Option<Circumstances>,
        findings: Findings,
    ) -> Self {
        let Findings {
            tally,
            steps,
            sales,
            sold_out_after,
            caught_up,
            breaches,
        } = findings;
        let (rate, clients) = match arguments.arrivals() {
            Arrivals::Rate {
                per_second,
                at_once: _,
            } => (Some(per_second), None),
            Arrivals::Clients(clients) => (None, Some(clients)),
        };
        Self {
            sent: Sent {
                scenario: arguments.scenario(),
                pick: arguments.pick,
                rate,
                clients,
                seconds: arguments.duration().as_secs(),
                events: arguments.events(),
                buyers: arguments.buyers,
            },
            circumstances,
            done: tally.done,
            per_second: tally.rate(),
            unknown: tally.unknown,
            failed: tally.failed,
            latency: tally.latency.quantiles(),
            refusing: tally.refusing.quantiles(),
            refused: tally.refused,
            first_trouble: tally.first_trouble,
            steps,
            sales,
            sold_out_after_seconds: sold_out_after.map(|after| after.as_secs_f64()),
            caught_up_seconds: caught_up.as_secs_f64(),
            breaches: breaches.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether every promise was kept, and nothing went wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.breaches.is_empty() && self.failed == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(circumstances) = &self.circumstances {
            writeln!(f, "{circumstances}\n")?;
        }
        let [what, count, p50, p90, p99, p999, max] = ["ms", "count", "p50", "p90", "p99", "p99.9", "max"];
        writeln!(
            f,
            "{what:<12} {count:>9} {p50:>9} {p90:>9} {p99:>9} {p999:>9} {max:>9}"
        )?;
        let whole = [("done", self.latency), ("refused", self.refusing)];
        let steps = self
            .steps
            .iter()
            .map(|(step, quantiles)| (*step, Some(*quantiles)));
        for (what, quantiles) in whole.into_iter().chain(steps) {
            let Some(quantiles) = quantiles else { continue };
            let Quantiles {
                count,
                p50,
                p90,
                p99,
                p999,
                max,
            } = quantiles;
            writeln!(
                f,
                "{what:<12} {count:>9} {p50:>9.1} {p90:>9.1} {p99:>9.1} {p999:>9.1} {max:>9.1}"
            )?;
        }
        let refused: Vec<String> = self
            .refused
            .iter()
            .map(|(code, count)| format!(", {count} {code}"))
            .collect();
        write!(
            f,
            "\n{} done, {:.0}/s{}",
            self.done,
            self.per_second,
            refused.concat()
        )?;
        writeln!(f, ", {} unknown, {} failed", self.unknown, self.failed)?;
        if let Some(trouble) = &self.first_trouble {
            writeln!(f, "the first that failed or is unknown: {trouble}")?;
        }
        let Sales {
            stock,
            held,
            paid,
            free,
        } = self.sales;
        write!(
            f,
            "{stock} tickets: {held} held, of which {paid} paid, {free} free"
        )?;
        if let Some(after) = self.sold_out_after_seconds {
            write!(f, "; sold out after {after:.2} s")?;
        }
        writeln!(f, "; the list caught up after {:.2} s", self.caught_up_seconds)?;
        for breach in self.breaches.iter().take(SHOWN) {
            writeln!(f, "NOT KEPT: {breach}")?;
        }
        match self.breaches.len() {
            0 => write!(
                f,
                "every order was read back, each ticket has one buyer, and nobody was refused a free one"
            ),
            count => write!(f, "{count} promises were not kept"),
        }
    }
}
