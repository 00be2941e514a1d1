//! The web service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    bigtix_service::main(bigtix_web::Config::read, bigtix_web::service)
}
