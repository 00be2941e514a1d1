//! What the service does, one verb a module.

pub(crate) mod claim_ticket;
pub(crate) mod counter;
mod dispatch;
mod find_order;
mod partition;
pub(crate) mod place_any;
pub(crate) mod place_order;
pub(crate) mod place_partial;
pub(crate) mod second_look;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::adapters::{Orders, Places};
use crate::domain::partition::Partitioner;

pub(crate) use partition::{Partition, open_partition};

/// The shop's rules about orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// How long a created order holds its tickets.
    pub(crate) reservation: Duration,
    /// How many unpaid tickets one buyer may hold.
    pub(crate) max_held: usize,
}

/// The use cases, each of which is one of some partition.
pub(crate) struct App {
    partitioner: Partitioner,
    /// By their ids; at least one.
    partitions: Arc<[Partition]>,
    places: Places,
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
