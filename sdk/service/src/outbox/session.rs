//! One instance's time as the relay: from having the lease to losing it, stopping or failing.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::publish::PublishAck;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::feed::Item;
use super::feeds::Feeds;
use super::pipeline::Pipeline;
use super::progress::{Positions, Progress, ProgressError};
use super::relay::lag;
use super::sequences::Sequences;
use super::stream::{Found, StreamError, Verdict, examine, settle};
use super::{Message, Source, publish};
use crate::lease::Held;
use crate::mongo::Mongo;
use crate::nats::{Bus, BusError};
use crate::trace;

/// Changes that may be under way at once.
const MOST_UNDER_WAY: usize = 1000;
/// How often progress is stored while messages arrive.
const SAVE_EVERY: Duration = Duration::from_millis(100);
/// How often the position is stored while nothing happens.
const SAVE_IDLE_EVERY: Duration = Duration::from_secs(10);
/// How often the stream is looked at although nothing seems wrong.
const EXAMINE_EVERY: Duration = Duration::from_secs(2);
/// Messages of others that are looked at one by one.
const MOST_STRANGERS: usize = 100;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum End {
    #[error("it was told to stop")]
    Stopped,
    #[error("the lease is lost")]
    LeaseLost,
    /// An acknowledgement proves that the stream lost messages, or an old version may stand for a newer one.
    #[error("the stream does not hold what was published")]
    StreamLost,
    /// The stream does not look as it did and has to be looked at again.
    #[error("the stream is not what it was")]
    StreamDiffers,
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("publishing failed: {0}")]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Store(#[from] mongodb::error::Error),
}

impl From<ProgressError> for End {
    fn from(error: ProgressError) -> Self {
        match error {
            ProgressError::Superseded => Self::LeaseLost,
            ProgressError::Driver(error) => Self::Store(error),
        }
    }
}

impl From<BusError> for End {
    fn from(error: BusError) -> Self {
        Self::Stream(error.into())
    }
}

/// What became of a message.
struct Arrival {
    subject: String,
    /// The highest sequence that had been acknowledged when it was sent.
    floor: u64,
    /// When the event was made; `None` for what a scan found, as its age says nothing about the relay.
    occurred_at: Option<Timestamp>,
    result: Result<PublishAck, PublishError>,
}

pub(crate) struct Session<'a> {
    bus: &'a Bus,
    source: &'a Source,
    held: &'a Held,
    progress: Progress,
    /// How far each database's changes were taken in.
    passed: Positions,
    pipeline: Pipeline<Positions>,
    arrivals: FuturesUnordered<BoxFuture<'static, Arrival>>,
    connections: watch::Receiver<u64>,
    sequences: Sequences,
    /// The stream's last sequence when it was last looked at.
    horizon: u64,
    /// Whether all that was under way then has arrived.
    calm: bool,
    unsaved: bool,
    saved_at: Instant,
    examined_at: Instant,
}

impl<'a> Session<'a> {
    /// Takes over the progress and mends the stream. `surely_lost` is cleared once that is done.
    pub(crate) async fn open(
        databases: &[Mongo],
        bus: &'a Bus,
        source: &'a Source,
        held: &'a Held,
        surely_lost: &mut bool,
    ) -> Result<Self, End> {
        let connections = bus.connections();
        let stream = bus.stream_name(source.producer);
        let mut progress = Progress::take_over(&databases[0], &stream, databases.len()).await?;
        settle(bus, source.producer, &mut progress, *surely_lost).await?;
        *surely_lost = false;
        tracing::info!(
            producer = source.producer,
            epoch = progress.known.epoch,
            resumes = progress.positions.iter().all(Option::is_some),
            "relaying"
        );
        let last = progress.known.sequence;
        Ok(Self {
            bus,
            source,
            held,
            passed: progress.positions.clone(),
            progress,
            sequences: Sequences::after(last),
            horizon: last,
            calm: false,
            pipeline: Pipeline::new(),
            arrivals: FuturesUnordered::new(),
            connections,
            unsaved: false,
            saved_at: Instant::now(),
            examined_at: Instant::now(),
        })
    }

