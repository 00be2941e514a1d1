//! Rounds: each a fresh shop, a seed, and the violations.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bigtix_tests::faults::report;
use bigtix_tests::faults::run::{self, Outcome, Plan};
use bigtix_tests::shop;
use tokio::signal::unix::{SignalKind, signal};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A seed that is easily typed.
pub(crate) fn random_seed() -> u64 {
    u64::from(rand::random::<u32>())
}

/// A folder of a round; it stays when the round failed.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bigtix-faults-").tempdir();
        Ok(Self(folder.context("a folder")?))
    }

    pub(crate) fn keep(self) -> PathBuf {
        self.0.keep()
    }

    pub(crate) fn path(&self) -> &std::path::Path {
        self.0.path()
    }
}

/// Whoever interrupts a run leaves nothing behind: what was started and mounted ends as it is dropped.
pub(crate) async fn until_interrupted(run: impl Future<Output = Result<Outcome>>) -> Result<Outcome> {
    let mut terminate = signal(SignalKind::terminate()).context("signals")?;
    tokio::select! {
        outcome = run => outcome,
        _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        _ = terminate.recv() => bail!("interrupted"),
    }
}

fn round(seed: u64, lasting: Duration, only: &[String]) -> Result<(Outcome, Folder)> {
    let plan = Plan {
        program: shop::program()?,
        seed,
        lasting,
        only: only.to_vec(),
        patience: PATIENCE,
    };
    let folder = Folder::new()?;
    let runtime = tokio::runtime::Runtime::new().context("threads")?;
    match runtime.block_on(until_interrupted(run::run(
        &plan,
        run::abilities(),
        folder.path(),
    ))) {
        Ok(outcome) => Ok((outcome, folder)),
        Err(error) => {
            let kept = folder.keep();
            Err(error.context(format!(
                "with seed {seed}; data and logs are in {}",
                kept.display()
            )))
        }
    }
}

/// What a failed round leaves to read.
fn complaint(outcome: &Outcome, folder: Folder, seed: u64, lasting: Duration) -> String {
    let mut text: String = outcome
        .violations
        .iter()
        .map(|violation| format!("VIOLATION {violation}\n"))
        .collect();
    let minutes = lasting.as_secs_f64() / 60.0;
    text.push_str(&format!("again: make faults SEED={seed} MINUTES={minutes}\n"));
    text.push_str(&format!("data and logs: {}", folder.keep().display()));
    text
}

/// One round as a test.
pub(crate) fn test(seed: u64, lasting: Duration) -> Result<(), String> {
    eprintln!("seed {seed}");
    let (outcome, folder) = round(seed, lasting, &[]).map_err(|error| format!("{error:#}"))?;
    println!("{}", outcome.report);
    if outcome.violations.is_empty() {
        return Ok(());
    }
    Err(complaint(&outcome, folder, seed, lasting))
}

/// Rounds until the time is over, or one fails.
pub(crate) fn run(seed: u64, total: Duration, longest: Duration, only: &[String]) -> Result<ExitCode> {
    let mut left = total;
    let mut seed = seed;
    let mut sum: Option<report::Total> = None;
    while !left.is_zero() {
        let lasting = left.min(longest);
        println!("seed {seed}, {:.1} minutes", lasting.as_secs_f64() / 60.0);
        let (outcome, folder) = round(seed, lasting, only)?;
        println!("{}", outcome.report);
        if !outcome.violations.is_empty() {
            println!("{}", complaint(&outcome, folder, seed, lasting));
            return Ok(ExitCode::FAILURE);
        }
        sum = Some(sum.unwrap_or_default().plus(&outcome.report.total));
        left = left.saturating_sub(lasting);
        seed = seed.wrapping_add(1);
    }
    if let Some(sum) = sum {
        println!("all rounds\n\n{sum}\n0 violations");
    }
    Ok(ExitCode::SUCCESS)
}
