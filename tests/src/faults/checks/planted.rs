//! Histories that never were, for the checkers' own tests.

use std::collections::BTreeMap;

use bigtix_contracts::api::orders::{Order, OrderedTicket, StatusWord};
use bigtix_contracts::api::payments::{Payment, PaymentStatus};
use bigtix_contracts::{Cents, Dollars, OrderId, PaymentId, TicketId, UserId};
use bigtix_testkit::stripe::{Entry, Ledger};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};

use crate::faults::documents::Documents;
use crate::faults::evidence::{Evidence, Finals};
use crate::faults::history::{Action, Moment, Operation, Outcome, Seen};
use crate::faults::store_history::{Kept, State};

/// A run in which nothing happened.
pub(super) fn evidence() -> Evidence {
    Evidence {
        operations: Vec::new(),
        states: Vec::new(),
        captures: Vec::new(),
        ledger: Ledger::default(),
        finals: Finals::default(),
        fired: Vec::new(),
        calm: at(1_000_000),
        documents: Documents::default(),
        panics: Vec::new(),
    }
}

pub(super) fn at(millis: i64) -> Moment {
    Moment(millis * 1_000)
}

pub(super) fn user() -> UserId {
    UserId::from_bytes([7; 12])
}

pub(super) fn order_id(number: u8) -> OrderId {
    OrderId::from_bytes([number; 12])
}

pub(super) fn ticket_id(number: u8) -> TicketId {
    TicketId::from_bytes([number; 12])
}

pub(super) fn state(millis: i64, kept: Kept, id: ObjectId, document: Option<Document>) -> State {
    State {
        at: at(millis),
        kept,
        id,
        document,
    }
}

pub(super) fn order_state(millis: i64, id: ObjectId, ticket: ObjectId, status: &str, version: i64) -> State {
    let document = doc! {
        "kind": "order", "status": status, "ticketIds": [ticket], "version": version, "relisted": false,
    };
    state(millis, Kept::Claims, id, Some(document))
}

/// From `millis` on, for ten milliseconds.
pub(super) fn operation(millis: i64, action: Action, outcome: Outcome) -> Operation {
    Operation {
        user: Some(user()),
        action,
        key: None,
        invoked: at(millis),
        finished: at(millis + 10),
        outcome,
    }
}

pub(super) fn ok(status: u16, seen: Seen) -> Outcome {
    Outcome::Ok { status, seen }
}

pub(super) fn order(number: u8, status: StatusWord, version: i64) -> Order {
    let ticket = OrderedTicket {
        id: ticket_id(number),
        title: "Standing".into(),
        price: Dollars(Cents(2_000)),
        version: 0,
        serial_number: "1".into(),
        event_id: None,
    };
    Order {
        id: order_id(number),
        user_id: user(),
        status,
        reason: None,
        expires_at: jiff::Timestamp::UNIX_EPOCH,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        total: Dollars(Cents(2_000)),
        ticket: ticket.clone(),
        tickets: vec![ticket],
        version,
    }
}

pub(super) fn payment(number: u8, status: PaymentStatus) -> Payment {
    Payment {
        id: PaymentId::from_bytes([number; 12]),
        order_id: order_id(number),
        stripe_id: Some("pi_1".into()),
        amount: Dollars(Cents(2_000)),
        status,
        client_secret: None,
        success: status == PaymentStatus::Succeeded,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        version: 0,
    }
}

/// An intent whose whole amount was taken once.
pub(super) fn captured(number: u8) -> Entry {
    Entry {
        id: format!("pi_{number}"),
        status: "succeeded".into(),
        amount: 2_000,
        currency: "usd".into(),
        authorised: 2_000,
        held: 0,
        captured: 2_000,
        captures: 1,
        released: 0,
        refunded: 0,
        refunds: 0,
        disputed: false,
        metadata: BTreeMap::from([("orderId".to_owned(), order_id(number).to_string())]),
    }
}
