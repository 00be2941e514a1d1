//! Measuring the shop beside what its store and its HTTP library do bare, in the same run.
//!
//! The rules: through the edge, everything running, distinct signed-in buyers, data on a disk, and every 201 is read
//! back afterwards. These machines are noisy, so ratios count and not single figures.

mod baseline;
mod load;
mod report;
mod scenarios;
mod shop;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

pub use report::{Figure, Report};

use self::shop::BenchShop;

/// What is measured, and for how long.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The program: a release build.
    pub program: PathBuf,
    /// Where data goes; on a disk.
    pub folder: PathBuf,
    /// How long each load lasts.
    pub duration: Duration,
    /// How many clients ask at once.
    pub clients: usize,
}

/// Runs everything.
///
/// # Errors
/// When the shop does not start, or when what it answered does not hold afterwards.
pub async fn run(plan: &Plan) -> Result<Report> {
    let mut report = Report::default();
    let stripe = shop::stripe_double().await?;
    println!("starting the shop on {}", plan.folder.display());
    let shop = BenchShop::start(plan, &stripe).await?;
    report.add("idle_memory", shop.idle_memory().await?);
    for round in 0..2 {
        println!("round {}", round + 1);
        let bare = baseline::insert_many(&shop, plan.duration / 2).await?;
        report.add("reserve_hot", scenarios::reserve_hot(&shop, plan, bare).await?);
        let bare = baseline::insert_many(&shop, plan.duration / 2).await?;
        report.add("refuse", scenarios::refuse(&shop, plan, bare).await?);
        let echo = baseline::echo(plan).await?;
        report.add("ticket_get", scenarios::ticket_get(&shop, plan, echo).await?);
        let bare = baseline::insert_one(&shop, plan.duration / 2).await?;
        report.add("complete", scenarios::complete(&shop, plan, bare).await?);
    }
    shop.stop()?;
    for _ in 0..3 {
        let bare = baseline::stores_ready(&plan.folder).await?;
        let again = BenchShop::start(plan, &stripe).await?;
        let ready = again.ready_after();
        again.stop()?;
        report.add("up_ready", Figure::time(ready, bare));
    }
    Ok(report)
}

/// Where the figures go.
pub fn latest(target: &Path) -> PathBuf {
    target.join("bench/latest.json")
}
