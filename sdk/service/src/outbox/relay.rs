//! Who relays: one instance at a time, the others stand by.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Source;
use super::session::{End, Session};
use crate::lease::{Held, Lease};
use crate::mongo::Mongo;
use crate::nats::Bus;
use crate::nats::backoff::Backoff;

/// How often an instance that stands by looks for its chance.
const STANDBY: Duration = Duration::from_millis(500);
const RELEASE_TIMEOUT: Duration = Duration::from_secs(1);
/// A session that lasted this long was no failure.
const HEALTHY: Duration = Duration::from_secs(10);

/// Publishes what an [`super::Outbox`] holds.
pub struct Relay {
    source: Arc<Source>,
    /// The first one has the lease and the progress, too.
    databases: Vec<Mongo>,
    bus: Bus,
}

impl Relay {
    pub(crate) fn new(source: Arc<Source>, mongo: Mongo, bus: Bus) -> Self {
        Self {
            source,
            databases: vec![mongo],
            bus,
        }
    }

    /// Publishes what is in these databases as well. They are known by their places in the list from then on.
    #[must_use]
    pub fn and_from(mut self, further: impl IntoIterator<Item = Mongo>) -> Self {
        self.databases.extend(further);
        self
    }

    /// Runs until `shutdown`; on the way out it hands the lease to whoever stands by.
    ///
    /// It needs no watching: when a store is away it waits and goes on by itself.
    pub async fn run(self, shutdown: CancellationToken) {
        let lease = Lease::new(
            &self.databases[0],
            format!("relay-{}", self.bus.stream_name(self.source.producer)),
        );
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        let mut surely_lost = false;
        while let Some(held) = shutdown.run_until_cancelled(self.take(&lease)).await {
            let began = Instant::now();
            let end = self.relay(&held, &shutdown, &mut surely_lost).await;
            if !matches!(end, End::LeaseLost) {
                release(held).await;
            }
            // What is late from now on is for the next holder of the lease to tell.
            lag(self.source.producer, 0.0);
            match end {
                End::Stopped => break,
                end => tracing::warn!(producer = self.source.producer, reason = %end, "the relay pauses"),
            }
            if began.elapsed() >= HEALTHY {
                backoff.reset();
            }
            if shutdown
                .run_until_cancelled(tokio::time::sleep(backoff.next()))
                .await
                .is_none()
            {
                break;
            }
        }
        tracing::debug!(producer = self.source.producer, "the relay has stopped");
    }

    /// Waits for the bus, since who cannot publish should not have the lease, and then for the lease.
    async fn take(&self, lease: &Lease) -> Held {
        loop {
            self.bus.connected().await;
            match lease.acquire().await {
                Ok(Some(held)) => return held,
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "the relay's lease cannot be had"),
            }
            tokio::time::sleep(STANDBY).await;
        }
    }

    async fn relay(&self, held: &Held, shutdown: &CancellationToken, surely_lost: &mut bool) -> End {
        loop {
            let session =
                match Session::open(&self.databases, &self.bus, &self.source, held, surely_lost).await {
                    Ok(session) => session,
                    Err(end) => return end,
                };
            match session.run(&self.databases, &self.source, shutdown).await {
                End::StreamLost => *surely_lost = true,
                End::StreamDiffers => {}
                end => return end,
            }
        }
    }
}

/// By how much what is published comes late.
pub(super) fn lag(producer: &'static str, seconds: f64) {
    metrics::gauge!("bigtix_relay_lag_seconds", "producer" => producer).set(seconds);
}

async fn release(held: Held) {
    match tokio::time::timeout(RELEASE_TIMEOUT, held.release()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the relay's lease runs out by itself"),
        Err(_) => tracing::debug!("the relay's lease runs out by itself"),
    }
}
