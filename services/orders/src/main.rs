//! The orders service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    bigtix_service::main(bigtix_orders::Config::read, bigtix_orders::service)
}
