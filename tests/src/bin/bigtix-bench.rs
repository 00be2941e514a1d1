//! `make bench`: measures a release build and prints a table.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use bigtix_tests::bench::{self, Plan};
use clap::Parser;

/// Measures the shop on this machine, beside bare baselines in the same run.
#[derive(Parser)]
struct Arguments {
    /// How long each load lasts.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many clients ask at once.
    #[arg(long, default_value_t = 64)]
    clients: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let here = std::env::current_exe().context("this program has no path")?;
    let built = here.parent().context("this program is in no folder")?;
    let target = built.parent().context("this program is not in a target folder")?;
    let folder: PathBuf = target.join("bench/shop");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).context("cannot remove the last run's data")?;
    }
    let plan = Plan {
        program: built.join("bigtix"),
        folder,
        duration: Duration::from_secs(arguments.seconds.max(1)),
        clients: arguments.clients.max(1),
    };
    let report = bench::run(&plan).await?;
    let latest = bench::latest(target);
    report.write(&latest)?;
    println!("\n{}\n\nwritten to {}", report.table(), latest.display());
    Ok(())
}
