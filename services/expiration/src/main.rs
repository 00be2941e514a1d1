//! The expiration service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    bigtix_service::main(bigtix_expiration::Config::read, bigtix_expiration::service)
}
