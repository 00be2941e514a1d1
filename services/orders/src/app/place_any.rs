//! Placing an order of any free tickets of an event, the cheapest first.
//!
//! A pool of free tickets per event proposes, the unique index decides. A pool may be wrong in both directions, so
//! "Sold out" is answered only after the owner of the tickets and the claims have been read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bigtix_contracts::events::{OrderState, TicketState, Versioned};
use bigtix_contracts::{Cents, TicketId, UserId};
use moka::sync::Cache;
use tokio::sync::Mutex;

use super::Partition;
use super::place_order::{PlaceError, Wish};
use crate::domain::quote::Rejection;

/// How many events have a pool at once.
const POOLS: u64 = 1_000;
/// After this long a pool is filled anew, so that a cheaper ticket that came back is found.
const FRESH: Duration = Duration::from_secs(1);
/// A pool is left alone for at least so many times as long as it took to fill, which is long where an event has many tickets.
const FILLINGS_APART: u32 = 20;
/// How often a buyer may be outrun for a ticket before being told to try again.
const ATTEMPTS: usize = 200;

/// Free tickets of one event as lately known.
#[derive(Debug, Default)]
struct Pool {
    filled: Option<Instant>,
    /// How long that took.
    took: Duration,
    fillings: u64,
    free_when_filled: usize,
    free: BTreeSet<(Cents, TicketId)>,
    sellers: HashMap<TicketId, UserId>,
}

/// Pools by event.
#[derive(Clone)]
pub(crate) struct Pools(Cache<String, Arc<Mutex<Pool>>>);

impl Pools {
    /// No pool yet.
    pub(crate) fn new() -> Self {
        Self(Cache::new(POOLS))
    }

    fn of(&self, event: &str) -> Arc<Mutex<Pool>> {
        self.0.get_with(event.to_owned(), Arc::default)
    }
}

impl Pool {
    fn fill(&mut self, tickets: &[Arc<Versioned<TicketState>>], held: &HashSet<TicketId>, began: Instant) {
        let free = tickets
            .iter()
            .map(|ticket| &ticket.state)
            .filter(|ticket| !ticket.withdrawn && !held.contains(&ticket.id));
        self.free = free.map(|ticket| (ticket.price, ticket.id)).collect();
        self.sellers = tickets
            .iter()
            .map(|ticket| (ticket.state.id, ticket.state.user_id))
            .collect();
        self.filled = Some(Instant::now());
        self.took = began.elapsed();
        self.fillings += 1;
        self.free_when_filled = self.free.len();
    }

    /// Takes the `quantity` cheapest that are not the buyer's own, or none.
    fn take(&mut self, quantity: usize, buyer: UserId) -> Option<Vec<(Cents, TicketId)>> {
        let others = self
            .free
            .iter()
            .filter(|(_, id)| self.sellers.get(id) != Some(&buyer));
        let taken: Vec<(Cents, TicketId)> = others.take(quantity).copied().collect();
        if taken.len() < quantity {
            return None;
        }
        for ticket in &taken {
            self.free.remove(ticket);
        }
        Some(taken)
    }

    fn put_back(&mut self, tickets: impl IntoIterator<Item = (Cents, TicketId)>) {
        self.free.extend(tickets);
    }

    fn is_fresh(&self) -> bool {
        let fresh = FRESH.max(self.took * FILLINGS_APART);
        self.filled.is_some_and(|filled| filled.elapsed() < fresh)
    }
}

impl Partition {
    /// Places `wish` (whose tickets are not chosen yet) on the `quantity` cheapest free tickets of `event`.
    pub(crate) async fn place_any(
        &self,
        wish: Wish,
        event: &str,
        quantity: usize,
    ) -> Result<Versioned<OrderState>, PlaceError> {
        if let Some(order) = self.placed_before(&wish).await? {
            return Ok(order);
        }
        let pool = self.pools.of(event);
        for _ in 0..ATTEMPTS {
            let taken = self.propose(&pool, event, quantity, wish.buyer).await?;
            let tickets = taken.iter().map(|(_, id)| *id).collect();
            match self
                .place_order(Wish {
                    tickets,
                    ..wish.clone()
                })
                .await
            {
                Err(PlaceError::Rejected(Rejection::Reserved(gone) | Rejection::NotForSale(gone))) => {
                    pool.lock()
                        .await
                        .put_back(taken.into_iter().filter(|(_, id)| *id != gone));
                }
                Ok(order) => return Ok(order),
                Err(error) => {
                    pool.lock().await.put_back(taken);
                    return Err(error);
                }
            }
        }
        Err(PlaceError::Unavailable(
            "The event's tickets change hands too often".into(),
        ))
    }

    async fn propose(
        &self,
        pool: &Mutex<Pool>,
        event: &str,
        quantity: usize,
        buyer: UserId,
    ) -> Result<Vec<(Cents, TicketId)>, PlaceError> {
        let asked = {
            let mut pool = pool.lock().await;
            if pool.is_fresh()
                && let Some(taken) = pool.take(quantity, buyer)
            {
                return Ok(taken);
            }
            pool.fillings
        };
        let mut pool = pool.lock().await;
        // Whoever fills holds the lock, so a filling that was counted meanwhile was read wholly after this buyer asked.
        if pool.fillings == asked {
            self.fill(&mut pool, event).await?;
        }
        if let Some(taken) = pool.take(quantity, buyer) {
            return Ok(taken);
        }
        // What others were given since may yet come back; what was not free when it was read will not.
        if pool.free_when_filled >= quantity {
            self.fill(&mut pool, event).await?;
        }
        pool.take(quantity, buyer)
            .ok_or_else(|| Rejection::SoldOut.into())
    }

    /// Reads what is free from the owner of the tickets and from the claims.
    async fn fill(&self, pool: &mut Pool, event: &str) -> Result<(), PlaceError> {
        let began = Instant::now();
        let tickets = self
            .copies
            .read_event(event)
            .await?
            .ok_or(Rejection::EventNotFound)?;
        let ids: Vec<TicketId> = tickets.iter().map(|ticket| ticket.state.id).collect();
        let held = self.held_of(&ids).await?;
        pool.fill(&tickets, &held, began);
        Ok(())
    }
}
