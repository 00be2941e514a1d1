//! What the service does, one verb a module.

pub(crate) mod claim_ticket;
pub(crate) mod counter;
pub(crate) mod place_any;
pub(crate) mod place_order;
pub(crate) mod place_partial;
pub(crate) mod second_look;
pub(crate) mod settle_order;

use std::time::Duration;

use bigtix_service::clock::StoreClock;
use tokio_util::sync::CancellationToken;

use crate::adapters::{Claims, Copies, Orders};
use counter::Counter;
use place_any::Pools;
use second_look::SecondLook;

/// The shop's rules about orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How long a created order holds its tickets.
    pub(crate) reservation: Duration,
    /// How many unpaid tickets one buyer may hold.
    pub(crate) max_held: usize,
}

/// The use cases, and what they need.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) claims: Claims,
    pub(crate) copies: Copies,
    pub(crate) orders: Orders,
    pub(crate) second_look: SecondLook,
    pub(crate) clock: StoreClock,
    pub(crate) counter: Counter,
    pub(crate) pools: Pools,
}

/// How often overdue orders are looked for.
const SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// Expires overdue orders every second; one of three drivers of expiry, and the one that needs nothing but the store.
pub(crate) async fn sweep_orders(orders: Orders, stop: CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(SWEEP_PERIOD))
        .await
        .is_some()
    {
        match orders.sweep().await {
            Ok(0) => {}
            Ok(expired) => metrics::counter!("bigtix_orders_expired_total").increment(expired),
            Err(error) => tracing::warn!(%error, "overdue orders could not be looked for"),
        }
    }
}