    /// Publishes until something ends it.
    pub(crate) async fn run(
        mut self,
        databases: &[Mongo],
        source: &Arc<Source>,
        shutdown: &CancellationToken,
    ) -> End {
        let mut feeds = Feeds::begin(databases, source, &self.passed);
        let mut ticks = tokio::time::interval(SAVE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                biased;
                () = shutdown.cancelled() => return self.drain().await,
                () = self.held.lost().cancelled() => return End::LeaseLost,
                _ = ticks.tick() => self.tick().await,
                Some(arrival) = self.arrivals.next() => self.settle_arrival(arrival).await,
                item = feeds.next(), if self.pipeline.len() < MOST_UNDER_WAY => match item {
                    Ok((database, item)) => self.take(database, item).await,
                    Err(error) => Err(End::Store(error)),
                },
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn take(&mut self, database: usize, item: Item) -> Result<(), End> {
        let (document, scanned) = match item {
            Item::Scanned(document) => (document, true),
            Item::Changed(document) => (document, false),
            Item::Passed(position) => {
                self.passed[database] = Some(position);
                self.pipeline.pass(self.passed.clone());
                return Ok(());
            }
        };
        match (self.source.read)(&document) {
            Ok(message) => match self.pipeline.offer(message) {
                Some(message) => self.send(message, scanned).await,
                None => Ok(()),
            },
            Err(error) => {
                self.refuse(&format!("{:?}", document.get("_id")), &error);
                Ok(())
            }
        }
    }

    async fn send(&mut self, message: Message, scanned: bool) -> Result<(), End> {
        if !self.held.is_valid() {
            return Err(End::LeaseLost);
        }
        let subject = message.subject.clone();
        let occurred_at = (!scanned).then_some(message.occurred_at);
        let floor = self.progress.known.sequence;
        let span = tracing::debug_span!("publish", id = message.id);
        if let Some(traceparent) = &message.traceparent {
            trace::go_on(&span, traceparent);
        }
        match publish(self.bus, message, self.progress.known.epoch)
            .instrument(span)
            .await
        {
            Ok(ack) => {
                self.arrivals.push(Box::pin(async move {
                    Arrival {
                        subject,
                        floor,
                        occurred_at,
                        result: ack.await,
                    }
                }));
                Ok(())
            }
            // It can never be published, and must not keep all others from it.
            Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                self.refuse(&subject, &error);
                match self.pipeline.arrived(&subject) {
                    Some(next) => Box::pin(self.send(next, scanned)).await,
                    None => Ok(()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn refuse(&self, what: &str, error: &dyn std::fmt::Display) {
        metrics::counter!("bigtix_relay_refused_total", "producer" => self.source.producer).increment(1);
        tracing::error!(producer = self.source.producer, what, %error, "a document cannot be published");
    }

    async fn settle_arrival(&mut self, arrival: Arrival) -> Result<(), End> {
        let Arrival {
            subject,
            floor,
            occurred_at,
            result,
        } = arrival;
        let ack = result?;
        let known = &mut self.progress.known;
        if !ack.duplicate {
            // Sequences only grow; a new message below one that was acknowledged before means that the stream forgot.
            if ack.sequence <= floor {
                tracing::warn!(
                    sequence = ack.sequence,
                    floor,
                    "the stream counts from a lower sequence again"
                );
                return Err(End::StreamLost);
            }
            known.sequence = known.sequence.max(ack.sequence);
            self.sequences.note(ack.sequence);
        }
        self.calm |= self.arrivals.is_empty();
        metrics::counter!("bigtix_relay_published_total", "producer" => self.source.producer).increment(1);
        if let Some(occurred_at) = occurred_at {
            let age = Timestamp::now()
                .duration_since(occurred_at)
                .as_secs_f64()
                .max(0.0);
            lag(self.source.producer, age);
        }
        self.unsaved = true;
        match self.pipeline.arrived(&subject) {
            Some(next) => self.send(next, false).await,
            None => Ok(()),
        }
    }

    async fn tick(&mut self) -> Result<(), End> {
        let reconnected = self.connections.has_changed().unwrap_or(false);
        if reconnected || (self.examined_at.elapsed() >= EXAMINE_EVERY && self.bus.is_connected_now()) {
            self.connections.mark_unchanged();
            self.examine().await?;
        }
        if self.unsaved || self.saved_at.elapsed() >= SAVE_IDLE_EVERY {
            self.save().await?;
        }
        Ok(())
    }

    async fn examine(&mut self) -> Result<(), End> {
        let stream = self.bus.stream_name(self.source.producer);
        let found = self.bus.stream_info(&stream).await?.as_ref().map(Found::from);
        let Some(found) = found.filter(|found| examine(&self.progress.known, Some(found)) == Verdict::Same)
        else {
            return Err(End::StreamDiffers);
        };
        self.progress.known.messages = found.messages;
        if self.calm || self.arrivals.is_empty() {
            self.look_for_strangers(&stream).await?;
            self.horizon = found.last_sequence;
            self.calm = self.arrivals.is_empty();
        }
        self.examined_at = Instant::now();
        Ok(())
    }

    /// A message that is not ours and was not overtaken may be an old version in the place of the newest.
    async fn look_for_strangers(&mut self, stream: &str) -> Result<(), End> {
        let strangers = self.sequences.strangers(self.horizon);
        for (count, sequence) in strangers.into_iter().enumerate() {
            if count == MOST_STRANGERS || self.bus.has_message(stream, sequence).await? {
                tracing::warn!(
                    stream,
                    sequence,
                    "somebody else has published; publishing everything again"
                );
                return Err(End::StreamLost);
            }
        }
        Ok(())
    }

    async fn save(&mut self) -> Result<(), End> {
        if let Some(positions) = self.pipeline.take_safe() {
            self.progress.positions = positions;
        }
        self.progress.save().await?;
        if self.pipeline.is_empty() {
            lag(self.source.producer, 0.0);
        }
        self.unsaved = false;
        self.saved_at = Instant::now();
        Ok(())
    }

    /// Waits for what is under way, so that the next one need not publish it again.
    async fn drain(mut self) -> End {
        let arrivals = async {
            while let Some(arrival) = self.arrivals.next().await {
                let Ok(ack) = arrival.result else { break };
                if !ack.duplicate {
                    self.progress.known.sequence = self.progress.known.sequence.max(ack.sequence);
                }
                self.pipeline.arrived(&arrival.subject);
            }
        };
        if tokio::time::timeout(DRAIN_TIMEOUT, arrivals).await.is_err() {
            tracing::debug!(producer = self.source.producer, "messages were still under way");
        }
        if let Err(error) = self.save().await {
            tracing::debug!(%error, "the relay's progress could not be stored");
        }
        End::Stopped
    }
}
