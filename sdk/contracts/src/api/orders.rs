//! Orders.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::{CancelReason, OrderState, OrderStatus, OrderTicket};
use crate::{Dollars, OrderId, TicketId, UserId};

/// An order's status in words: those of the canonical paths, and the finer ones of the alias paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum StatusWord {
    /// Reserved, not paid.
    #[serde(rename = "created")]
    Created,
    /// The money is authorised.
    #[serde(rename = "awaiting:payment")]
    AwaitingPayment,
    /// Paid; the canonical word.
    #[serde(rename = "complete")]
    Complete,
    /// Paid; the aliases' word.
    #[serde(rename = "paid")]
    Paid,
    /// Not paid in time; an alias word.
    #[serde(rename = "expired")]
    Expired,
    /// The authorisation lapsed; an alias word.
    #[serde(rename = "failed")]
    Failed,
    /// Cancelled; on canonical paths for whatever reason.
    #[serde(rename = "cancelled")]
    Cancelled,
    /// The money went back.
    #[serde(rename = "refunded")]
    Refunded,
}

/// Which of the two vocabularies an answer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// `complete`, and `cancelled` with a reason.
    Canonical,
    /// `paid`, `expired`, `failed`, `cancelled`.
    Alias,
}

impl StatusWord {
    /// The word for `status` and `reason`.
    pub fn of(status: OrderStatus, reason: Option<CancelReason>, vocabulary: Vocabulary) -> Self {
        match (status, vocabulary) {
            (OrderStatus::Created, _) => Self::Created,
            (OrderStatus::AwaitingPayment, _) => Self::AwaitingPayment,
            (OrderStatus::Complete, Vocabulary::Canonical) => Self::Complete,
            (OrderStatus::Complete, Vocabulary::Alias) => Self::Paid,
            (OrderStatus::Cancelled, Vocabulary::Canonical) => Self::Cancelled,
            (OrderStatus::Cancelled, Vocabulary::Alias) => match reason {
                Some(CancelReason::Expired) => Self::Expired,
                Some(CancelReason::Failed) => Self::Failed,
                Some(CancelReason::User) | None => Self::Cancelled,
            },
            (OrderStatus::Refunded, _) => Self::Refunded,
        }
    }
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// The order.
    pub id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// Where it stands.
    pub status: StatusWord,
    /// Why it was cancelled.
    pub reason: Option<CancelReason>,
    /// When it is cancelled unless paid.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was placed.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// What all tickets cost together.
    pub total: Dollars,
    /// The first of `tickets`.
    pub ticket: OrderedTicket,
    /// The tickets as they were when the order was placed.
    pub tickets: Vec<OrderedTicket>,
    /// Starts at 0 and grows with every change.
    pub version: i64,
}

/// A ticket as an order remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderedTicket {
    /// The ticket.
    pub id: TicketId,
    /// Its title then.
    pub title: String,
    /// Its price then.
    pub price: Dollars,
    /// Its version then.
    pub version: i64,
    /// Its serial number.
    pub serial_number: String,
    /// The event it is for.
    pub event_id: Option<String>,
}

impl From<&OrderTicket> for OrderedTicket {
    fn from(ticket: &OrderTicket) -> Self {
        let OrderTicket {
            id,
            seller_id: _,
            title,
            price,
            version,
            serial_number,
            event_id,
        } = ticket;
        Self {
            id: *id,
            title: title.clone(),
            price: Dollars(*price),
            version: *version,
            serial_number: serial_number.clone(),
            event_id: event_id.clone(),
        }
    }
}

impl Order {
    /// The body for `order` at `version`.
    pub fn new(order: &OrderState, version: i64, vocabulary: Vocabulary) -> Self {
        let tickets: Vec<OrderedTicket> = order.tickets.iter().map(OrderedTicket::from).collect();
        Self {
            id: order.id,
            user_id: order.user_id,
            status: StatusWord::of(order.status, order.reason, vocabulary),
            reason: order.reason,
            expires_at: order.expires_at,
            created_at: order.created_at,
            total: Dollars(order.total),
            ticket: tickets
                .first()
                .cloned()
                .expect("an order has at least one ticket"),
            tickets,
            version,
        }
    }
}

/// What `/create` answers: the order, and what could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartialOrder {
    /// The order of what was free.
    pub order: Order,
    /// Its tickets.
    pub tickets: Vec<OrderedTicket>,
    /// Tickets that somebody else holds.
    pub unavailable_tickets: Vec<TicketId>,
    /// Ids that belong to no ticket.
    pub tickets_not_found: Vec<TicketId>,
}

/// The one thing about an order that others may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SafeDetails {
    /// The order.
    pub id: OrderId,
    /// Where it stands.
    pub status: StatusWord,
    /// When it is cancelled unless paid.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}
