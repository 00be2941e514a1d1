//! BigTix on one machine: `up`, `down`, `backup`, `restore`, and the edge that stands before the services; and a look at
//! a shop, here or in a cluster.

mod applied;
pub mod args;
mod ask;
mod backup;
mod cluster;
mod dead_letters;
mod detach;
mod down;
pub mod edge;
mod elsewhere;
mod fields;
mod folder;
mod machine;
mod manual;
pub mod output;
mod release;
mod report;
mod resource;
mod restore;
mod run_file;
mod services;
mod settings_page;
mod shop;
mod stop_signal;
mod terminal;
mod up;

use std::process::ExitCode;

use args::{Cli, Command, DeadLettersAction, UpArgs};
use detach::Started;
use resource::ResourceError;
use terminal::Terminal;
use up::UpError;

/// What a refused resource exits with; everything else that fails exits with 1.
pub(crate) const REFUSED: u8 = 2;
/// What a look exits with that finds something: a shop that is not as wanted, or changes.
pub(crate) const DIFFERS: u8 = 3;

/// Does what the command line says.
pub fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Up(args) if args.detach => up_in_the_background(&args),
        Command::Up(args) => up_here(&args),
        Command::Down(told) => asynchronously(down::told(&told.data.data, told.output)),
        Command::Backup(args) => asynchronously(backup::run(&args, Terminal::Person)),
        Command::Restore(args) => asynchronously(restore::run(&args, Terminal::Person)),
        Command::Status(args) => shop::status(&args),
        Command::Why(args) => shop::why(&args),
        Command::Plan(args) => shop::plan(&args),
        Command::Rollback(args) => shop::rollback(&args),
        Command::Logs(args) => shop::logs(&args),
        Command::Open(args) => shop::open(&args),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man => manual::page(),
        Command::DeadLetters {
            action: DeadLettersAction::List(told),
        } => asynchronously(dead_letters::list(&told.data.data, told.output)),
        Command::DeadLetters {
            action: DeadLettersAction::Replay { told, ids },
        } => asynchronously(dead_letters::replay(&told.data.data, &ids, told.output)),
        Command::Settings { output } => {
            output.tell(&settings_page::all(), |_| settings_page::page());
            ExitCode::SUCCESS
        }
        Command::Service { name } => match services::by_name(&name) {
            Some(held) => (held.main)(),
            None => {
                Terminal::Person.fail(format!("there is no service {name:?}"));
                ExitCode::FAILURE
            }
        },
    }
}

fn up_here(args: &UpArgs) -> ExitCode {
    let terminal = if args.background {
        Terminal::Starter
    } else {
        Terminal::of(args.output)
    };
    match runtime().block_on(up::up(args, terminal)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error, terminal),
    }
}

fn up_in_the_background(args: &UpArgs) -> ExitCode {
    let terminal = Terminal::of(args.output);
    match detach::detach(args, terminal) {
        Ok(Started::Ready(ready)) => {
            terminal.ready(ready);
            ExitCode::SUCCESS
        }
        Ok(Started::Ended(code)) => code,
        Err(error) => failed(&error, terminal),
    }
}

fn failed(error: &UpError, terminal: Terminal) -> ExitCode {
    terminal.fail(error.to_string());
    match error {
        UpError::Resource(ResourceError::Invalid { .. }) => ExitCode::from(REFUSED),
        _ => ExitCode::FAILURE,
    }
}

fn asynchronously<E: std::fmt::Display>(work: impl Future<Output = Result<(), E>>) -> ExitCode {
    match runtime().block_on(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Terminal::Person.fail(error.to_string());
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("the system gives threads")
}
