//! What becomes of figures as a shop grows: reservations at a thousand tickets and at a million, by one client and by a
//! thousand, lists and searches among them, and a start.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use tokio::time::Instant;

use super::baselines::BareInserts;
use super::report::{round, short};
use super::reservations::reserve;
use super::run::Plan;
use super::seeding::seed;
use super::views::{View, look};
use crate::load::books::settle_well;
use crate::load::drive::{Arrivals, Load};
use crate::load::machine::{processor_time, resident_megabytes};
use crate::load::market::Market;
use crate::load::quiet::come_to_rest;
use crate::load::shopping::Pick;
use crate::load::subject::Subject;
use crate::shop::Mode;

/// How many reserve at once.
const BUYERS: [usize; 6] = [1, 4, 16, 64, 256, 1024];
/// No more are reserved at each step, so that a small shop stays small.
const MOST: usize = 5000;
/// Tickets of the event whose words are searched for among all.
const FEW: usize = 1000;
/// How long bare inserts are measured before each step.
const BASELINE: Duration = Duration::from_secs(1);

/// As many as come on a busy day, and not as many as can be served.
const AT_EASE: Arrivals = Arrivals::Rate {
    per_second: 100.0,
    at_once: 64,
};

/// How large shops are made, one after the other.
pub fn sizes(largest: usize) -> Vec<usize> {
    let all = [1_000, 100_000, 1_000_000];
    all.into_iter().filter(|size| *size <= largest).collect()
}

/// Reservations of a shop of one size by so many at once.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Tickets that were listed before.
    pub tickets: usize,
    /// Who reserve at once.
    pub buyers: usize,
    /// How many were reserved.
    pub reserved: u64,
    /// In a second.
    pub per_second: f64,
    /// What bare inserts did just before.
    pub baseline: f64,
    /// `per_second / baseline`.
    pub ratio: f64,
    /// Half took at most so many milliseconds.
    pub p50: f64,
    /// All but one in a hundred.
    pub p99: f64,
    /// Processor time of the shop and its stores for each, in microseconds.
    pub processor_micros: f64,
}

/// A list or a search in a shop of one size.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Looks {
    /// Tickets that are listed.
    pub tickets: usize,
    /// What is looked at.
    pub what: &'static str,
    /// How many came in a second; nothing where clients come again as soon as they were answered.
    pub asked: Option<f64>,
    /// In a second.
    pub per_second: f64,
    /// Half took at most so many milliseconds.
    pub p50: Option<f64>,
    /// All but one in a hundred.
    pub p99: Option<f64>,
    /// How many were not shown: to learn that is what growing is for.
    pub failed: u64,
    /// Why the first one was not.
    pub first_failure: Option<String>,
}

/// A start of the largest shop.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Start {
    /// Tickets that are listed.
    pub tickets: usize,
    /// How long it took until it was ready.
    pub ready_seconds: f64,
    /// Resident memory of the shop then.
    pub memory_megabytes: f64,
}

/// What was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Growth {
    /// Reservations.
    pub steps: Vec<Step>,
    /// Lists and searches.
    pub looks: Vec<Looks>,
    /// With everything that was listed.
    pub start: Start,
}

/// Grows one shop through these sizes.
///
/// # Errors
/// When anything goes wrong.
pub async fn grow(plan: &Plan, sizes: &[usize]) -> Result<Growth> {
    let (mut steps, mut looks) = (Vec::new(), Vec::new());
    let subject = plan.start(Mode::OneProcess)?;
    let grown = grow_through(plan, &subject, sizes, &mut steps, &mut looks).await;
    subject.shop.stop().await;
    let tickets = grown?;
    let subject = plan.start(Mode::OneProcess)?;
    let start = Start {
        tickets,
        ready_seconds: round(subject.shop.ready_after().as_secs_f64()),
        memory_megabytes: round(resident_megabytes(subject.shop.run().pid)?),
    };
    subject.shop.stop().await;
    Ok(Growth { steps, looks, start })
}

/// How many tickets there are in the end.
async fn grow_through(
    plan: &Plan,
    subject: &Subject,
    sizes: &[usize],
    steps: &mut Vec<Step>,
    looks: &mut Vec<Looks>,
) -> Result<usize> {
    let growing = Growing {
        plan,
        subject,
        market: subject.market(plan.buyers).await?,
        inserts: BareInserts::prepare(&subject.shop.run().mongodb.uri).await?,
    };
    let mut tickets = 0;
    for size in sizes {
        let missing = size.saturating_sub(tickets).max(1);
        let most = seed(&growing.market, &subject.shop, "Growth", missing).await?;
        let few = growing.market.stock("Needle", FEW).await?;
        come_to_rest(&subject.shop).await?;
        tickets += missing + FEW;
        for (what, view, offer) in [
            ("list", View::List, &most),
            ("search that finds few", View::Search, &few),
            ("search that finds most", View::Search, &most),
        ] {
            let paths = view.paths(&growing.market, offer).await?;
            for arrivals in [Arrivals::Clients(plan.clients), AT_EASE] {
                looks.push(growing.look(tickets, what, &paths, arrivals).await);
            }
        }
        for buyers in BUYERS {
            let step = growing.reserve(tickets, buyers);
            let step = step
                .await
                .with_context(|| format!("{buyers} buyers among {tickets} tickets"))?;
            eprintln!(
                "  {tickets} tickets, {buyers} buyers: {}/s",
                short(step.per_second)
            );
            steps.push(step);
            tickets += MOST;
        }
    }
    Ok(tickets)
}

