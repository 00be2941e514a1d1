//! The auth service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    bigtix_service::main(bigtix_auth::Config::read, bigtix_auth::service)
}
