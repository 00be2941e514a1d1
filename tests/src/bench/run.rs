//! A whole run: which scenarios, against which shops.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use super::cage::Cage;
use super::overload;
use super::report::Report;
use super::scenario::{Scenario, Stage};
use super::sustained::sustain;
use super::under_load::UnderLoad;
use crate::load::machine::resident_megabytes;
use crate::load::quiet::come_to_rest;
use crate::load::subject::{Setup, Subject};
use crate::shop::{Mode, SERVICES};

/// Longer than a run, so that no reservation ends while it is measured.
const RESERVATION_SECONDS: u32 = 86_400;
/// How long a shop is left alone before its memory counts as idle.
const LEFT_ALONE: Duration = Duration::from_secs(5);
/// More tickets than will be needed.
const RESERVE: f64 = 1.6;
/// What all services together have of a processor while they are overloaded, so that the load can be made beside them.
const SHARE: f64 = 0.5;
/// How many times what they can do is asked for then.
const OVERLOAD: f64 = 10.0;
/// How long the same is measured without an overload, in durations: of a few hundred purchases the slowest hundredth is four.
const USUAL_FOR: u32 = 3;
/// For how many times as long as other scenarios are measured.
const OVERLOADED_FOR: u32 = 12;

/// What to measure.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program `bigtix`.
    pub program: PathBuf,
    /// Its data folder; one from an earlier run is found again.
    pub data: PathBuf,
    /// How many clients at once.
    pub clients: usize,
    /// How many distinct buyers.
    pub buyers: usize,
    /// How often each scenario is measured.
    pub rounds: usize,
    /// For how long each time.
    pub duration: Duration,
    /// For how long buyers come at a constant rate.
    pub sustained: Duration,
    /// And at how many in a second.
    pub per_second: f64,
    /// What is measured, in this order.
    pub scenarios: Vec<Scenario>,
}

impl Plan {
    /// Starts the shop.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self, mode: Mode) -> Result<Subject> {
        self.start_with(mode, &[])
    }

    /// Starts the shop with fields of its resource besides those that all are started with.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_with(&self, mode: Mode, settings: &[(&str, &str)]) -> Result<Subject> {
        let setup = Setup {
            program: &self.program,
            data: &self.data,
            mode,
            reservation_seconds: RESERVATION_SECONDS,
            settings,
        };
        setup.start()
    }

    fn has(&self, stage: Stage) -> bool {
        self.scenarios.iter().any(|scenario| scenario.stage() == stage)
    }

    fn wants(&self, scenario: Scenario) -> bool {
        self.scenarios.contains(&scenario)
    }
}

/// Measures.
///
/// # Errors
/// When the shop does not start, or anything goes wrong while it is measured.
pub async fn run(plan: &Plan) -> Result<Report> {
    let mut report = Report::default();
    if plan.has(Stage::UnderLoad) {
        let subject = plan.start(Mode::OneProcess)?;
        let measured = under_load(plan, &subject, &mut report).await;
        subject.shop.stop().await;
        measured?;
    }
    if plan.has(Stage::AtRest) {
        for _ in 0..plan.rounds {
            at_rest(plan, &mut report).await?;
        }
    }
    if plan.has(Stage::Apart) {
        let subject = plan.start(Mode::Separate { instances: 1 })?;
        let measured = past_capacity(plan, &subject, &mut report).await;
        subject.shop.stop().await;
        measured?;
    }
    if plan.has(Stage::Alone) {
        let subject = plan.start(Mode::OneProcess)?;
        let measured = sustain(plan, &subject, &mut report).await;
        subject.shop.stop().await;
        measured.context("measuring sustained")?;
    }
    Ok(report)
}

async fn under_load(plan: &Plan, subject: &Subject, report: &mut Report) -> Result<()> {
    let bench = UnderLoad::prepare(plan, subject).await?;
    for round in 1..=plan.rounds {
        eprintln!("round {round} of {}", plan.rounds);
        bench.round(report).await?;
    }
    Ok(())
}

/// A start with the data of the run, and memory while nobody asks for anything.
async fn at_rest(plan: &Plan, report: &mut Report) -> Result<()> {
    let subject = plan.start(Mode::OneProcess)?;
    if plan.wants(Scenario::UpReady) {
        let took = subject.shop.ready_after().as_secs_f64();
        report.add_value(Scenario::UpReady.name(), "s", took, None);
    }
    if plan.wants(Scenario::IdleMemory) {
        tokio::time::sleep(LEFT_ALONE).await;
        let resident = resident_megabytes(subject.shop.run().pid)?;
        report.add_value(Scenario::IdleMemory.name(), "MB", resident, None);
    }
    subject.shop.stop().await;
    Ok(())
}

/// What becomes of ten times as many buyers as can be served.
async fn past_capacity(plan: &Plan, subject: &Subject, report: &mut Report) -> Result<()> {
    let market = subject.market(plan.buyers).await?;
    let processes: Vec<u32> = SERVICES
        .iter()
        .flat_map(|service| subject.shop.service_pids(service))
        .collect();
    let stock = async |quantity: usize| {
        let offer = market.stock("Rush", quantity).await?;
        come_to_rest(&subject.shop).await.map(|()| offer.tickets)
    };
    // What the whole machine sells in the time is more than a part of it will.
    let tickets = stock(6000).await?;
    let cage = Cage::hold(&processes, SHARE)?;
    let peak = overload::closed(
        &market,
        plan.clients.div_ceil(2),
        &tickets,
        plan.duration * USUAL_FOR,
    )
    .await?;
    drop(cage);
    let duration = plan.duration * OVERLOADED_FOR;
    let needed = peak.rate() * duration.as_secs_f64() * RESERVE;
    let tickets = stock(needed.ceil() as usize + plan.clients).await?;
    let cage = Cage::hold(&processes, SHARE)?;
    let rush = overload::open(&market, peak.rate() * OVERLOAD, &tickets, duration).await?;
    drop(cage);
    eprintln!(
        "  {} bought, {} refused, {} payments asked for again",
        rush.tally.done,
        rush.tally.refusals(),
        rush.payments_again()
    );
    report.add_value(Scenario::Overload.name(), "1/s", rush.rate(), Some(peak.rate()));
    let (p99, before) = (rush.p99_of_purchase(), peak.p99_of_purchase());
    report.add_value("overload_purchase_p99", "ms", p99, Some(before));
    report.add_value("overload_refusal_p99", "ms", rush.p99_of_refusal(), None);
    Ok(())
}
