//! Ten times what a shop can do: an open loop, in which buyers come whether or not those before them were served. How long
//! something took is counted from when it was due (G. Tene, "How NOT to Measure Latency").

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Result, bail};
use bigtix_client::Token;
use bigtix_contracts::{OrderId, TicketId};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::buyers::{Market, unexpected, write_post};
use super::reservations::order_id;
use super::wire::Wire;

/// Buyers on their way at once; whoever is due when all are has to wait, and that counts.
const AT_ONCE: usize = 3000;
/// How long somebody who holds an order and was sent away waits before paying again, as `Retry-After` says.
const PAYS_AGAIN: Duration = Duration::from_secs(1);
/// A connection that was idle for longer may just be closed by the other side.
const IDLE: Duration = Duration::from_secs(2);
/// After so many times a buyer gives up.
const TRIES: usize = 20;
const CARD: &str = "pm_card_visa";

/// What came of the buyers.
#[derive(Debug)]
pub struct Tally {
    /// Purchases that were completed.
    pub bought: u64,
    /// Buyers who were sent away with their first wish.
    pub refused: u64,
    /// Payments that had to be asked for again.
    pub payments_again: u64,
    /// Anything else.
    pub failures: Vec<String>,
    /// How long placing an order took where it was let in, in microseconds.
    pub placing: Histogram<u64>,
    /// How long paying took where it was let in.
    pub paying: Histogram<u64>,
    /// How long a refusal took.
    pub refusing: Histogram<u64>,
    /// From the first buyer to the last.
    pub elapsed: Duration,
}

impl Tally {
    fn new() -> Self {
        let histogram = || Histogram::new_with_max(120_000_000, 3).expect("the bounds are constants");
        Self {
            bought: 0,
            refused: 0,
            payments_again: 0,
            failures: Vec::new(),
            placing: histogram(),
            paying: histogram(),
            refusing: histogram(),
            elapsed: Duration::ZERO,
        }
    }

    /// Purchases in a second.
    pub fn rate(&self) -> f64 {
        self.bought as f64 / self.elapsed.as_secs_f64()
    }

    /// All but one in a hundred took at most so long, in milliseconds.
    pub fn p99(latency: &Histogram<u64>) -> f64 {
        latency.value_at_quantile(0.99) as f64 / 1000.0
    }

    /// The same of a purchase: order and payment.
    pub fn p99_of_purchase(&self) -> f64 {
        Self::p99(&self.placing) + Self::p99(&self.paying)
    }
}

/// What buyers of a run share.
struct Rush<'a> {
    market: &'a Market,
    tickets: RefCell<VecDeque<TicketId>>,
    /// Connections that nobody uses now, and since when.
    wires: RefCell<Vec<(Wire, Instant)>>,
    tally: RefCell<Tally>,
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
) -> Result<Tally> {
    let rush = Rush::new(market, tickets);
    let began = Instant::now();
    let client = async |number: usize| {
        let mut number = number;
        while began.elapsed() < duration {
            rush.one(number, Instant::now()).await;
            number += clients;
        }
    };
    join_all((0..clients).map(client)).await;
    rush.end(duration)
}

/// Sends `rate` buyers a second for `duration`.
///
/// # Errors
/// When something else than a refusal came of one.
pub async fn open(market: &Market, rate: f64, tickets: &[TicketId], duration: Duration) -> Result<Tally> {
    let rush = Rush::new(market, tickets);
    let began = Instant::now();
    let mut under_way = FuturesUnordered::new();
    for number in 0.. {
        let due = Duration::from_secs_f64(number as f64 / rate);
        if due >= duration {
            break;
        }
        let due = began + due;
        loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due), if under_way.len() < AT_ONCE => break,
                Some(()) = under_way.next() => {}
            }
        }
        under_way.push(rush.one(number, due));
    }
    while under_way.next().await.is_some() {}
    drop(under_way);
    rush.end(duration)
}

