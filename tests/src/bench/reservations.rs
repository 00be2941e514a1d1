//! Reserving tickets: each visitor another one, and everybody the same.

use std::cell::RefCell;
use std::time::Duration;

use bigtix_contracts::{ErrorCode, TicketId};

use crate::load::audit::{Answers, Told};
use crate::load::drive::{Load, drive};
use crate::load::market::{Market, Offer};
use crate::load::shopping::{Pick, Wish, place};
use crate::load::tally::{Outcome, Tally};

/// Reserves tickets, each visit another one, of each event in turn. What was answered goes to `answers`, one of each event.
/// Refusals other than `expected` are wrong.
pub async fn reserve(
    market: &Market,
    load: &Load<'_>,
    offers: &[Offer],
    pick: Pick,
    expected: &[ErrorCode],
    answers: &RefCell<Vec<Answers>>,
) -> Tally {
    answers.borrow_mut().resize_with(offers.len(), Answers::default);
    drive(load, async |wire, turn| {
        let (row, which) = (turn.number / offers.len(), turn.number % offers.len());
        let offer = &offers[which];
        if row >= offer.tickets.len() {
            return Outcome::NoWork;
        }
        let wish = pick.wish(offer, row);
        match place(wire, market.buyer(turn.number), wish).await {
            Ok(placed) => {
                let claim = placed.claim(turn.number, Told::Reserved);
                answers.borrow_mut()[which].claims.push(claim);
                Outcome::Done
            }
            Err(miss) => miss.expecting(expected),
        }
    })
    .await
}

/// Everybody wants one ticket that is taken; what is counted are the refusals.
pub async fn be_refused(market: &Market, clients: usize, taken: TicketId, duration: Duration) -> Tally {
    let load = Load::of_clients(&market.edge, clients, duration);
    drive(&load, async |wire, turn| {
        match place(wire, market.buyer(turn.number), Wish::Ticket(taken)).await {
            Ok(placed) => Outcome::Failed(format!("order {} has the ticket too", placed.order)),
            Err(miss) => match miss.expecting(&[ErrorCode::TicketReserved]) {
                Outcome::Refused(_) => Outcome::Done,
                other => other,
            },
        }
    })
    .await
}
