//! One run, from an empty folder to the violations.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future;
use tokio::time::Instant;

use super::asker::Asker;
use super::books::Watch;
use super::checks::{Violation, check};
use super::clock::MovableClock;
use super::disk::SmallDisk;
use super::documents::Documents;
use super::drain;
use super::evidence::{Evidence, Fired, LogLine};
use super::history::{Moment, Recorder};
use super::people::People;
use super::report::Report;
use super::schedule::{Abilities, Planned, Schedule, schedule};
use super::site::Site;
use super::store_history::StoreHistory;
use super::strike::strike;

/// How long people go on once everything is there again.
const CALM: Duration = Duration::from_secs(4);

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program `bigtix`.
    pub program: PathBuf,
    /// What the schedule and the people's wishes follow from.
    pub seed: u64,
    /// How long faults come.
    pub lasting: Duration,
    /// The kinds of faults that come; all when none is named.
    pub only: Vec<String>,
    /// How long each step of coming to rest may take; what is not done by then is a violation.
    pub patience: Duration,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Promises that were broken.
    pub violations: Vec<Violation>,
    /// What to print.
    pub report: Report,
}

/// What this machine lets a run do; says what it does not.
#[must_use]
pub fn abilities() -> Abilities {
    let abilities = Abilities {
        small_disk: SmallDisk::is_possible(),
        other_clock: MovableClock::is_possible(),
    };
    if !abilities.small_disk {
        eprintln!("SKIPPED: full disks: only root may mount a small file system");
    }
    if !abilities.other_clock {
        eprintln!("SKIPPED: other clocks: libfaketime is not installed");
    }
    abilities
}

/// Runs it in `folder`, which is to be empty. Data and logs stay there.
///
/// # Errors
/// When the harness itself fails; a shop that fails is a violation.
pub async fn run(plan: &Plan, abilities: Abilities, folder: &Path) -> Result<Outcome> {
    let only: Vec<&str> = plan.only.iter().map(String::as_str).collect();
    let schedule = schedule(plan.seed, plan.lasting, abilities, &only);
    let mut site = Site::start(&plan.program, folder, &schedule).await?;
    let outcome = on_site(plan, &schedule, &site).await;
    site.shop.stop().await;
    let is_fine = outcome
        .as_ref()
        .is_ok_and(|outcome| outcome.violations.is_empty());
    if let Some(disk) = site.disk.take().filter(|_| !is_fine) {
        disk.keep().context("keeping the database")?;
    }
    outcome
}

/// What the violations were found in, for people to read, beside the data and the logs.
fn write_down(folder: &Path, evidence: &Evidence) -> Result<()> {
    let lines = |lines: Vec<String>| lines.join("\n");
    let operations = evidence
        .operations
        .iter()
        .map(|operation| format!("{operation:?}"));
    let states = evidence.states.iter().map(|state| match &state.document {
        Some(document) => format!("{} {:?} {} {document}", state.at.0, state.kept, state.id),
        None => format!("{} {:?} {} deleted", state.at.0, state.kept, state.id),
    });
    let files = [
        ("operations.txt", lines(operations.collect())),
        ("states.txt", lines(states.collect())),
        (
            "captures.txt",
            lines(
                evidence
                    .captures
                    .iter()
                    .map(|capture| format!("{capture:?}"))
                    .collect(),
            ),
        ),
        ("ledger.json", serde_json::to_string_pretty(&evidence.ledger)?),
    ];
    for (name, text) in files {
        fs::write(folder.join(name), text).with_context(|| name.to_owned())?;
    }
    Ok(())
}

async fn on_site(plan: &Plan, schedule: &Schedule, site: &Site) -> Result<Outcome> {
    let url = &site.shop.run().url;
    let history = StoreHistory::begin(&site.shop.run().mongodb.uri).await?;
    let recorder = Arc::new(Recorder::default());
    let asker = Asker::new(url, Arc::clone(&recorder)).context("a client")?;
    let mut people = People::gather(url, asker.clone(), Arc::clone(&site.stripe), plan.seed).await?;
    let watch = Watch::begin(Arc::clone(&site.stripe));

    let began = Moment::now();
    let work = people.work();
    let until = Instant::now() + plan.lasting;
    let fired = all_faults(site, &schedule.faults).await?;
    tokio::time::sleep_until(until).await;
    people.market.stop(true);
    future::join_all(work).await;
    site.heal_connections();
    let mut restless = drain::until_ready(site, plan.patience).await;
    restless.extend(drain::resolve(&people.market, &asker, plan.patience).await);

    let calm = Moment::now();
    let work = people.work();
    tokio::time::sleep(CALM).await;
    people.market.stop(true);
    future::join_all(work).await;
    restless.extend(drain::resolve(&people.market, &asker, plan.patience).await);

    let seen = recorder.operations();
    let mut finals = drain::come_to_rest(site, &history, &people, &seen, &asker, plan.patience).await;
    finals.restless.extend(restless);
    let evidence = Evidence {
        states: history.read().await?,
        captures: watch.end().await,
        ledger: site.stripe.ledger(),
        finals,
        fired,
        calm,
        documents: Documents::committed()?,
        panics: panics(site.folder())?,
        operations: recorder.operations(),
    };
    let violations = check(&evidence);
    if !violations.is_empty() {
        let folder = site.folder().parent().context("the run's folder")?;
        write_down(folder, &evidence)?;
    }
    let report = Report::of(plan.seed, schedule, began, &evidence);
    Ok(Outcome { violations, report })
}

/// Lets every fault happen at its time.
async fn all_faults(site: &Site, faults: &[Planned]) -> Result<Vec<Fired>> {
    let began = Instant::now();
    let fired = Mutex::new(Vec::new());
    let one = async |planned: &Planned| {
        tokio::time::sleep_until(began + planned.begins).await;
        let start = Moment::now();
        strike(site, planned)
            .await
            .with_context(|| planned.fault.to_string())?;
        let healed = Moment::now();
        fired.lock().unwrap_or_else(PoisonError::into_inner).push(Fired {
            fault: planned.fault,
            began: start,
            healed,
        });
        anyhow::Ok(())
    };
    future::try_join_all(faults.iter().map(one)).await?;
    let mut fired = fired.into_inner().unwrap_or_else(PoisonError::into_inner);
    fired.sort_by_key(|fired| fired.began);
    Ok(fired)
}

/// Lines of any log that speak of a panic.
fn panics(folder: &Path) -> Result<Vec<LogLine>> {
    let logs = fs::read_dir(folder.join("logs")).context("the logs")?;
    let mut paths: Vec<PathBuf> = logs
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    paths.push(folder.with_extension("log"));
    let mut found = Vec::new();
    for path in paths {
        // Stores print whatever bytes they like.
        let text = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let log = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let lines = text.lines().filter(|line| line.contains("panicked at"));
        found.extend(lines.map(|line| LogLine {
            log: log.clone(),
            text: line.to_owned(),
        }));
    }
    Ok(found)
}
