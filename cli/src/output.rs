//! How something is told: as a person reads it or as JSON, and in colours only where a person looks.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::ValueEnum;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;

const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// For whom a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For a person.
    #[default]
    Text,
    /// For a program: one JSON document, or one a line where there are several.
    Json,
}

impl Output {
    /// Prints it in one of its two forms.
    pub(crate) fn tell(self, value: &impl Serialize, text: impl FnOnce(Paint) -> String) {
        match self {
            Self::Text => say(text(Paint::of_standard_output()).trim_end()),
            Self::Json => say(&json(value)),
        }
    }
}

/// On one line.
pub(crate) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what is told is plain data")
}

/// A line for whoever reads standard output; it does not matter here whether anybody still does.
pub(crate) fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// Completes when nobody reads standard output any more: the other end of the pipe is closed, as after `| head`.
pub(crate) async fn abandoned() {
    while has_reader() {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn has_reader() -> bool {
    let out = io::stdout();
    let mut watched = [PollFd::new(&out, PollFlags::empty())];
    let is_gone = poll(&mut watched, Some(&Timespec::default())).is_ok()
        && watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
    !is_gone
}

/// A line beside what was asked for.
pub(crate) fn remark(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Coloured,
}

impl Paint {
    /// A terminal gets colours, unless its owner wants none (<https://no-color.org>).
    pub(crate) fn of_standard_output() -> Self {
        let is_unwanted = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        if io::stdout().is_terminal() && !is_unwanted("NO_COLOR") && !is_dumb {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// As it should be.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Not as it should be.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// On its way.
    pub(crate) fn fair(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Of less interest.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}
