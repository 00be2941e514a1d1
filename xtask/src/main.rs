//! The workspace's own chores: `cargo xtask tools | tidy | check | release | test | run | faults | bench | bench-compare |
//! load | book`.

mod book;
mod markdown;
mod measure;
mod release;
mod stages;
mod tidy;
mod tools;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The workspace's own chores")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install the pinned programs that the shop and its tests need on one machine
    Tools {
        /// Print where each program is, as JSON, and install nothing
        #[arg(long)]
        print: bool,
    },
    /// Hold the layering and the layout, and say how to mend what breaks them
    Tidy,
    /// Formatting, lints, documentation, tidy and the versions of the release
    Check,
    /// Write the file of the release under development, from the services' versions
    Release {
        #[command(subcommand)]
        question: Option<Question>,
    },
    /// Everything a change has to pass: tools, check, tests
    Test {
        /// Passed on to `cargo test`; the whole workspace where they name no package
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the shop and run it on this machine
    Run {
        /// Passed on to `bigtix up`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the shop and break it
    Faults {
        /// Passed on to the harness: `run` or `defects`, with what they take
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build for release and measure
    Bench {
        /// Passed on to `bigtix-bench`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build another commit and this one for release, and measure both by turns
    BenchCompare {
        /// The other commit, such as HEAD~1
        base: String,
        /// Passed on to `bigtix-bench`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build for release and send buyers to a shop
    Load {
        /// Passed on to `bigtix-load`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the documentation as a book, and check its links
    Book {
        #[command(subcommand)]
        part: Option<BookPart>,
    },
}

/// A part of building the book.
#[derive(Subcommand)]
enum BookPart {
    /// Correct the links of the book on standard input, as mdBook asks its preprocessors
    #[command(hide = true)]
    Links {
        #[command(subcommand)]
        question: Option<LinksQuestion>,
    },
}

/// What mdBook asks a preprocessor before it sends the book.
#[derive(Subcommand)]
enum LinksQuestion {
    /// Whether the book is corrected for this renderer; it is for every one
    Supports { renderer: String },
}

/// What is asked of the release instead of writing it.
#[derive(Subcommand)]
enum Question {
    /// What changed since the last published release, and what this one would publish
    Plan {
        #[arg(long, value_enum, default_value = "text")]
        output: release::Output,
    },
    /// Refuse versions that could not be published
    Check,
}

fn main() -> ExitCode {
    let root = repository_root();
    let outcome = match Arguments::parse().chore {
        Chore::Tools { print: true } => tools::print(),
        Chore::Tools { print: false } => tools::install(),
        Chore::Tidy => tidy::run(&root),
        Chore::Check => stages::check(&root),
        Chore::Release { question: None } => release::write(&root),
        Chore::Release {
            question: Some(Question::Plan { output }),
        } => release::plan(&root, output),
        Chore::Release {
            question: Some(Question::Check),
        } => release::check(&root),
        Chore::Test { arguments } => stages::test(&root, &arguments),
        Chore::Run { arguments } => stages::run(&root, &arguments),
        Chore::Faults { arguments } => stages::faults(&root, &arguments),
        Chore::Bench { arguments } => measure::bench(&root, &arguments),
        Chore::BenchCompare { base, arguments } => measure::compare(&root, &base, &arguments),
        Chore::Load { arguments } => measure::load(&root, &arguments),
        Chore::Book { part: None } => book::build(&root),
        Chore::Book {
            part: Some(BookPart::Links { question: None }),
        } => book::preprocess(&root),
        Chore::Book {
            part:
                Some(BookPart::Links {
                    question: Some(LinksQuestion::Supports { renderer: _ }),
                }),
        } => Ok(ExitCode::SUCCESS),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace's `Cargo.toml`. Cargo says it at run time too, and that one holds when several clones
/// share a folder of build products.
fn repository_root() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().unwrap_or(&here).to_path_buf()
}
