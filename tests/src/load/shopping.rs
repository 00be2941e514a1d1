//! What visitors do, step by step, and what the shop may say to it.

use std::io;
use std::time::Duration;

use bigtix_client::Token;
use bigtix_contracts::{ErrorCode, EventId, OrderId, TicketId};
use serde::Deserialize;
use tokio::time::Instant;

use super::audit::{Claim, Told};
use super::market::Offer;
use super::tally::{Outcome, Steps};
use super::wire::{Reply, Wire};

/// A card of the double that needs no form.
const CARD: &str = "pm_card_visa";
/// How long somebody who holds an order and was sent away waits before paying again, as `Retry-After` says.
const PAYS_AGAIN: Duration = Duration::from_secs(1);
/// After so many times a buyer gives up.
const TRIES: usize = 20;

/// Placing an order, from when the visit was due.
pub const RESERVE: &str = "reserve";
/// Paying, from when it was asked for.
pub const PAY: &str = "pay";
/// Payments that were sent away, and asked for again.
pub const PAY_AGAIN: &str = "pay_again";

/// Why a step was not done.
#[derive(Debug)]
pub enum Miss {
    /// The shop said no.
    Refused(ErrorCode),
    /// Nobody knows whether it was done.
    Unknown(String),
    /// The answer is none that the API gives.
    Failed(String),
}

impl Miss {
    /// The outcome of the visit, if these refusals are reckoned with; others are wrong.
    pub fn expecting(self, codes: &[ErrorCode]) -> Outcome {
        match self {
            Self::Refused(code) if codes.contains(&code) => Outcome::Refused(code),
            Self::Refused(code) => Outcome::Failed(format!("refused: {}", code.as_str())),
            Self::Unknown(why) => Outcome::Unknown(why),
            Self::Failed(why) => Outcome::Failed(why),
        }
    }
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        Self::Unknown(format!("no answer: {error}"))
    }
}

/// What a buyer wants.
#[derive(Debug, Clone, Copy)]
pub enum Wish {
    /// This ticket.
    Ticket(TicketId),
    /// Any ticket of this event.
    AnyOf(EventId),
}

/// How buyers choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pick {
    /// Any ticket of the event
    Any,
    /// A certain one: the next that nobody asked for, and when there is none, one that somebody has
    Ticket,
}

impl Pick {
    /// What the buyer in this row wants of the tickets that are offered.
    pub fn wish(self, offer: &Offer, row: usize) -> Wish {
        match self {
            Self::Any => Wish::AnyOf(offer.event.id),
            Self::Ticket => Wish::Ticket(offer.tickets[row % offer.tickets.len()]),
        }
    }
}

/// An order that was answered with 201.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The order.
    pub order: OrderId,
    /// Its ticket.
    pub ticket: TicketId,
}

impl Placed {
    /// The claim of a buyer who was told so.
    pub fn claim(self, buyer: usize, told: Told) -> Claim {
        let Self { order, ticket } = self;
        Claim {
            order,
            ticket,
            buyer,
            told,
        }
    }
}

/// Reserves a ticket.
///
/// # Errors
/// Why it is not known to be reserved.
pub async fn place(wire: &mut Wire, buyer: &Token, wish: Wish) -> Result<Placed, Miss> {
    let body = match wish {
        Wish::Ticket(ticket) => format!("{{\"ticketId\":\"{ticket}\"}}"),
        Wish::AnyOf(event) => format!("{{\"eventId\":\"{event}\"}}"),
    };
    let reply = wire.post("/api/orders", Some(buyer), &body).await?;
    let placed = placed(reply.body).filter(|_| reply.status == 201);
    placed.ok_or_else(|| miss(&reply))
}

/// Pays for an order.
///
/// # Errors
/// Why it is not known to be paid.
pub async fn pay(wire: &mut Wire, buyer: &Token, order: OrderId) -> Result<(), Miss> {
    let body = format!("{{\"orderId\":\"{order}\",\"token\":\"{CARD}\"}}");
    let reply = wire.post("/api/payments", Some(buyer), &body).await?;
    let succeeded = b"\"status\":\"succeeded\"";
    match reply.status {
        201 if reply
            .body
            .windows(succeeded.len())
            .any(|words| words == succeeded) =>
        {
            Ok(())
        }
        _ => Err(miss(&reply)),
    }
}

/// Gives an order up.
///
/// # Errors
/// Why it is not known to be given up.
pub async fn cancel(wire: &mut Wire, buyer: &Token, order: OrderId) -> Result<(), Miss> {
    let reply = wire.delete(&format!("/api/orders/{order}"), buyer).await?;
    match reply.status {
        204 => Ok(()),
        _ => Err(miss(&reply)),
    }
}

