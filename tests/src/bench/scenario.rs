//! What is measured, by name.

use std::fmt;
use std::str::FromStr;

/// A scenario. `docs/benchmarks.md` says what is done in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// Tickets of one event are reserved.
    ReserveHot,
    /// Tickets of many events are reserved.
    ReserveSpread,
    /// Any tickets of many events are reserved.
    ReserveAny,
    /// Tickets of one event are reserved, by four times as many clients.
    Reserve256,
    /// All want a ticket that is taken.
    Refuse,
    /// Tickets are bought.
    Complete,
    /// A ticket is looked at by a program.
    TicketGet,
    /// A ticket is looked at by a person.
    TicketPage,
    /// Pages of the list of tickets are looked at.
    List,
    /// Tickets are searched for.
    Search,
    /// People sign in.
    Signin,
    /// How long the tickets service is behind after a rush.
    CopiesCaughtUp,
    /// Memory right after the load.
    LoadedMemory,
    /// A start.
    UpReady,
    /// Memory at rest.
    IdleMemory,
    /// More buyers come than can be served.
    Overload,
    /// Buyers come at a constant rate, for long.
    Sustained,
}

/// What a scenario needs of the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It runs in one process, beside the others of this kind.
    UnderLoad,
    /// It is started for this, with what the others left.
    AtRest,
    /// Each service is a process of its own.
    Apart,
    /// It runs in one process, and nothing else is done to it.
    Alone,
}

impl Scenario {
    /// Every scenario, in the order in which they are measured.
    pub const ALL: [Self; 17] = [
        Self::ReserveHot,
        Self::CopiesCaughtUp,
        Self::ReserveSpread,
        Self::ReserveAny,
        Self::Reserve256,
        Self::Refuse,
        Self::Complete,
        Self::TicketGet,
        Self::TicketPage,
        Self::List,
        Self::Search,
        Self::Signin,
        Self::LoadedMemory,
        Self::UpReady,
        Self::IdleMemory,
        Self::Overload,
        Self::Sustained,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReserveHot => "reserve_hot",
            Self::ReserveSpread => "reserve_spread",
            Self::ReserveAny => "reserve_any",
            Self::Reserve256 => "reserve_256",
            Self::Refuse => "refuse",
            Self::Complete => "complete",
            Self::TicketGet => "ticket_get",
            Self::TicketPage => "ticket_page",
            Self::List => "list",
            Self::Search => "search",
            Self::Signin => "signin",
            Self::CopiesCaughtUp => "copies_caught_up",
            Self::LoadedMemory => "loaded_memory",
            Self::UpReady => "up_ready",
            Self::IdleMemory => "idle_memory",
            Self::Overload => "overload",
            Self::Sustained => "sustained",
        }
    }

    /// What it needs of the shop.
    pub const fn stage(self) -> Stage {
        match self {
            Self::ReserveHot
            | Self::ReserveSpread
            | Self::ReserveAny
            | Self::Reserve256
            | Self::Refuse
            | Self::Complete
            | Self::TicketGet
            | Self::TicketPage
            | Self::List
            | Self::Search
            | Self::Signin
            | Self::CopiesCaughtUp
            | Self::LoadedMemory => Stage::UnderLoad,
            Self::UpReady | Self::IdleMemory => Stage::AtRest,
            Self::Overload => Stage::Apart,
            Self::Sustained => Stage::Alone,
        }
    }

    /// The names of all, for people.
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no scenario of this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScenario(String);

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no scenario is called {:?}; there are {}",
            self.0,
            Scenario::names()
        )
    }
}

impl std::error::Error for UnknownScenario {}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|scenario| scenario.name() == text);
        named.ok_or_else(|| UnknownScenario(text.to_owned()))
    }
}

/// Those that were asked for, and what they cannot do without; all, if none was asked for.
pub fn chosen(asked: &[Scenario]) -> Vec<Scenario> {
    let mut wanted: Vec<Scenario> = asked.to_vec();
    if wanted.is_empty() {
        return Scenario::ALL.to_vec();
    }
    // How far copies are behind is told after a rush.
    if wanted.contains(&Scenario::CopiesCaughtUp) {
        wanted.push(Scenario::ReserveHot);
    }
    // Memory after a load takes a load: those of the scenarios that were asked for, or these two.
    let is_load =
        |scenario: &Scenario| scenario.stage() == Stage::UnderLoad && *scenario != Scenario::LoadedMemory;
    if wanted.contains(&Scenario::LoadedMemory) && !wanted.iter().any(is_load) {
        wanted.extend([Scenario::ReserveHot, Scenario::Complete]);
    }
    Scenario::ALL
        .into_iter()
        .filter(|scenario| wanted.contains(scenario))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        assert_eq!(names.len(), Scenario::ALL.len());
        for scenario in Scenario::ALL {
            assert_eq!(scenario.name().parse(), Ok(scenario));
        }
        let error = "reserve".parse::<Scenario>().unwrap_err().to_string();
        assert!(error.contains("reserve_spread"), "{error}");
    }

    #[test]
    fn what_is_asked_for_brings_what_it_needs() {
        use Scenario::{Complete, CopiesCaughtUp, LoadedMemory, Refuse, ReserveHot, UpReady};
        assert_eq!(chosen(&[]).len(), Scenario::ALL.len());
        assert_eq!(chosen(&[UpReady]), [UpReady]);
        assert_eq!(chosen(&[CopiesCaughtUp]), [ReserveHot, CopiesCaughtUp]);
        assert_eq!(chosen(&[LoadedMemory]), [ReserveHot, Complete, LoadedMemory]);
        assert_eq!(chosen(&[LoadedMemory, Refuse]), [Refuse, LoadedMemory]);
    }
}
