//! What must always hold, as pure functions of what is known about a run. Each is named by the promise that it checks.

mod acknowledged;
mod answers;
mod claims;
mod copies;
mod endings;
mod keys;
mod money;
mod prices;
mod reads;
mod refusals;

#[cfg(test)]
mod planted;

use std::fmt;

use super::evidence::Evidence;

/// A promise that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Who found it.
    pub checker: &'static str,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.checker, self.what)
    }
}

/// Says what is wrong.
type Checker = fn(&Evidence) -> Vec<String>;

/// All of them, by name.
pub const CHECKERS: [(&str, Checker); 21] = [
    ("a ticket is held once", claims::a_ticket_is_held_once),
    ("what has ended stays as it is", claims::what_has_ended_stays),
    ("versions grow", claims::versions_grow),
    (
        "money is taken for confirmed orders",
        money::taken_for_confirmed_orders,
    ),
    (
        "money is kept for complete orders",
        money::kept_for_complete_orders,
    ),
    ("money is taken once", money::taken_once),
    ("what was acknowledged is kept", acknowledged::is_kept),
    ("a key has one effect", keys::one_effect),
    ("a key's answer stays", keys::answers_stay),
    ("nothing happens that nobody asked for", keys::nothing_unasked),
    ("prices are the sellers'", prices::are_the_sellers),
    ("prices are of the day", prices::are_of_the_day),
    (
        "nobody is believed unsigned",
        answers::nobody_is_believed_unsigned,
    ),
    ("refusals are true", refusals::are_true),
    ("reads do not go back", reads::do_not_go_back),
    ("reads find what is there", reads::find_what_is_there),
    ("everything ends", endings::everything_ends),
    ("copies converge", copies::converge),
    ("answers are documented", answers::are_documented),
    ("errors come with faults", answers::errors_come_with_faults),
    ("nothing panics", answers::nothing_panics),
];

/// Everything that is wrong.
#[must_use]
pub fn check(evidence: &Evidence) -> Vec<Violation> {
    let of = |(checker, check): (&'static str, Checker)| {
        let found = check(evidence).into_iter();
        found.map(move |what| Violation { checker, what })
    };
    CHECKERS.into_iter().flat_map(of).collect()
}
