//! Reading what a shop says when all is over, until it agrees with what buyers were told.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bigtix_client::TicketFilter;
use bigtix_contracts::api::orders::Order;
use bigtix_contracts::{EventId, OrderId};
use futures::TryStreamExt;
use tokio::time::Instant;

use super::audit::{Answers, Books, Breach, Claim, OrderRow, Sales, TicketRow, Told, audit};
use super::drive::{Load, drive};
use super::market::Market;
use super::shopping::unexpected;
use super::tally::Outcome;

/// How many orders are read at once.
const AT_ONCE: usize = 16;
/// Longer than any copy may lag, so that a shop that never catches up is told from a slow one.
const CATCH_UP: Duration = Duration::from_secs(60);
/// Between two looks at copies that are behind.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// Between two looks at orders whose time runs out.
const ENDS_SOON: Duration = Duration::from_millis(500);
/// How many of the newest orders are looked for in the list of tickets, to see whether it has caught up.
const NEWEST: usize = 64;

/// What a shop says of an event, and what is wrong with that.
#[derive(Debug)]
pub struct Audited {
    /// What was sold.
    pub sales: Sales,
    /// Promises that were not kept.
    pub breaches: Vec<Breach>,
    /// How long the list of tickets was behind.
    pub caught_up: Duration,
}

/// Reads every order and every ticket back and compares them with what buyers were told; the tickets again and again
/// until they agree: that list is a copy, and may be late.
///
/// # Errors
/// When the shop does not answer.
pub async fn settle(market: &Market, event: EventId, answers: &Answers, since: Instant) -> Result<Audited> {
    let caught_up = catch_up(market, &answers.claims, since).await?;
    let mut books = Books {
        orders: read_orders(market, &answers.claims).await?,
        tickets: Vec::new(),
    };
    let began = Instant::now();
    loop {
        let all = market.seller.tickets().of_event(event).status(TicketFilter::All);
        books.tickets = all
            .limit(200)
            .all()
            .map_ok(|ticket| TicketRow {
                id: ticket.id,
                status: ticket.status,
                order: ticket.order_id,
            })
            .try_collect()
            .await
            .context("reading the tickets")?;
        let (sales, breaches) = audit(answers, &books);
        if breaches.is_empty() || began.elapsed() > CATCH_UP {
            return Ok(Audited {
                sales,
                breaches,
                caught_up,
            });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        if answers.gives_back {
            books.orders = read_orders(market, &answers.claims).await?;
        }
    }
}

/// The same, where a breach voids what was measured.
///
/// # Errors
/// The first breach.
pub async fn settle_well(
    market: &Market,
    event: EventId,
    answers: &Answers,
    since: Instant,
) -> Result<Duration> {
    let audited = settle(market, event, answers, since).await?;
    match audited.breaches.first() {
        None => Ok(audited.caught_up),
        Some(breach) => bail!("{} promises were not kept; one: {breach}", audited.breaches.len()),
    }
}

/// Waits until the list of tickets shows the newest orders, and says how long that took from `since`.
async fn catch_up(market: &Market, claims: &[Claim], since: Instant) -> Result<Duration> {
    let kept = claims.iter().rev().filter(|claim| match claim.told {
        Told::Reserved | Told::Paid => true,
        Told::Cancelled | Told::Unsure => false,
    });
    for claim in kept.take(NEWEST) {
        if wait_until_shown(market, claim, since, LOOK_AGAIN, CATCH_UP)
            .await?
            .is_none()
        {
            break;
        }
    }
    Ok(since.elapsed())
}

/// Waits until the tickets service says that the order has its ticket, looking so often, and says how long that took from
/// `since`; `None` when it took longer than `patience`.
///
/// # Errors
/// When the shop does not answer.
pub async fn wait_until_shown(
    market: &Market,
    claim: &Claim,
    since: Instant,
    every: Duration,
    patience: Duration,
) -> Result<Option<Duration>> {
    loop {
        let shown = market
            .seller
            .ticket(claim.ticket)
            .await
            .context("reading a ticket")?;
        let took = since.elapsed();
        if shown.order_id == Some(claim.order) {
            return Ok(Some(took));
        }
        if took > patience {
            return Ok(None);
        }
        tokio::time::sleep(every).await;
    }
}

/// Waits until orders that were left have ended because their time is over, and says which have not.
///
/// # Errors
/// When the shop does not answer.
pub async fn wait_until_ended(market: &Market, left: &[Claim], patience: Duration) -> Result<Vec<Breach>> {
    let began = Instant::now();
    loop {
        let orders = read_orders(market, left).await?;
        let held: Vec<Breach> = orders
            .iter()
            .filter(|(_, row)| row.holds())
            .map(|(order, _)| Breach::OrderDiffers(*order, "over"))
            .collect();
        if held.is_empty() || began.elapsed() > patience {
            return Ok(held);
        }
        tokio::time::sleep(ENDS_SOON).await;
    }
}

/// Every order, as its buyer reads it. Those that are not there are missing.
///
/// # Errors
/// When the shop answers anything else.
pub async fn read_orders(market: &Market, claims: &[Claim]) -> Result<BTreeMap<OrderId, OrderRow>> {
    let orders = RefCell::new(BTreeMap::new());
    let load = Load::of_clients(&market.edge, AT_ONCE, Duration::MAX);
    let tally = drive(&load, async |wire, turn| {
        let Some(claim) = claims.get(turn.number) else {
            return Outcome::NoWork;
        };
        let path = format!("/api/orders/{}", claim.order);
        let reply = match wire.get(&path, Some(market.buyer(claim.buyer))).await {
            Ok(reply) => reply,
            Err(error) => return Outcome::Failed(format!("no answer: {error}")),
        };
        match (reply.status, serde_json::from_slice::<Order>(reply.body)) {
            (200, Ok(order)) => {
                let row = OrderRow {
                    status: order.status,
                    tickets: order.tickets.iter().map(|ticket| ticket.id).collect(),
                };
                orders.borrow_mut().insert(order.id, row);
            }
            (404, _) => {}
            _ => return Outcome::Failed(unexpected(&reply)),
        }
        Outcome::Done
    })
    .await;
    tally.flawless().context("reading orders back")?;
    Ok(orders.into_inner())
}
