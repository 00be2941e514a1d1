use serde::{Deserialize, Serialize};

use crate::TicketId;
use crate::events::{TicketState, Versioned};

/// Asks for tickets by id; unknown ones are left out of the answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadTickets {
    /// At most 1,000.
    pub ids: Vec<TicketId>,
}

/// Asks for every ticket of an event that is not withdrawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadEventTickets {
    /// The event, as tickets carry it.
    pub event_id: String,
    /// Only their versions are wanted. A service that does not know this field answers with the tickets.
    #[serde(default)]
    pub versions_only: bool,
}

/// Tickets as their owner knows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketList {
    /// In no particular order.
    pub tickets: Vec<Versioned<TicketState>>,
    /// The versions, where only those were wanted.
    #[serde(default)]
    pub versions: Vec<(TicketId, i64)>,
    /// Whether the catalogue has the event that was asked for; true when none was asked for.
    pub event_exists: bool,
}