struct Growing<'a> {
    plan: &'a Plan,
    subject: &'a Subject,
    market: Market,
    inserts: BareInserts,
}

impl Growing<'_> {
    async fn reserve(&self, tickets: usize, buyers: usize) -> Result<Step> {
        let offers = [self.market.stock("Growth", MOST).await?];
        come_to_rest(&self.subject.shop).await?;
        let baseline = self.inserts.rate(BASELINE).await?;
        let answers = RefCell::default();
        let load = Load::of_clients(&self.market.edge, buyers, self.plan.duration);
        let before = processor_time_of(self.subject)?;
        let tally = reserve(&self.market, &load, &offers, Pick::Ticket, &[], &answers).await;
        let over = Instant::now();
        let spent = processor_time_of(self.subject)?.saturating_sub(before);
        tally.flawless()?;
        let answers = answers.into_inner().pop().context("what was answered")?;
        settle_well(&self.market, offers[0].event.id, &answers, over).await?;
        let quantiles = tally.latency.quantiles().context("nothing was reserved")?;
        Ok(Step {
            tickets,
            buyers,
            reserved: tally.done,
            per_second: round(tally.rate()),
            baseline: round(baseline),
            ratio: round(tally.rate() / baseline),
            p50: round(quantiles.p50),
            p99: round(quantiles.p99),
            processor_micros: round(spent.as_secs_f64() * 1e6 / tally.done as f64),
        })
    }

    async fn look(&self, tickets: usize, what: &'static str, paths: &[String], arrivals: Arrivals) -> Looks {
        let load = Load {
            edge: &self.market.edge,
            arrivals,
            duration: self.plan.duration,
            progress: None,
        };
        let tally = look(&load, paths).await;
        let quantiles = tally.latency.quantiles();
        Looks {
            tickets,
            what,
            asked: match arrivals {
                Arrivals::Clients(_) => None,
                Arrivals::Rate { per_second, .. } => Some(per_second),
            },
            per_second: round(tally.rate()),
            p50: quantiles.map(|quantiles| round(quantiles.p50)),
            p99: quantiles.map(|quantiles| round(quantiles.p99)),
            failed: tally.failed + tally.unknown,
            first_failure: tally.first_trouble,
        }
    }
}

/// Of the shop's process and its stores together, since they began.
fn processor_time_of(subject: &Subject) -> Result<Duration> {
    let run = subject.shop.run();
    let processes = [run.pid, run.mongodb.pid, run.nats.pid, run.redis.pid];
    processes.into_iter().map(processor_time).sum()
}

impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, looks, start } = self;
        writeln!(
            f,
            "{:>9} {:>6} {:>9} {:>9} {:>9} {:>6} {:>8} {:>8} {:>8}",
            "tickets", "buyers", "reserved", "1/s", "baseline", "ratio", "p50 ms", "p99 ms", "cpu us"
        )?;
        for step in steps {
            writeln!(
                f,
                "{:>9} {:>6} {:>9} {:>9} {:>9} {:>6} {:>8} {:>8} {:>8}",
                step.tickets,
                step.buyers,
                step.reserved,
                short(step.per_second),
                short(step.baseline),
                short(step.ratio),
                short(step.p50),
                short(step.p99),
                short(step.processor_micros),
            )?;
        }
        for looks in looks {
            let Looks {
                tickets,
                what,
                asked,
                per_second,
                p50,
                p99,
                failed,
                first_failure,
            } = looks;
            let [p50, p99] = [p50, p99].map(|value| value.map_or("-".into(), short));
            let per_second = short(*per_second);
            let asked = asked.map_or_else(String::new, |asked| format!(" of {asked} asked for"));
            write!(
                f,
                "{tickets:>9} {what}: {per_second}/s{asked}, p50 {p50} ms, p99 {p99} ms"
            )?;
            match first_failure {
                Some(why) => writeln!(f, "; {failed} failed; one: {why}")?,
                None => writeln!(f)?,
            }
        }
        let Start {
            tickets,
            ready_seconds,
            memory_megabytes,
        } = start;
        writeln!(
            f,
            "{tickets:>9} tickets: ready after {ready_seconds} s, {memory_megabytes:.0} MB then"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_tickets_are_there_for_those_who_ask_for_them() {
        assert_eq!(sizes(100_000), [1_000, 100_000]);
        assert_eq!(sizes(1_000_000), [1_000, 100_000, 1_000_000]);
    }
}