impl<'a> Rush<'a> {
    fn new(market: &'a Market, tickets: &[TicketId]) -> Self {
        Self {
            market,
            tickets: RefCell::new(tickets.iter().copied().collect()),
            wires: RefCell::default(),
            tally: RefCell::new(Tally::new()),
        }
    }

    fn end(self, duration: Duration) -> Result<Tally> {
        let mut tally = self.tally.into_inner();
        tally.elapsed = duration;
        if let Some(failure) = tally.failures.first() {
            let (failed, bought) = (tally.failures.len(), tally.bought);
            bail!("{failed} went wrong beside {bought} that were bought; one: {failure}");
        }
        Ok(tally)
    }

    /// One buyer, who was due to come at `due`.
    async fn one(&self, number: usize, due: Instant) {
        let Some(ticket) = self.tickets.borrow_mut().pop_front() else {
            self.tally.borrow_mut().failures.push("no ticket is left".into());
            return;
        };
        let idle = self.wires.borrow_mut().pop();
        let fresh = idle.filter(|(_, since)| since.elapsed() < IDLE);
        let mut wire = fresh.map_or_else(|| Wire::new(self.market.edge), |(wire, _)| wire);
        let buyer = &self.market.buyers[number % self.market.buyers.len()];
        if let Err(failure) = self.buy(&mut wire, buyer, ticket, due).await {
            self.tally.borrow_mut().failures.push(failure);
        }
        self.wires.borrow_mut().push((wire, Instant::now()));
    }

    async fn buy(
        &self,
        wire: &mut Wire,
        buyer: &Token,
        ticket: TicketId,
        due: Instant,
    ) -> Result<(), String> {
        let wish = format!("{{\"ticketId\":\"{ticket}\"}}");
        let Some(order) = self.place(wire, buyer, &wish, due).await? else {
            self.tickets.borrow_mut().push_back(ticket);
            return Ok(());
        };
        let body = format!("{{\"orderId\":\"{order}\",\"token\":\"{CARD}\"}}");
        for _ in 0..TRIES {
            let asked = Instant::now();
            let (status, body) = ask(wire, "/api/payments", buyer, &body).await?;
            match status {
                201 => {
                    let mut tally = self.tally.borrow_mut();
                    tally.bought += 1;
                    note(&mut tally.paying, asked);
                    return Ok(());
                }
                503 if is_overloaded(&body) => {
                    self.tally.borrow_mut().payments_again += 1;
                    tokio::time::sleep(PAYS_AGAIN).await;
                }
                _ => return Err(unexpected(status, &body)),
            }
        }
        Err(format!("order {order} could not be paid in {TRIES} tries"))
    }

    /// The order, or `None` if the buyer is sent away.
    async fn place(
        &self,
        wire: &mut Wire,
        buyer: &Token,
        wish: &str,
        due: Instant,
    ) -> Result<Option<OrderId>, String> {
        let (status, body) = ask(wire, "/api/orders", buyer, wish).await?;
        let mut tally = self.tally.borrow_mut();
        match (status, order_id(&body)) {
            (201, Some(order)) => {
                note(&mut tally.placing, due);
                Ok(Some(order))
            }
            (503, _) if is_overloaded(&body) => {
                tally.refused += 1;
                note(&mut tally.refusing, due);
                Ok(None)
            }
            _ => Err(unexpected(status, &body)),
        }
    }
}

async fn ask(wire: &mut Wire, path: &str, buyer: &Token, body: &str) -> Result<(u16, Vec<u8>), String> {
    let mut request = Vec::with_capacity(1024);
    write_post(&mut request, path, buyer, body);
    match wire.exchange(&request).await {
        Ok(reply) => Ok((reply.status, reply.body.to_vec())),
        Err(error) => Err(format!("no answer: {error}")),
    }
}

/// Nothing happened, as the answer itself says.
fn is_overloaded(body: &[u8]) -> bool {
    let code = b"\"code\":\"unavailable\"";
    body.windows(code.len()).any(|words| words == code)
}

fn note(latency: &mut Histogram<u64>, since: Instant) {
    let micros = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    latency.saturating_record(micros);
}
