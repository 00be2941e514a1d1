//! The tickets service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    bigtix_service::main(bigtix_tickets::Config::read, bigtix_tickets::service)
}
