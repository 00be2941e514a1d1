//! Tickets and the catalogue of events.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::events::EventSummary;
use crate::{Dollars, EventId, OrderId, TicketId, UserId};

/// Whether a ticket can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TicketStatus {
    /// On sale.
    Available,
    /// In an order that is not complete yet.
    Reserved,
    /// In a complete order, or in a refunded one that was not relisted.
    Sold,
    /// Taken off sale by its seller.
    Withdrawn,
}

/// A ticket. `status` and `orderId` may lag by at most a second; everything else is as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// The ticket.
    pub id: TicketId,
    /// 1 to 125 characters.
    pub title: String,
    /// What it costs.
    pub price: Dollars,
    /// Its seller.
    pub user_id: UserId,
    /// Up to 2,000 characters.
    pub description: String,
    /// What is printed on it.
    pub serial_number: String,
    /// The event it is for, as the seller gave it.
    pub event_id: Option<String>,
    /// The catalogue's event with that id.
    pub event: Option<EventSummary>,
    /// The order that holds it; null while it is free.
    pub order_id: Option<OrderId>,
    /// Whether it can be bought.
    pub status: TicketStatus,
    /// Starts at 0 and grows with every change.
    pub version: i64,
}

/// What `/createmulti` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedTickets {
    /// Always true.
    pub success: bool,
    /// The new tickets, in the order of the request.
    pub tickets: Vec<Ticket>,
}

/// An event of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
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
    /// IANA name of the venue's time zone.
    pub time_zone: String,
    /// Address of a picture.
    pub image: Option<String>,
    /// Up to 2,000 characters.
    pub description: String,
    /// Who added it.
    pub user_id: UserId,
    /// Ticketmaster's id, for an imported event.
    pub tm_event_id: Option<String>,
}
