//! What is said to whoever started this: a person, a program, or the process that waits for a background one to be ready.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::output::{Output, json};

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// A person.
    Person,
    /// A program that reads standard output as JSON; what is said besides goes to standard error.
    Program,
    /// The process that started this one in the background; each line begins with its kind, and nobody listens any
    /// more after [`Line::Ready`].
    Starter,
}

/// A shop that is ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ready {
    pub(crate) release: String,
    pub(crate) url: String,
    /// The folder with its data.
    pub(crate) data: PathBuf,
    /// How long it took.
    pub(crate) seconds: f64,
}

impl Ready {
    /// For a person.
    pub(crate) fn sentence(&self) -> String {
        let Self {
            release,
            url,
            data: _,
            seconds,
        } = self;
        format!("BigTix {release} is ready after {seconds:.1} s: {url}")
    }
}

/// A line from a background process to the one that started it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    Progress(String),
    Failure(String),
    Ready(Ready),
}

impl Line {
    pub(crate) fn parse(text: &str) -> Self {
        match text.split_at_checked(1) {
            Some(("!", rest)) => Self::Failure(rest.to_owned()),
            Some(("=", rest)) => match serde_json::from_str(rest) {
                Ok(ready) => Self::Ready(ready),
                Err(_) => Self::Progress(rest.to_owned()),
            },
            Some((_, rest)) => Self::Progress(rest.to_owned()),
            None => Self::Progress(String::new()),
        }
    }

    fn print(&self, terminal: Terminal) {
        let marked = |kind: char, text: &str| {
            text.lines()
                .try_for_each(|line| writeln!(io::stdout(), "{kind}{line}"))
        };
        // It does not matter here whether anybody still listens.
        let _ = match (terminal, self) {
            (Terminal::Starter, Self::Progress(text)) => marked(' ', text),
            (Terminal::Starter, Self::Failure(text)) => marked('!', text),
            (Terminal::Starter, Self::Ready(ready)) => marked('=', &json(ready)),
            (Terminal::Person | Terminal::Program, Self::Failure(text)) => {
                writeln!(io::stderr(), "bigtix: {text}")
            }
            (Terminal::Program, Self::Progress(text)) => writeln!(io::stderr(), "{text}"),
            (Terminal::Program, Self::Ready(ready)) => writeln!(io::stdout(), "{}", json(ready)),
            (Terminal::Person, Self::Progress(text)) => writeln!(io::stdout(), "{text}"),
            (Terminal::Person, Self::Ready(ready)) => writeln!(io::stdout(), "{}", ready.sentence()),
        };
        let _ = io::stdout().flush();
    }
}

impl Terminal {
    /// Who listens where that is printed.
    pub(crate) fn of(output: Output) -> Self {
        match output {
            Output::Text => Self::Person,
            Output::Json => Self::Program,
        }
    }

    /// A step that is done, and how long it took.
    pub(crate) fn step(self, name: &str, took: Duration) {
        Line::Progress(format!("  {name:<14} {:>5.1} s", took.as_secs_f64())).print(self);
    }

    /// Something to know.
    pub(crate) fn say(self, text: impl Into<String>) {
        Line::Progress(text.into()).print(self);
    }

    /// Why this is going to end.
    pub(crate) fn fail(self, text: impl Into<String>) {
        Line::Failure(text.into()).print(self);
    }

    /// Everything is ready.
    pub(crate) fn ready(self, ready: Ready) {
        Line::Ready(ready).print(self);
    }

    /// Something that happens while everything is ready. In the background it belongs into the log.
    pub(crate) fn report(self, text: &str) {
        match self {
            Self::Person | Self::Program => self.say(text),
            Self::Starter => {
                let _ = writeln!(io::stderr(), "{text}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_understood() {
        assert_eq!(Line::parse(" abc"), Line::Progress("abc".into()));
        assert_eq!(Line::parse("!no"), Line::Failure("no".into()));
        let ready = Ready {
            release: "1.0.0".into(),
            url: "http://127.0.0.1:8080".into(),
            data: "./.bigtix".into(),
            seconds: 2.9,
        };
        assert_eq!(Line::parse(&format!("={}", json(&ready))), Line::Ready(ready));
        assert_eq!(Line::parse(""), Line::Progress(String::new()));
    }
}
