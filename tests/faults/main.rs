//! What must always hold, while everything around the shop breaks: two seeds by default, any other with `run`,
//! and with `defects` the proof that the checkers find what they are for.

mod defects;
mod rounds;

use std::process::ExitCode;
use std::time::Duration;

use bigtix_tests::suite::Suite;
use clap::{Parser, Subcommand};

/// What every change is tried with: the first one, and one that has found an old price in an answer.
const SEEDS: [(&str, u64); 2] = [
    ("promises_hold_with_seed_1", 1),
    ("promises_hold_with_seed_200", 200),
];
/// How long faults come, of each of the two seeds.
const SHORT: Duration = Duration::from_secs(60);

/// Breaks a shop in every way it knows of, and looks whether it keeps its promises.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand)]
enum Mode {
    /// For as long as wanted, in rounds; each round has the seed after the one before
    Run {
        /// What the first round follows from; a random one when absent
        #[arg(long)]
        seed: Option<u64>,
        /// How long faults come in all
        #[arg(long, default_value_t = 5.0)]
        minutes: f64,
        /// How long a round is at most
        #[arg(long, default_value_t = 10.0)]
        round_minutes: f64,
        /// The kinds of faults that come, such as "bus wiped"; all when none is named
        #[arg(long)]
        only: Vec<String>,
    },
    /// Builds the shop with one defect after the other, and shows which checker finds it
    Defects {
        /// Which ones, such as `no-unique-index`; all when none is named
        names: Vec<String>,
    },
}

fn main() -> ExitCode {
    let is_mode = std::env::args()
        .nth(1)
        .is_some_and(|word| matches!(word.as_str(), "run" | "defects"));
    if !is_mode {
        return selection();
    }
    let outcome = match Arguments::parse().mode {
        Mode::Run {
            seed,
            minutes,
            round_minutes,
            only,
        } => rounds::run(
            seed.unwrap_or_else(rounds::random_seed),
            Duration::from_secs_f64(minutes * 60.0),
            Duration::from_secs_f64(round_minutes * 60.0),
            &only,
        ),
        Mode::Defects { names } => defects::all(&names),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("the harness failed: {error:#}");
        ExitCode::FAILURE
    })
}

/// What `cargo test` runs.
fn selection() -> ExitCode {
    let mut suite = Suite::new().one_by_one();
    suite.add_test(
        "every_defect_can_still_be_made_in_the_sources",
        defects::fit_the_sources,
    );
    for (name, seed) in SEEDS {
        suite.add_test(name, move || rounds::test(seed, SHORT));
    }
    suite.run()
}
