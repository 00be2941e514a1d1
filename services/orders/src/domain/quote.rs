//! What an order of some tickets costs, and whether this buyer may have them at all.

use std::collections::HashMap;
use std::sync::Arc;

use bigtix_contracts::events::{OrderTicket, TicketState, Versioned};
use bigtix_contracts::{Cents, TicketId, UserId};

/// The most that one order may cost.
const MOST: Cents = Cents(99_999_999);
/// The least that can be charged.
const LEAST: Cents = Cents(50);

/// Why somebody does not get an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Rejection {
    /// Nobody ever listed it.
    #[error("Ticket not found")]
    TicketNotFound,
    /// The catalogue has no such event.
    #[error("Event not found")]
    EventNotFound,
    /// Somebody else holds this ticket.
    #[error("Ticket is already reserved")]
    Reserved(TicketId),
    /// Its seller withdrew it.
    #[error("Ticket is no longer for sale")]
    NotForSale(TicketId),
    /// Tickets of one order belong to different partitions.
    #[error("These tickets cannot be in one order")]
    TicketsApart,
    /// The buyer is its seller.
    #[error("You cannot buy your own ticket")]
    OwnTicket,
    /// The event has fewer free tickets.
    #[error("Sold out")]
    SoldOut,
    /// None of the tickets of a partial order is free.
    #[error("All tickets are unavailable")]
    AllUnavailable,
    /// The buyer holds as many unpaid tickets as anybody may.
    #[error("You hold too many tickets")]
    TooManyHeld,
    /// The sum is more than can be charged, or less.
    #[error("Order total is too large")]
    TotalTooLarge,
    /// The sum is not what the buyer expected.
    #[error("Price has changed")]
    PriceChanged,
}

/// What is asked for and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// The buyer.
    pub(crate) buyer: UserId,
    /// What the buyer expects it to cost.
    pub(crate) expected_total: Option<Cents>,
}

/// The tickets as the order will remember them, and their sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quote {
    /// In the order of the request.
    pub(crate) tickets: Vec<OrderTicket>,
    /// What they cost together.
    pub(crate) total: Cents,
}

/// Tickets as far as they are known.
pub(crate) type Known = HashMap<TicketId, Arc<Versioned<TicketState>>>;

/// Prices the tickets with these ids.
pub(crate) fn quote_known(ids: &[TicketId], known: &Known, terms: Terms) -> Result<Quote, Rejection> {
    let tickets: Option<Vec<_>> = ids.iter().map(|id| known.get(id).map(Arc::as_ref)).collect();
    quote(&tickets.ok_or(Rejection::TicketNotFound)?, terms)
}

/// Prices `tickets` for a buyer; the tickets' own prices count and nothing that the buyer sent.
fn quote(tickets: &[&Versioned<TicketState>], terms: Terms) -> Result<Quote, Rejection> {
    if tickets.iter().any(|ticket| ticket.state.user_id == terms.buyer) {
        return Err(Rejection::OwnTicket);
    }
    if let Some(withdrawn) = tickets.iter().find(|ticket| ticket.state.withdrawn) {
        return Err(Rejection::NotForSale(withdrawn.state.id));
    }
    let tickets: Vec<OrderTicket> = tickets.iter().map(|ticket| remember(ticket)).collect();
    let total: Cents = tickets.iter().map(|ticket| ticket.price).sum();
    if total > MOST || total < LEAST {
        return Err(Rejection::TotalTooLarge);
    }
    if terms.expected_total.is_some_and(|expected| expected != total) {
        return Err(Rejection::PriceChanged);
    }
    Ok(Quote { tickets, total })
}

fn remember(ticket: &Versioned<TicketState>) -> OrderTicket {
    let state = &ticket.state;
    OrderTicket {
        id: state.id,
        seller_id: state.user_id,
        title: state.title.clone(),
        price: state.price,
        version: ticket.version,
        serial_number: state.serial_number.clone(),
        event_id: state.event_id.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use jiff::Timestamp;

    use super::*;

    pub(crate) fn ticket(n: u8, price: i64) -> Versioned<TicketState> {
        Versioned {
            version: 3,
            state: TicketState {
                id: TicketId::from_bytes([n; 12]),
                user_id: UserId::from_bytes([9; 12]),
                title: "Row F".into(),
                price: Cents(price),
                description: String::new(),
                serial_number: n.to_string(),
                event_id: None,
                event: None,
                withdrawn: false,
                created_at: Timestamp::UNIX_EPOCH,
            },
        }
    }

    fn terms(expected_total: Option<i64>) -> Terms {
        Terms {
            buyer: UserId::from_bytes([1; 12]),
            expected_total: expected_total.map(Cents),
        }
    }

    #[test]
    fn the_total_is_the_sum_of_the_tickets_own_prices() {
        let (a, b) = (ticket(1, 1999), ticket(2, 1));
        let quote = quote(&[&a, &b], terms(Some(2000))).unwrap();
        assert_eq!(
            (quote.total, quote.tickets.len(), quote.tickets[0].version),
            (Cents(2000), 2, 3)
        );
    }

    #[test]
    fn each_rule_refuses() {
        let (cheap, dear) = (ticket(1, 1999), ticket(2, 99_999_999));
        let gone = Versioned {
            state: TicketState {
                withdrawn: true,
                ..ticket(3, 100).state
            },
            version: 4,
        };
        assert_eq!(quote(&[&cheap], terms(Some(1998))), Err(Rejection::PriceChanged));
        assert_eq!(
            quote(&[&cheap, &dear], terms(None)),
            Err(Rejection::TotalTooLarge)
        );
        assert_eq!(
            quote(&[&gone], terms(None)),
            Err(Rejection::NotForSale(gone.state.id))
        );
        let own = Terms {
            buyer: cheap.state.user_id,
            expected_total: None,
        };
        assert_eq!(quote(&[&cheap], own), Err(Rejection::OwnTicket));
    }
}
