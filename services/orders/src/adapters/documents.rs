//! Orders as the store keeps them.

use bigtix_contracts::events::{
    CancelReason, Envelope, OrderState, OrderStatus, OrderTicket, Turn, Versioned,
};
use bigtix_contracts::{Cents, OrderId, PaymentId, TicketId, UserId};
use bigtix_service::clock::wall;
use bigtix_service::mongo::{from_bson_time, to_bson_time};
use bigtix_service::outbox::ReadError;
use bson::oid::ObjectId;
use bson::{DateTime, Timestamp};
use serde::{Deserialize, Serialize};

/// What kind of claim a document of the collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ClaimDocumentKind {
    Order,
    Edit,
    Withdrawn,
}

/// One order; also its own outbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderDocument {
    #[serde(rename = "_id")]
    pub(crate) id: ObjectId,
    pub(crate) kind: ClaimDocumentKind,
    pub(crate) active: bool,
    pub(crate) ticket_ids: Vec<ObjectId>,
    /// How many they are, for an index that counts them without reading the document.
    pub(crate) ticket_count: i64,
    pub(crate) user_id: ObjectId,
    pub(crate) status: OrderStatus,
    pub(crate) reason: Option<CancelReason>,
    pub(crate) expires_at: DateTime,
    pub(crate) created_at: DateTime,
    pub(crate) total: i64,
    pub(crate) tickets: Vec<TicketDocument>,
    pub(crate) payment_id: Option<ObjectId>,
    pub(crate) relisted: bool,
    pub(crate) version: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) traceparent: Option<String>,
}

/// How many tickets an order holds, and for whom.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeldRow {
    pub(crate) user_id: ObjectId,
    pub(crate) ticket_count: i64,
}

/// What a claim holds, and what tells whether it still does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClaimRow {
    pub(crate) kind: ClaimDocumentKind,
    pub(crate) ticket_ids: Vec<ObjectId>,
    /// Of orders.
    pub(crate) status: Option<OrderStatus>,
    /// Of orders, and of edits.
    pub(crate) expires_at: Option<DateTime>,
}

/// A ticket as an order remembers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TicketDocument {
    id: ObjectId,
    seller_id: ObjectId,
    title: String,
    price: i64,
    version: i64,
    serial_number: String,
    event_id: Option<String>,
}

/// The store's form of an id.
pub(crate) fn oid(bytes: [u8; 12]) -> ObjectId {
    ObjectId::from_bytes(bytes)
}

impl From<&OrderTicket> for TicketDocument {
    fn from(ticket: &OrderTicket) -> Self {
        let OrderTicket {
            id,
            seller_id,
            title,
            price,
            version,
            serial_number,
            event_id,
        } = ticket.clone();
        Self {
            id: oid(id.bytes()),
            seller_id: oid(seller_id.bytes()),
            title,
            price: price.0,
            version,
            serial_number,
            event_id,
        }
    }
}

impl From<TicketDocument> for OrderTicket {
    fn from(document: TicketDocument) -> Self {
        let TicketDocument {
            id,
            seller_id,
            title,
            price,
            version,
            serial_number,
            event_id,
        } = document;
        Self {
            id: TicketId::from_bytes(id.bytes()),
            seller_id: UserId::from_bytes(seller_id.bytes()),
            title,
            price: Cents(price),
            version,
            serial_number,
            event_id,
        }
    }
}

/// The store puts the next of its own timestamps in the place of this one, as it inserts a document with it.
const NEXT_TURN: Timestamp = Timestamp {
    time: 0,
    increment: 0,
};

impl OrderDocument {
    /// The document of an order that is to be placed.
    pub(crate) fn to_insert(order: &OrderState, traceparent: Option<String>) -> Self {
        Self {
            turn: Some(NEXT_TURN),
            ..Self::new(order, 0, traceparent)
        }
    }

    /// The document of `order` at `version`.
    pub(crate) fn new(order: &OrderState, version: i64, traceparent: Option<String>) -> Self {
        let active = order.holds_tickets();
        let OrderState {
            id,
            user_id,
            status,
            reason,
            expires_at,
            created_at,
            total,
            tickets,
            payment_id,
            relisted,
            turn,
        } = order;
        Self {
            id: oid(id.bytes()),
            kind: ClaimDocumentKind::Order,
            active,
            ticket_ids: tickets.iter().map(|ticket| oid(ticket.id.bytes())).collect(),
            ticket_count: i64::try_from(tickets.len()).unwrap_or(i64::MAX),
            user_id: oid(user_id.bytes()),
            status: *status,
            reason: *reason,
            expires_at: to_bson_time(*expires_at),
            created_at: to_bson_time(*created_at),
            total: total.0,
            tickets: tickets.iter().map(TicketDocument::from).collect(),
            payment_id: payment_id.map(|id| oid(id.bytes())),
            relisted: *relisted,
            turn: turn.map(|Turn { seconds, ordinal }| Timestamp {
                time: seconds,
                increment: ordinal,
            }),
            version,
            traceparent,
        }
    }

    /// The order in the document.
    pub(crate) fn into_order(self) -> Versioned<OrderState> {
        let Self {
            id,
            kind: _,
            active: _,
            ticket_ids: _,
            ticket_count: _,
            user_id,
            status,
            reason,
            expires_at,
            created_at,
            total,
            tickets,
            payment_id,
            relisted,
            version,
            turn,
            traceparent: _,
        } = self;
        let state = OrderState {
            id: OrderId::from_bytes(id.bytes()),
            user_id: UserId::from_bytes(user_id.bytes()),
            status,
            reason,
            expires_at: from_bson_time(expires_at),
            created_at: from_bson_time(created_at),
            total: Cents(total),
            tickets: tickets.into_iter().map(OrderTicket::from).collect(),
            payment_id: payment_id.map(|id| PaymentId::from_bytes(id.bytes())),
            relisted,
            turn: turn.map(|Timestamp { time, increment }| Turn {
                seconds: time,
                ordinal: increment,
            }),
        };
        Versioned { version, state }
    }
}

/// The event that an order's document is.
pub(crate) fn read_event(document: &OrderDocument) -> Result<Envelope<OrderState>, ReadError> {
    let traceparent = document.traceparent.clone();
    let Versioned { version, state } = document.clone().into_order();
    Ok(Envelope::new(state, version, wall(), traceparent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::tests::created;

    #[test]
    fn the_bytes_of_a_document_are_the_event_of_its_order() {
        let order = OrderState {
            turn: Some(Turn {
                seconds: 1,
                ordinal: 2,
            }),
            ..created()
        };
        let stored = OrderDocument::new(&order, 3, Some("00-trace".to_owned()));
        let bytes = bson::serialize_to_vec(&stored).unwrap();
        let event = read_event(&bson::deserialize_from_slice(&bytes).unwrap()).unwrap();
        assert_eq!((event.version, event.data), (3, order));
        assert_eq!(event.traceparent.as_deref(), Some("00-trace"));
    }
}
