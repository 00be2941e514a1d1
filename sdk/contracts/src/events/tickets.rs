use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Aggregate;
use crate::{Cents, EventId, TicketId, UserId};

/// What the catalogue says of a ticket. Who holds the ticket is not part of it: the claims of the orders service say that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketState {
    /// The ticket.
    pub id: TicketId,
    /// Its seller.
    pub user_id: UserId,
    /// 1 to 125 characters.
    pub title: String,
    /// What it costs.
    pub price: Cents,
    /// Up to 2,000 characters, or empty.
    pub description: String,
    /// Unique among listings that are available or reserved.
    pub serial_number: String,
    /// The event it is for, as the seller gave it; the aliases allow any text here.
    pub event_id: Option<String>,
    /// The catalogue's event with that id, where there is one.
    pub event: Option<EventSummary>,
    /// Whether the seller took it off sale, for ever.
    pub withdrawn: bool,
    /// When it was listed.
    pub created_at: Timestamp,
}

/// The part of an event that a ticket shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSummary {
    /// The event.
    pub id: EventId,
    /// Such as "Symphony No. 9".
    pub title: String,
    /// Such as "Town Hall".
    pub venue: String,
    /// Such as "Springfield".
    pub city: String,
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    pub starts_at: Timestamp,
    /// IANA name of the venue's time zone, such as `Europe/Berlin`.
    pub time_zone: String,
}

impl Aggregate for TicketState {
    const PRODUCER: &'static str = "tickets";
    const KIND: &'static str = "ticket";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn event_type(&self, version: i64) -> &'static str {
        match (self.withdrawn, version) {
            (true, _) => "ticket.withdrawn",
            (false, 0) => "ticket.created",
            (false, _) => "ticket.updated",
        }
    }
}