/// Looks at a page or a list, on nobody's behalf.
///
/// # Errors
/// Why it was not shown.
pub async fn look(wire: &mut Wire, path: &str) -> Result<(), Miss> {
    let reply = wire.get(path, None).await?;
    match reply.status {
        200 => Ok(()),
        _ => Err(miss(&reply)),
    }
}

/// Pays for an order, again and again while the shop has no time for it: whoever holds an order is in the end served.
///
/// # Errors
/// Why it is not known to be paid.
pub async fn pay_in_the_end(
    wire: &mut Wire,
    buyer: &Token,
    order: OrderId,
    steps: &Steps,
) -> Result<(), Miss> {
    for _ in 0..TRIES {
        let asked = Instant::now();
        let paid = pay(wire, buyer, order).await;
        match paid {
            Ok(()) => steps.note(PAY, asked.elapsed()),
            Err(Miss::Refused(ErrorCode::Unavailable)) => {
                steps.note(PAY_AGAIN, asked.elapsed());
                tokio::time::sleep(PAYS_AGAIN).await;
                continue;
            }
            Err(_) => {}
        }
        return paid;
    }
    Err(Miss::Failed(format!(
        "order {order} could not be paid in {TRIES} tries"
    )))
}

/// What an order's body says of itself and its ticket. The whole body is read when the order is read back, when nobody is
/// measured.
fn placed(body: &[u8]) -> Option<Placed> {
    let text = std::str::from_utf8(body).ok()?;
    let order = text.strip_prefix("{\"id\":\"")?;
    let (_, ticket) = order.split_once("\"ticket\":{\"id\":\"")?;
    Some(Placed {
        order: order.get(..24)?.parse().ok()?,
        ticket: ticket.get(..24)?.parse().ok()?,
    })
}

/// What an answer says that is not what was asked for.
fn miss(reply: &Reply<'_>) -> Miss {
    /// The part of a problem that programs branch on.
    #[derive(Deserialize)]
    struct Coded {
        code: ErrorCode,
    }
    match serde_json::from_slice::<Coded>(reply.body) {
        Ok(Coded {
            code: ErrorCode::OutcomeUnknown | ErrorCode::BadGateway,
        }) => Miss::Unknown(unexpected(reply)),
        Ok(Coded {
            code: ErrorCode::Internal,
        })
        | Err(_) => Miss::Failed(unexpected(reply)),
        Ok(Coded { code }) => Miss::Refused(code),
    }
}

/// An answer that was not expected, for a message.
pub fn unexpected(reply: &Reply<'_>) -> String {
    let body = &reply.body[..reply.body.len().min(300)];
    format!("{} {}", reply.status, String::from_utf8_lossy(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str) -> Outcome {
        let body = format!("{{\"message\":\"No\",\"errors\":[{{\"message\":\"No\"}}],\"code\":\"{code}\"}}");
        let reply = Reply {
            status: 400,
            body: body.as_bytes(),
        };
        miss(&reply).expecting(&[ErrorCode::SoldOut])
    }

    #[test]
    fn only_what_a_scenario_reckons_with_is_a_refusal() {
        assert!(matches!(said("sold_out"), Outcome::Refused(ErrorCode::SoldOut)));
        assert!(matches!(said("own_ticket"), Outcome::Failed(_)));
        assert!(matches!(said("internal"), Outcome::Failed(_)));
        assert!(matches!(said("no such code"), Outcome::Failed(_)));
    }

    #[test]
    fn what_may_have_happened_is_unknown() {
        assert!(matches!(said("outcome_unknown"), Outcome::Unknown(_)));
        assert!(matches!(said("bad_gateway"), Outcome::Unknown(_)));
        let cut = Miss::from(io::Error::from(io::ErrorKind::UnexpectedEof));
        assert!(matches!(cut.expecting(&[]), Outcome::Unknown(_)));
    }

    #[test]
    fn an_order_is_known_with_its_ticket() {
        let body = b"{\"id\":\"64b0c0ffee0000000000beef\",\"userId\":\"x\",\"ticket\":{\"id\":\"64b0c0ffee0000000000cafe\",";
        let Placed { order, ticket } = placed(body).unwrap();
        assert_eq!(order.to_string(), "64b0c0ffee0000000000beef");
        assert_eq!(ticket.to_string(), "64b0c0ffee0000000000cafe");
        assert_eq!(placed(&body[..60]), None);
    }
}
