//! A ticket: what its seller says of it, and who holds it.

use bigtix_contracts::api::tickets::TicketStatus;
use bigtix_contracts::events::{EventSummary, TicketState};
use bigtix_contracts::{Cents, EventId, OrderId, TicketId, UserId};
use jiff::Timestamp;

/// The longest title.
pub(crate) const LONGEST_TITLE: usize = 125;
/// The longest description.
pub(crate) const LONGEST_DESCRIPTION: usize = 2_000;
/// The longest serial number.
pub(crate) const LONGEST_SERIAL_NUMBER: usize = 128;
/// The longest id of an event that the catalogue need not have.
pub(crate) const LONGEST_EVENT_ID: usize = 64;
/// The most tickets that are listed at once.
pub(crate) const MOST_AT_ONCE: usize = 1_000;

/// What somebody wants to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) title: String,
    pub(crate) price: Cents,
    pub(crate) description: String,
    /// Absent: one is made up.
    pub(crate) serial_number: Option<String>,
    pub(crate) event: Option<EventChoice>,
}

/// The event that a draft is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EventChoice {
    /// One that the catalogue must have.
    Catalogue(EventId),
    /// Whatever the seller calls it; the catalogue may have it.
    Named(String),
}

impl EventChoice {
    /// The id under which the catalogue would have it.
    pub(crate) fn catalogue_id(&self) -> Option<EventId> {
        match self {
            Self::Catalogue(id) => Some(*id),
            Self::Named(text) => text.parse().ok(),
        }
    }

    /// As tickets carry it: an id in lower case, another text as it is.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Catalogue(id) => id.to_string(),
            Self::Named(text) => normal_event_id(text),
        }
    }
}

/// One thing must not have two spellings.
pub(crate) fn normal_event_id(text: &str) -> String {
    text.parse::<EventId>()
        .map_or_else(|_| text.to_owned(), |id| id.to_string())
}

impl Draft {
    /// The ticket that the draft becomes. `event` is the catalogue's.
    pub(crate) fn list(
        self,
        id: TicketId,
        seller: UserId,
        event: Option<EventSummary>,
        now: Timestamp,
    ) -> TicketState {
        let Self {
            title,
            price,
            description,
            serial_number,
            event: choice,
        } = self;
        TicketState {
            id,
            user_id: seller,
            title,
            price,
            description,
            serial_number: serial_number.unwrap_or_else(|| made_up_serial_number(id)),
            event_id: choice.as_ref().map(EventChoice::text),
            event,
            withdrawn: false,
            created_at: now,
        }
    }
}

/// As unique as the id that it is made of.
fn made_up_serial_number(id: TicketId) -> String {
    format!("BT-{}", id.to_string().to_ascii_uppercase())
}

/// A ticket as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// What the seller says of it.
    pub(crate) state: TicketState,
    /// Counts the changes of `state`.
    pub(crate) version: i64,
    /// What the last news of orders says; it may lag.
    pub(crate) status: TicketStatus,
    /// The order that holds it, by the same news.
    pub(crate) order_id: Option<OrderId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_id_has_one_spelling() {
        assert_eq!(
            normal_event_id("64B0C0FFEE0000000000BEEF"),
            "64b0c0ffee0000000000beef"
        );
        assert_eq!(normal_event_id("Concert-7"), "Concert-7");
    }

    #[test]
    fn a_serial_number_is_made_up_when_there_is_none() {
        let id = TicketId::from_bytes([0xab; 12]);
        let draft = Draft {
            title: "T".into(),
            price: Cents(50),
            description: String::new(),
            serial_number: None,
            event: None,
        };
        let ticket = draft.list(id, UserId::from_bytes([1; 12]), None, Timestamp::UNIX_EPOCH);
        assert_eq!(ticket.serial_number, "BT-ABABABABABABABABABABABAB");
    }
}
