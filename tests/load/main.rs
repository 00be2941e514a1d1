//! Sends buyers to a shop, at a constant rate or as fast as so many clients go, and checks what came of it:
//! `make load ARGS="rush --rate 2000 --stock 5000"`.

mod arguments;
mod scenarios;
mod site;
mod verdict;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use self::arguments::{Arguments, Output};

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(server) = arguments.instead {
        tokio::runtime::Runtime::new()?.block_on(server.serve())?;
        return Ok(ExitCode::SUCCESS);
    }
    // One thread is enough for the load, and leaves the rest of the machine to the shop.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let verdict = runtime.block_on(scenarios::run(&arguments))?;
    match arguments.output {
        Output::Table => println!("{verdict}"),
        Output::Json => println!("{}", serde_json::to_string_pretty(&verdict)?),
    }
    Ok(if verdict.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
