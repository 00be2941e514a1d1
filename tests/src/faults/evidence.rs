//! Everything that is known about a run once it is over. The checkers read nothing else.

use std::collections::BTreeMap;

use bigtix_contracts::api::orders::Order;
use bigtix_contracts::api::payments::Payment;
use bigtix_contracts::api::tickets::Ticket;
use bigtix_contracts::{Cents, OrderId, TicketId};
use bigtix_testkit::stripe::Ledger;

use super::books::Capture;
use super::documents::Documents;
use super::history::{Moment, Operation};
use super::schedule::Fault;
use super::store_history::State;

/// A fault as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// What went wrong.
    pub fault: Fault,
    /// From when on.
    pub began: Moment,
    /// Until when.
    pub healed: Moment,
}

/// What everything looked like in the end, asked by those whom it belongs to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finals {
    /// Every buyer's orders.
    pub orders: BTreeMap<OrderId, Order>,
    /// Their latest payments.
    pub payments: BTreeMap<OrderId, Payment>,
    /// Every ticket that was ever listed or seen.
    pub tickets: BTreeMap<TicketId, Ticket>,
    /// The copies that orders has of tickets: price and version.
    pub copies: BTreeMap<TicketId, (Cents, i64)>,
    /// Timers that have not fired.
    pub armed_timers: Vec<OrderId>,
    /// Events that a service gave up on.
    pub dead_letters: Vec<String>,
    /// Addresses of acknowledged accounts that cannot be signed in to.
    pub lost_accounts: Vec<String>,
    /// What did not come to an end in time.
    pub restless: Vec<String>,
}

/// A line of a log that should not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Whose log.
    pub log: String,
    /// What it says.
    pub text: String,
}

/// All of it.
pub struct Evidence {
    /// What everybody asked and was answered.
    pub operations: Vec<Operation>,
    /// Every state that the store committed, in its order.
    pub states: Vec<State>,
    /// When money was taken.
    pub captures: Vec<Capture>,
    /// Stripe's books in the end.
    pub ledger: Ledger,
    /// What everything looked like in the end.
    pub finals: Finals,
    /// What went wrong on purpose.
    pub fired: Vec<Fired>,
    /// From when on nothing was wrong any more.
    pub calm: Moment,
    /// What the API's documents allow.
    pub documents: Documents,
    /// Lines of logs that speak of panics.
    pub panics: Vec<LogLine>,
}
