//! Ten times what a shop can do: buyers come whether or not those before them were served.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use anyhow::Result;
use bigtix_client::Token;
use bigtix_contracts::{ErrorCode, TicketId};

use crate::load::drive::{Arrivals, Load, Turn, drive};
use crate::load::market::Market;
use crate::load::shopping::{Miss, PAY, PAY_AGAIN, RESERVE, Wish, pay_in_the_end, place};
use crate::load::tally::{Latencies, Outcome, Steps, Tally};
use crate::load::wire::Wire;

/// Buyers on their way at once; whoever is due when all are has to wait, and that counts.
const AT_ONCE: usize = 3000;

/// What came of the buyers.
#[derive(Debug)]
pub struct Rush {
    /// Those who bought, and those who were sent away with their first wish.
    pub tally: Tally,
    /// How long placing and paying took where they were let in.
    steps: Steps,
    /// For how long buyers came.
    duration: Duration,
}

impl Rush {
    /// Purchases in a second.
    pub fn rate(&self) -> f64 {
        self.tally.done as f64 / self.duration.as_secs_f64()
    }

    /// All but one in a hundred purchases took at most so many milliseconds: order and payment.
    pub fn p99_of_purchase(&self) -> f64 {
        p99(&self.steps.of(RESERVE)) + p99(&self.steps.of(PAY))
    }

    /// The same of a refusal.
    pub fn p99_of_refusal(&self) -> f64 {
        p99(&self.tally.refusing)
    }

    /// Payments that had to be asked for again.
    pub fn payments_again(&self) -> u64 {
        self.steps.of(PAY_AGAIN).count()
    }
}

fn p99(latencies: &Latencies) -> f64 {
    latencies.milliseconds(0.99).unwrap_or_default()
}

/// Buys tickets for `duration`, by so many clients, each of whom comes again as soon as it was served.
///
/// # Errors
/// When something went wrong.
pub async fn closed(
    market: &Market,
    clients: usize,
    tickets: &[TicketId],
    duration: Duration,
) -> Result<Rush> {
    rush(market, Arrivals::Clients(clients), tickets, duration).await
}

/// Sends `per_second` buyers a second for `duration`.
///
/// # Errors
/// When something else than a refusal came of one.
pub async fn open(
    market: &Market,
    per_second: f64,
    tickets: &[TicketId],
    duration: Duration,
) -> Result<Rush> {
    let arrivals = Arrivals::Rate {
        per_second,
        at_once: AT_ONCE,
    };
    rush(market, arrivals, tickets, duration).await
}

async fn rush(market: &Market, arrivals: Arrivals, tickets: &[TicketId], duration: Duration) -> Result<Rush> {
    let load = Load {
        edge: &market.edge,
        arrivals,
        duration,
        progress: Some("overload"),
    };
    let steps = Steps::default();
    // A ticket that somebody was refused is the next one's.
    let free = RefCell::new(tickets.iter().copied().collect::<VecDeque<_>>());
    let tally = drive(&load, async |wire, turn| {
        let Some(ticket) = free.borrow_mut().pop_front() else {
            return Outcome::Failed("no ticket is left".into());
        };
        match buy(wire, market.buyer(turn.number), ticket, turn, &steps).await {
            Ok(()) => Outcome::Done,
            Err(miss) => {
                if matches!(miss, Miss::Refused(ErrorCode::Unavailable)) {
                    free.borrow_mut().push_back(ticket);
                }
                miss.expecting(&[ErrorCode::Unavailable])
            }
        }
    })
    .await;
    tally.flawless()?;
    Ok(Rush {
        tally,
        steps,
        duration,
    })
}

async fn buy(
    wire: &mut Wire,
    buyer: &Token,
    ticket: TicketId,
    turn: Turn,
    steps: &Steps,
) -> Result<(), Miss> {
    let placed = place(wire, buyer, Wish::Ticket(ticket)).await?;
    steps.note(RESERVE, turn.due.elapsed());
    pay_in_the_end(wire, buyer, placed.order, steps).await
}
