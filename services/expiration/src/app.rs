//! Arming and firing timers.
//!
//! The store is the truth; the sorted set in Redis only makes finding what is due cheap and prompt. When Redis is away
//! or was emptied, timers are found in the store a little later.

use std::time::Duration;

use bigtix_contracts::OrderId;
use bigtix_contracts::events::{OrderState, TimerState};
use bigtix_service::clock::StoreClock;
use bigtix_service::redis::SortedSet;
use mongodb::error::Error;
use tokio_util::sync::CancellationToken;

use crate::adapters::Timers;
use crate::domain::timers;

/// How often Redis is asked what is due.
const HINT_PERIOD: Duration = Duration::from_millis(50);
/// Every this many rounds the store is asked itself, whatever Redis says.
const ROUNDS_PER_SCAN: u32 = 10;
/// The most timers of one round.
const ROUND: usize = 500;
/// What falls due later than this need not be hinted at again.
const SOON: Duration = Duration::from_secs(10);

/// The use cases, and what they need.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) timers: Timers,
    pub(crate) due: SortedSet,
    pub(crate) clock: StoreClock,
}

impl App {
    /// Takes in what became of orders.
    pub(crate) async fn follow_orders(&self, orders: &[OrderState]) -> Result<(), Error> {
        let timers = timers(orders);
        if timers.is_empty() {
            return Ok(());
        }
        self.timers.arm(&timers).await?;
        self.hint(&timers).await;
        Ok(())
    }

    /// Fires what is due, until told to stop.
    pub(crate) async fn fire_timers(self, stop: CancellationToken) {
        let mut round = 0_u32;
        while stop
            .run_until_cancelled(tokio::time::sleep(HINT_PERIOD))
            .await
            .is_some()
        {
            let outcome = match self.hinted().await {
                Some(names) if !round.is_multiple_of(ROUNDS_PER_SCAN) => self.fire(&names).await,
                Some(_) | None => self.fire_stored().await,
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "timers could not be fired");
            }
            round = round.wrapping_add(1);
        }
    }

    async fn fire(&self, names: &[OrderId]) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let fired = self.timers.fire(names).await?;
        metrics::counter!("bigtix_timers_fired_total").increment(fired);
        self.forget(names).await;
        Ok(())
    }

    /// Fires what the store knows to be due, and hints at what comes soon.
    async fn fire_stored(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let armed = self
            .timers
            .armed(now + SOON, i64::try_from(ROUND).unwrap_or(i64::MAX))
            .await?;
        let (due, later): (Vec<_>, Vec<_>) = armed.into_iter().partition(|timer| timer.due_at <= now);
        self.hint(&later).await;
        let due: Vec<_> = due.iter().map(|timer| timer.order_id).collect();
        self.fire(&due).await
    }

    /// What Redis knows to be due; `None` when it is away.
    async fn hinted(&self) -> Option<Vec<OrderId>> {
        let members = self
            .due
            .up_to(self.clock.now().as_millisecond(), ROUND)
            .await
            .ok()?;
        Some(members.iter().filter_map(|member| member.parse().ok()).collect())
    }

    async fn hint(&self, timers: &[TimerState]) {
        let members: Vec<(String, i64)> = timers
            .iter()
            .map(|timer| (timer.order_id.to_string(), timer.due_at.as_millisecond()))
            .collect();
        if !members.is_empty()
            && let Err(error) = self.due.add(&members).await
        {
            tracing::debug!(%error, "Redis took no hint; the store will be asked");
        }
    }

    async fn forget(&self, names: &[OrderId]) {
        let members: Vec<String> = names.iter().map(ToString::to_string).collect();
        if let Err(error) = self.due.remove(&members).await {
            tracing::debug!(%error, "Redis keeps a hint too long; firing twice is harmless");
        }
    }
}
