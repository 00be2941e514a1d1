//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use bigtix_tests::load::drive::Arrivals;
use bigtix_tests::load::servers::Server;
use bigtix_tests::load::shopping::Pick;
use clap::{Parser, ValueEnum};

/// Visits under way at once, where they come at a rate.
const AT_ONCE: usize = 3000;

/// Sends buyers to a shop and checks that it kept its promises.
///
/// Without --url it starts a shop of its own, in a fresh folder. Ends with 1 when a promise was not kept or a visit went
/// wrong.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) instead: Option<Server>,
    /// What visitors do
    #[arg(required = true)]
    scenario: Option<Scenario>,
    /// So many visits a second, whether or not those before them were served
    #[arg(long, conflicts_with = "clients", value_parser = rate)]
    rate: Option<f64>,
    /// So many clients, each of which comes again as soon as it was answered
    #[arg(long, default_value_t = 64, value_parser = at_least_one)]
    clients: usize,
    /// For how many seconds
    #[arg(long, default_value_t = 30, value_parser = at_least_one)]
    seconds: usize,
    /// How many tickets there are, over all events
    #[arg(long, default_value_t = 5000, value_parser = at_least_one)]
    pub(crate) stock: usize,
    /// Over how many events they are spread [default: 1, of spread and browse 20]
    #[arg(long, value_parser = at_least_one)]
    events: Option<usize>,
    /// How buyers choose
    #[arg(long, value_enum, default_value_t = Pick::Any)]
    pub(crate) pick: Pick,
    /// How many distinct buyers there are
    #[arg(long, default_value_t = 20_000, value_parser = at_least_one)]
    pub(crate) buyers: usize,
    /// A shop that runs; its keys are in --data, or in the variable SESSION_KEYS as its services have them
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// The data folder of the shop at --url, or of the one that is started [default: a fresh one in target/bench]
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// The program to start [default: bigtix beside this program]
    #[arg(long, conflicts_with = "url")]
    pub(crate) program: Option<PathBuf>,
    /// How the result is printed; progress goes to standard error
    #[arg(long, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// What visitors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scenario {
    /// All want a ticket of one event, and keep the reservation
    Rush,
    /// The same over many events
    Spread,
    /// They look at the list, search, and look at tickets and their pages
    Browse,
    /// They reserve a ticket and pay for it
    Purchase,
    /// They look, reserve, and six of ten pay, two give up, and two let their time run out
    Mixed,
}

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Table,
    /// For programs
    Json,
}

/// Nothing of these can be none.
fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a whole number above 0 is wanted".into()),
        Ok(number) => Ok(number),
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("a rate is a number above 0".into()),
    }
}

impl Arguments {
    /// What visitors do.
    pub(crate) fn scenario(&self) -> Scenario {
        self.scenario.expect("clap asks for it")
    }

    /// When visits come.
    pub(crate) fn arrivals(&self) -> Arrivals {
        match self.rate {
            Some(per_second) => Arrivals::Rate {
                per_second,
                at_once: AT_ONCE,
            },
            None => Arrivals::Clients(self.clients),
        }
    }

    /// For how long.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds as u64)
    }

    /// Over how many events tickets are spread.
    pub(crate) fn events(&self) -> usize {
        let usual = match self.scenario() {
            Scenario::Spread | Scenario::Browse => 20,
            Scenario::Rush | Scenario::Purchase | Scenario::Mixed => 1,
        };
        self.events.unwrap_or(usual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Arguments, String> {
        let all = ["bigtix-load"].iter().chain(words);
        Arguments::try_parse_from(all).map_err(|error| error.to_string())
    }

    #[test]
    fn visits_come_at_a_rate_or_by_clients() {
        let closed = parsed(&["rush"]).unwrap();
        assert_eq!((closed.arrivals(), closed.events()), (Arrivals::Clients(64), 1));
        let open = parsed(&["spread", "--rate", "0.5"]).unwrap();
        let Arrivals::Rate { per_second, .. } = open.arrivals() else {
            panic!("{:?}", open.arrivals());
        };
        assert_eq!((per_second, open.events()), (0.5, 20));
        assert!(parsed(&["rush", "--rate", "5", "--clients", "3"]).is_err());
        assert!(parsed(&["rush", "--stock", "0"]).is_err());
        for rate in ["0", "-1", "inf", "many"] {
            assert!(parsed(&["rush", "--rate", rate]).is_err(), "{rate}");
        }
    }

    #[test]
    fn it_says_what_is_missing() {
        assert!(parsed(&[]).unwrap_err().contains("SCENARIO"));
        assert!(parsed(&["stroll"]).unwrap_err().contains("purchase"));
        assert!(parsed(&["echo"]).unwrap().instead.is_some());
    }
}
