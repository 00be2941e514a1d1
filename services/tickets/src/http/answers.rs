//! Tickets as answers.

use bigtix_contracts::Dollars;
use bigtix_contracts::api::tickets::Ticket as Body;
use bigtix_contracts::events::TicketState;
use bigtix_service::http::Cursor;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::ticket::Ticket;

/// One ticket; or several, when a quantity was asked for.
pub(super) enum ListedTickets {
    /// Without a quantity.
    One(Box<Body>),
    /// With one.
    Several(Vec<Body>),
}

impl Serialize for ListedTickets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(ticket) => ticket.serialize(serializer),
            Self::Several(tickets) => tickets.serialize(serializer),
        }
    }
}

impl PartialSchema for ListedTickets {
    fn schema() -> RefOr<Schema> {
        let ticket = || Ref::from_schema_name(Body::name());
        let tickets = ArrayBuilder::new().items(ticket());
        OneOfBuilder::new().item(ticket()).item(tickets).into()
    }
}

impl ToSchema for ListedTickets {}

pub(super) fn body(ticket: Ticket) -> Body {
    let Ticket {
        state,
        version,
        status,
        order_id,
    } = ticket;
    let TicketState {
        id,
        user_id,
        title,
        price,
        description,
        serial_number,
        event_id,
        event,
        withdrawn: _,
        created_at: _,
    } = state;
    Body {
        id,
        title,
        price: Dollars(price),
        user_id,
        description,
        serial_number,
        event_id,
        event,
        order_id,
        status,
        version,
    }
}

pub(super) fn bodies(tickets: Vec<Ticket>) -> Vec<Body> {
    tickets.into_iter().map(body).collect()
}

pub(super) fn place(ticket: &Ticket) -> Cursor {
    Cursor {
        millis: ticket.state.created_at.as_millisecond(),
        id: ticket.state.id.bytes(),
    }
}
