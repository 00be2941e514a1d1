//! BigTix on one machine: a shop with one command.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    bigtix::run(bigtix::args::Cli::parse())
}
