//! Reading what a buyer asks for.

use bigtix_contracts::{Cents, OrderId, TicketId, UserId};
use bigtix_service::http::idempotency::EffectSeed;
use bigtix_service::http::observe::TraceParent;
use bigtix_service::http::{ApiError, Fields};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::place_order::Wish;

/// The most tickets of one order.
const MOST_TICKETS: usize = 20;

/// What an order is asked for: `ticketId`, or `tickets`, or `eventId` with `quantity`.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the body in the API's document; fields are read one by one to give the contract's messages"
)]
pub(crate) struct PlaceOrder {
    /// One ticket.
    ticket_id: Option<TicketId>,
    /// One to twenty different tickets, all or nothing.
    tickets: Option<Vec<TicketRef>>,
    /// Any free tickets of this event, the cheapest first.
    event_id: Option<String>,
    /// How many of them; 1 to 20, by default 1.
    quantity: Option<i64>,
    /// What the buyer expects to pay in all; another total is refused with 409.
    expected_total: Option<bigtix_contracts::Dollars>,
}

/// A ticket that is asked for.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document")]
pub(crate) struct TicketRef {
    /// The ticket.
    id: TicketId,
}

/// The tickets that are asked for.
pub(crate) enum Choice {
    /// These.
    Tickets(Vec<TicketId>),
    /// Any of an event.
    AnyOf { event: String, quantity: usize },
}

/// A validated request.
pub(crate) struct Request {
    pub(crate) choice: Choice,
    pub(crate) expected_total: Option<Cents>,
}

impl Request {
    /// Validates the body of a canonical order.
    pub(crate) fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let choice = read_choice(&mut fields);
        let expected_total = fields.dollars("expectedTotal", "Expected total");
        match choice {
            Some(choice) => fields.finish().map(|()| Self {
                choice,
                expected_total,
            }),
            None => Err(fields
                .finish()
                .err()
                .unwrap_or_else(|| ApiError::invalid("ticketId", "TicketId must be provided"))),
        }
    }
}

fn read_choice(fields: &mut Fields) -> Option<Choice> {
    if fields.has("ticketId") {
        return fields.id("ticketId", "ID").map(|id| Choice::Tickets(vec![id]));
    }
    if fields.has("tickets") {
        return read_tickets(fields, &["id"]).map(Choice::Tickets);
    }
    if fields.has("eventId") {
        let event = fields.required_text("eventId", "EventId", 1, 64);
        let quantity = if fields.has("quantity") {
            fields.whole("quantity", "Quantity", 1..=20)
        } else {
            Some(1)
        };
        return Some(Choice::AnyOf {
            event: event?,
            quantity: usize::try_from(quantity?).ok()?,
        });
    }
    fields.refuse("ticketId", "TicketId must be provided");
    None
}

/// The ids in `tickets`, each under one of `names`.
pub(crate) fn read_tickets(fields: &mut Fields, names: &[&'static str]) -> Option<Vec<TicketId>> {
    let objects = fields.objects("tickets", "Tickets")?;
    let mut ids = Vec::with_capacity(objects.len());
    let count = objects.len();
    for mut object in objects {
        let name = names.iter().find(|name| object.has(name)).unwrap_or(&names[0]);
        if !object.has(name) {
            object.refuse(name, "ID is required");
        }
        ids.extend(object.id::<TicketId>(name, "ID"));
        fields.absorb(object);
    }
    if !(1..=MOST_TICKETS).contains(&count) {
        fields.refuse("tickets", "Tickets must be 1 to 20");
        return None;
    }
    let distinct: std::collections::BTreeSet<&TicketId> = ids.iter().collect();
    if distinct.len() < ids.len() {
        fields.refuse("tickets", "Tickets must be different");
        return None;
    }
    (ids.len() == count).then_some(ids)
}

/// The wish of `buyer` for `tickets`; a request that is repeated with its key has the same order id.
pub(crate) fn wish(
    buyer: UserId,
    tickets: Vec<TicketId>,
    expected_total: Option<Cents>,
    seed: EffectSeed,
    trace: TraceParent,
) -> Wish {
    Wish {
        order_id: OrderId::from_bytes(seed.id("order", 0)),
        is_repeated: seed.is_repeated(),
        buyer,
        tickets,
        expected_total,
        traceparent: trace.0,
    }
}
