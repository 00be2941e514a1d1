//! Measures a shop on this machine: `make bench`, or `bigtix-bench --only refuse --rounds 1`.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use bigtix_tests::bench::compare::{Build, compare};
use bigtix_tests::bench::growth::{grow, sizes};
use bigtix_tests::bench::instances::run_each;
use bigtix_tests::bench::report::Written;
use bigtix_tests::bench::run::{Plan, run};
use bigtix_tests::bench::scenario::{Scenario, chosen};
use bigtix_tests::load::machine::Circumstances;
use bigtix_tests::load::servers::Server;
use bigtix_tests::load::subject::{default_folder, program_beside};
use clap::Parser;
use serde::Serialize;

/// Measures a shop on this machine, each figure beside what the machine does without a shop.
#[derive(Parser)]
#[command(after_help = format!("Scenarios: {}.", Scenario::names()))]
struct Arguments {
    #[command(subcommand)]
    instead: Option<Server>,
    /// Measure only these scenarios
    #[arg(long, value_delimiter = ',', value_name = "SCENARIOS")]
    only: Vec<Scenario>,
    /// How many clients ask at once
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// How many distinct buyers they are
    #[arg(long, default_value_t = 100_000)]
    buyers: usize,
    /// How often each scenario is measured; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// For how many seconds each time
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// For how many minutes `sustained` is measured
    #[arg(long, default_value_t = 0.5)]
    minutes: f64,
    /// How many reservations a second are asked for in `sustained`
    #[arg(long, default_value_t = 5000.0)]
    per_second: f64,
    /// Measure instead what becomes of figures as tickets and buyers become more
    #[arg(long, conflicts_with_all = ["only", "base", "data"])]
    growth: bool,
    /// Measure instead what more processes and partitions of orders give
    #[arg(long, conflicts_with_all = ["only", "base", "data", "growth"])]
    instances: bool,
    /// How many tickets it grows to at most; a million takes some minutes more
    #[arg(long, default_value_t = 100_000, requires = "growth")]
    largest: usize,
    /// Measure this program by turns with the other one, and say how they differ; `make bench-compare` builds it
    #[arg(long, value_name = "PROGRAM", conflicts_with = "data")]
    base: Option<PathBuf>,
    /// What to call that one
    #[arg(long, default_value = "base", requires = "base")]
    base_name: String,
    /// The program to measure [default: bigtix beside this program]
    #[arg(long)]
    program: Option<PathBuf>,
    /// A data folder from an earlier run [default: a fresh one in target/bench]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where the figures go [default: target/bench/latest.json, growth.json, instances.json or comparison.json]
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(server) = arguments.instead {
        return tokio::runtime::Runtime::new()?.block_on(server.serve());
    }
    // One thread is enough for the load, and leaves the rest of the machine to the shop.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(arguments))
}

async fn measure(arguments: Arguments) -> Result<()> {
    let program = match arguments.program {
        Some(program) => program,
        None => program_beside()?,
    };
    let folder = default_folder(&program);
    std::fs::create_dir_all(&folder)?;
    let fresh = tempfile::Builder::new().prefix("data-").tempdir_in(&folder)?;
    let circumstances = Circumstances::of(&program);
    let plan = Plan {
        data: arguments.data.unwrap_or_else(|| fresh.path().join("shop")),
        program: program.clone(),
        clients: arguments.clients.max(1),
        buyers: arguments.buyers.max(1),
        rounds: arguments.rounds.max(1),
        duration: Duration::from_secs(arguments.seconds.max(1)),
        sustained: Duration::try_from_secs_f64(arguments.minutes * 60.0)?.max(Duration::from_secs(1)),
        per_second: arguments.per_second.max(1.0),
        scenarios: chosen(&arguments.only),
    };
    let out = |name: &str| arguments.out.clone().unwrap_or_else(|| folder.join(name));
    if arguments.growth {
        let growth = grow(&plan, &sizes(arguments.largest)).await?;
        return tell(&circumstances, &growth, &growth, &out("growth.json"));
    }
    if arguments.instances {
        let report = run_each(&plan).await?;
        return tell(&circumstances, report.figures(), &report, &out("instances.json"));
    }
    if let Some(base) = arguments.base {
        let build = |name: &str, program, data| Build {
            name: name.to_owned(),
            program,
            data: fresh.path().join(data),
        };
        let (base, this) = (
            build(&arguments.base_name, base, "base"),
            build("this", program, "this"),
        );
        let comparison = compare(&plan, &base, &this).await?;
        return tell(&circumstances, &comparison, &comparison, &out("comparison.json"));
    }
    let report = run(&plan).await?;
    tell(&circumstances, report.figures(), &report, &out("latest.json"))
}

/// Writes the file, and prints the table.
fn tell(
    circumstances: &Circumstances,
    figures: impl Serialize,
    table: impl Display,
    out: &Path,
) -> Result<()> {
    let written = Written {
        circumstances,
        figures,
    };
    written.write(out)?;
    println!("\n{circumstances}\n\n{table}\nwritten to {}", out.display());
    Ok(())
}
