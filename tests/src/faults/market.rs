//! What the people of a run know in common: who they are, what is on sale, what was sold, what is not known yet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bigtix_contracts::{EventId, OrderId, TicketId};

use super::asker::{Account, Request};

/// So many tickets are fought over at a time.
const WANTED: usize = 24;

/// Common knowledge.
pub struct Market {
    /// What every ticket is for.
    pub event: EventId,
    stopped: AtomicBool,
    on_sale: Mutex<Vec<TicketId>>,
    sold: Mutex<Vec<OrderId>>,
    unresolved: Mutex<Vec<(Account, Request)>>,
}

impl Market {
    /// Nothing is on sale yet.
    #[must_use]
    pub fn new(event: EventId) -> Self {
        Self {
            event,
            stopped: AtomicBool::new(false),
            on_sale: Mutex::default(),
            sold: Mutex::default(),
            unresolved: Mutex::default(),
        }
    }

    /// Nobody begins anything any more, or may again.
    pub fn stop(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::Relaxed);
    }

    /// Whether nobody is to begin anything.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether more should be listed.
    #[must_use]
    pub fn is_short(&self) -> bool {
        lock(&self.on_sale).len() < WANTED
    }

    /// Tickets are on sale.
    pub fn offer(&self, tickets: impl IntoIterator<Item = TicketId>) {
        lock(&self.on_sale).extend(tickets);
    }

    /// A ticket that somebody may want, by a number.
    #[must_use]
    pub fn ticket(&self, number: usize) -> Option<TicketId> {
        let on_sale = lock(&self.on_sale);
        // The oldest ones go first, so that everybody wants the same few.
        let wanted = on_sale.len().min(WANTED);
        on_sale.get(number.checked_rem(wanted)?).copied()
    }

    /// A ticket is gone.
    pub fn take_off(&self, ticket: TicketId) {
        lock(&self.on_sale).retain(|each| *each != ticket);
    }

    /// An order is complete.
    pub fn sell(&self, order: OrderId) {
        lock(&self.sold).push(order);
    }

    /// A complete order, once.
    #[must_use]
    pub fn sold(&self, number: usize) -> Option<OrderId> {
        let mut sold = lock(&self.sold);
        let place = number.checked_rem(sold.len())?;
        Some(sold.swap_remove(place))
    }

    /// A request whose outcome nobody knows.
    pub fn leave_open(&self, who: Account, request: Request) {
        lock(&self.unresolved).push((who, request));
    }

    /// All such requests, once.
    #[must_use]
    pub fn unresolved(&self) -> Vec<(Account, Request)> {
        std::mem::take(&mut lock(&self.unresolved))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
