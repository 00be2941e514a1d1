//! The payments service as a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    bigtix_service::main(bigtix_payments::Config::read, bigtix_payments::service)
}
