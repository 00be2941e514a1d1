use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Aggregate;
use crate::{Cents, OrderId, PaymentId, TicketId, UserId};

/// Where an order stands. Terminal states never change, but that a complete order can be refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum OrderStatus {
    /// Reserved; can be paid until it expires.
    #[serde(rename = "created")]
    Created,
    /// The money is authorised; it never expires from here on.
    #[serde(rename = "awaiting:payment")]
    AwaitingPayment,
    /// Paid.
    #[serde(rename = "complete")]
    Complete,
    /// Its tickets are free.
    #[serde(rename = "cancelled")]
    Cancelled,
    /// The money went back.
    #[serde(rename = "refunded")]
    Refunded,
}

/// Why an order was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CancelReason {
    /// The buyer cancelled it.
    User,
    /// It was not paid in time.
    Expired,
    /// The authorisation lapsed before the money could be captured.
    Failed,
}

/// Which of two orders of a ticket was placed later: the one with the greater turn. The store gives it as it takes the order,
/// so that no clock has a say in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// The store's seconds since 1970.
    pub seconds: u32,
    /// Counted within the second.
    pub ordinal: u32,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// The order.
    pub id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it was cancelled; only on cancelled orders.
    pub reason: Option<CancelReason>,
    /// When a created order is cancelled, by the store's clock.
    pub expires_at: Timestamp,
    /// When it was placed, by the store's clock.
    pub created_at: Timestamp,
    /// What all tickets cost together.
    pub total: Cents,
    /// The tickets as they were when the order was placed; never empty.
    pub tickets: Vec<OrderTicket>,
    /// The payment that confirmed it.
    pub payment_id: Option<PaymentId>,
    /// Whether a refunded order put its tickets back on sale.
    #[serde(default)]
    pub relisted: bool,
    /// Its turn among the orders of its tickets; unknown of an order that was placed before there were turns, and until
    /// the order is read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

impl OrderState {
    /// Whether nobody else can have its tickets.
    pub fn holds_tickets(&self) -> bool {
        match self.status {
            OrderStatus::Created | OrderStatus::AwaitingPayment | OrderStatus::Complete => true,
            OrderStatus::Refunded => !self.relisted,
            OrderStatus::Cancelled => false,
        }
    }
}

/// A ticket as an order remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderTicket {
    /// The ticket.
    pub id: TicketId,
    /// Its seller.
    pub seller_id: UserId,
    /// Its title then.
    pub title: String,
    /// Its price then.
    pub price: Cents,
    /// The version of the ticket that this was read from.
    pub version: i64,
    /// Its serial number.
    pub serial_number: String,
    /// The event it is for.
    pub event_id: Option<String>,
}

impl Aggregate for OrderState {
    const PRODUCER: &'static str = "orders";
    const KIND: &'static str = "order";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn event_type(&self, _version: i64) -> &'static str {
        match self.status {
            OrderStatus::Created => "order.created",
            OrderStatus::AwaitingPayment => "order.awaiting-payment",
            OrderStatus::Complete => "order.completed",
            OrderStatus::Cancelled => "order.cancelled",
            OrderStatus::Refunded => "order.refunded",
        }
    }
}
