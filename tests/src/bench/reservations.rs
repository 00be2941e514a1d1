//! Reserving tickets: each client its own, and everybody the same.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use bigtix_client::{TicketFilter, Token};
use bigtix_contracts::api::orders::Order;
use bigtix_contracts::api::tickets::{Event, TicketStatus};
use bigtix_contracts::{OrderId, TicketId};
use futures::TryStreamExt;

use super::buyers::{Market, unexpected, write_get, write_post};
use super::load::{Step, Tally, Work, closed_loop};

/// Longer than any copy may lag, so that a shop that never catches up is told from a slow one.
const CATCH_UP: Duration = Duration::from_secs(60);

/// An order that was answered with 201.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The order.
    pub order: OrderId,
    /// Its ticket.
    pub ticket: TicketId,
    buyer: usize,
}

/// Reserves ticket after ticket, each for the next of the client's buyers.
struct Reserving<'a> {
    buyers: &'a [Token],
    next_buyer: usize,
    step: usize,
    tickets: Vec<TicketId>,
    asked: Option<TicketId>,
    placed: Vec<Placed>,
}

impl Work for Reserving<'_> {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        self.asked = self.tickets.pop();
        let Some(ticket) = self.asked else { return false };
        self.next_buyer = (self.next_buyer + self.step) % self.buyers.len();
        let body = format!("{{\"ticketId\":\"{ticket}\"}}");
        write_post(request, "/api/orders", &self.buyers[self.next_buyer], &body);
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> Step {
        let Some(ticket) = self.asked.filter(|_| status == 201) else {
            return Step::Failed(unexpected(status, body));
        };
        match order_id(body) {
            Some(order) => {
                self.placed.push(Placed {
                    order,
                    ticket,
                    buyer: self.next_buyer,
                });
                Step::Done
            }
            None => Step::Failed(unexpected(status, body)),
        }
    }
}

/// The id that an order's body begins with; the whole body is read when the order is read back.
pub(super) fn order_id(body: &[u8]) -> Option<OrderId> {
    let rest = body.strip_prefix(b"{\"id\":\"")?;
    std::str::from_utf8(rest.get(..24)?).ok()?.parse().ok()
}

/// Reserves tickets, each its own, by so many clients.
pub async fn reserve(
    market: &Market,
    clients: usize,
    tickets: &[TicketId],
    duration: Duration,
) -> (Vec<Placed>, Tally) {
    let share = |client: usize| tickets.iter().skip(client).step_by(clients).copied().collect();
    let work = (0..clients).map(|client| Reserving {
        buyers: &market.buyers,
        next_buyer: client,
        step: clients,
        tickets: share(client),
        asked: None,
        placed: Vec::new(),
    });
    let (workers, tally) = closed_loop(market.edge, work.collect(), duration).await;
    let placed = workers.into_iter().flat_map(|worker| worker.placed).collect();
    (placed, tally)
}

/// Reads orders back, one after the other.
struct ReadingBack<'a> {
    buyers: &'a [Token],
    placed: Vec<Placed>,
    asked: Option<Placed>,
}

impl Work for ReadingBack<'_> {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        self.asked = self.placed.pop();
        let Some(placed) = &self.asked else { return false };
        let path = format!("/api/orders/{}", placed.order);
        write_get(request, &path, Some(&self.buyers[placed.buyer]));
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> Step {
        let read = serde_json::from_slice::<Order>(body);
        match (&self.asked, read) {
            (Some(placed), Ok(order))
                if status == 200 && order.id == placed.order && order.ticket.id == placed.ticket =>
            {
                Step::Done
            }
            _ => Step::Failed(unexpected(status, body)),
        }
    }
}

/// Reads every order back.
///
/// # Errors
/// When one that was answered with 201 is not there.
pub async fn read_back(market: &Market, clients: usize, placed: &[Placed]) -> Result<()> {
    let share = |client: usize| placed.iter().skip(client).step_by(clients).cloned().collect();
    let work = (0..clients).map(|client| ReadingBack {
        buyers: &market.buyers,
        placed: share(client),
        asked: None,
    });
    let (_, tally) = closed_loop(market.edge, work.collect(), Duration::MAX).await;
    if let Some(why) = tally.first_failure {
        bail!("{} orders could not be read back; one: {why}", tally.failed);
    }
    ensure!(
        tally.done == placed.len() as u64,
        "{} of {} orders were read back",
        tally.done,
        placed.len()
    );
    Ok(())
}

/// Waits until the tickets service has heard of every order, compares all of them, and says how long that took from
/// `since`.
///
/// # Errors
/// When it does not catch up, or knows something else.
pub async fn catch_up(market: &Market, event: &Event, placed: &[Placed], since: Instant) -> Result<Duration> {
    let shown = |ticket| async move { market.seller.ticket(ticket).await };
    let newest: Vec<&Placed> = placed.iter().rev().take(64).collect();
    for placed in newest {
        while shown(placed.ticket).await?.order_id != Some(placed.order) {
            ensure!(
                since.elapsed() < CATCH_UP,
                "ticket {} is behind by {CATCH_UP:?}",
                placed.ticket
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    let took = since.elapsed();
    let expected: HashMap<TicketId, OrderId> = placed.iter().map(|p| (p.ticket, p.order)).collect();
    loop {
        let list = market
            .seller
            .tickets()
            .of_event(event.id)
            .status(TicketFilter::Reserved);
        let held: Vec<_> = list.limit(200).all().try_collect().await?;
        let agrees = |ticket: &bigtix_contracts::api::tickets::Ticket| {
            ticket.status == TicketStatus::Reserved && expected.get(&ticket.id).copied() == ticket.order_id
        };
        if held.len() == expected.len() && held.iter().all(agrees) {
            return Ok(took);
        }
        ensure!(
            since.elapsed() < CATCH_UP,
            "{} tickets are held, and {} orders were placed",
            held.len(),
            expected.len()
        );
    }
}

/// Wants one ticket that is taken, again and again.
struct Wanting<'a> {
    buyers: &'a [Token],
    next_buyer: usize,
    step: usize,
    body: &'a str,
}

impl Work for Wanting<'_> {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        self.next_buyer = (self.next_buyer + self.step) % self.buyers.len();
        write_post(request, "/api/orders", &self.buyers[self.next_buyer], self.body);
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> Step {
        let refused = b"Ticket is already reserved";
        if status == 400 && body.windows(refused.len()).any(|words| words == refused) {
            Step::Done
        } else {
            Step::Failed(unexpected(status, body))
        }
    }
}

/// Everybody wants one ticket that is taken.
pub async fn be_refused(market: &Market, clients: usize, taken: TicketId, duration: Duration) -> Tally {
    let body = format!("{{\"ticketId\":\"{taken}\"}}");
    let work = (0..clients).map(|client| Wanting {
        buyers: &market.buyers,
        next_buyer: client,
        step: clients,
        body: &body,
    });
    closed_loop(market.edge, work.collect(), duration).await.1
}
