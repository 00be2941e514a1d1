//! Measures a shop on this machine: `make bench`, or `bigtix-bench --only refuse --rounds 1`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use bigtix_tests::bench::bench_run::{Plan, default_folder, program_beside, run};
use bigtix_tests::bench::servers::Server;
use clap::Parser;

/// Measures a shop on this machine, each figure beside what the machine does without a shop.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    instead: Option<Server>,
    /// Measure only these: reserve_hot, refuse, complete, ticket_get, ticket_page, up_ready, idle_memory, overload
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
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
    /// The program to measure [default: bigtix beside this program]
    #[arg(long)]
    program: Option<PathBuf>,
    /// A data folder from an earlier run [default: a fresh one in target/bench]
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where the figures go [default: target/bench/latest.json]
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
    let plan = Plan {
        data: arguments.data.unwrap_or_else(|| fresh.path().join("shop")),
        program,
        clients: arguments.clients.max(1),
        buyers: arguments.buyers.max(1),
        rounds: arguments.rounds.max(1),
        duration: Duration::from_secs(arguments.seconds.max(1)),
        only: arguments.only,
    };
    let report = run(&plan).await?;
    let out = arguments.out.unwrap_or_else(|| folder.join("latest.json"));
    report.write(&out)?;
    println!("\n{report}\nwritten to {}", out.display());
    Ok(())
}
