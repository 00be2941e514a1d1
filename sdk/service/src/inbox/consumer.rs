//! The loop that pulls.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::consumer::pull::Batch;
use futures::{FutureExt, StreamExt};
use tokio_util::sync::CancellationToken;

use super::batch::{give_back, process};
use super::durable::{AttachError, Durable};
use super::{Handle, HandlerError, Topic};
use crate::crowd::Rests;
use crate::dead_letters::{self, DeadLetter};
use crate::mongo::Mongo;
use crate::nats::backoff::Backoff;
use crate::nats::{Bus, BusError};

const FETCH: usize = 1000;
/// How long a batch waits for messages that the server has sent and that are on their way.
const ON_THEIR_WAY: Duration = Duration::from_millis(50);
/// With so many messages left, a second of a rush, a consumer is behind and does not rest.
const BEHIND: u64 = 5000;
/// How long the server keeps a request for messages; after it the consumer is looked at.
const FETCH_EXPIRES: Duration = Duration::from_secs(3);
/// The first event of a quiet time is applied at once; those that come within the rest after it share one write.
const RESTS: Rests = Rests {
    calm: Duration::from_millis(20),
    crowded: Duration::from_millis(100),
};
const REPLAY_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Consumer {
    pub(crate) topic: Topic,
    pub(crate) handler: Arc<dyn Handle>,
    pub(crate) mongo: Mongo,
    pub(crate) bus: Bus,
}

/// Why pulling was interrupted.
enum Pause {
    /// It was told to stop.
    Stopped,
    /// The connection, the consumer or the stream is another one.
    Reattach,
    Failed(AttachError),
}

impl From<AttachError> for Pause {
    fn from(error: AttachError) -> Self {
        Self::Failed(error)
    }
}

pub(crate) async fn run(consumer: Consumer, shutdown: CancellationToken) {
    dead_letters::count_from_nothing(consumer.topic.consumer);
    tokio::join!(pull(&consumer, &shutdown), replay(&consumer, &shutdown));
    consumer.bus.flush().await;
    tracing::debug!(consumer = consumer.topic.consumer, "the consumer has stopped");
}

async fn pull(consumer: &Consumer, shutdown: &CancellationToken) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
    let mut waits_for_stream = false;
    loop {
        match attached(consumer, shutdown, &mut backoff).await {
            Pause::Stopped => return,
            Pause::Reattach => tracing::info!(consumer = consumer.topic.consumer, "attaching anew"),
            Pause::Failed(AttachError::NoStream(stream)) => {
                if !waits_for_stream {
                    tracing::info!(
                        consumer = consumer.topic.consumer,
                        stream,
                        "waiting for the stream"
                    );
                }
                waits_for_stream = true;
            }
            Pause::Failed(error) => {
                tracing::warn!(consumer = consumer.topic.consumer, %error, "the consumer pauses")
            }
        }
        if shutdown
            .run_until_cancelled(tokio::time::sleep(backoff.next()))
            .await
            .is_none()
        {
            return;
        }
    }
}

/// Attaches and pulls until something is different.
async fn attached(consumer: &Consumer, shutdown: &CancellationToken, backoff: &mut Backoff) -> Pause {
    let attach = async {
        consumer.bus.connected().await;
        let connections = consumer.bus.connections();
        Durable::attach(&consumer.bus, &consumer.topic)
            .await
            .map(|durable| (durable, connections))
    };
    let (durable, mut connections) = match shutdown.run_until_cancelled(attach).await {
        None => return Pause::Stopped,
        Some(Err(error)) => return error.into(),
        Some(Ok(attached)) => attached,
    };
    tracing::info!(consumer = consumer.topic.consumer, "consuming");
    loop {
        let fetch = durable
            .consumer
            .batch()
            .max_messages(FETCH)
            .expires(FETCH_EXPIRES)
            .messages();
        let mut fetched = match fetch.await {
            Ok(fetched) => fetched,
            Err(error) => return AttachError::from(BusError::request("pulling", error)).into(),
        };
        let mut idle = true;
        loop {
            let first = tokio::select! {
                biased;
                () = shutdown.cancelled() => {
                    give_back(&ready(&mut fetched, FETCH).0).await;
                    return Pause::Stopped;
                }
                _ = connections.changed() => return Pause::Reattach,
                first = fetched.next() => first,
            };
            let Some(first) = first else { break };
            let first = match first {
                Ok(message) => message,
                Err(error) => {
                    tracing::debug!(consumer = consumer.topic.consumer, %error, "the pull ended");
                    return Pause::Reattach;
                }
            };
            idle = false;
            backoff.reset();
            let (rest, broken) = gather(&mut fetched, &first).await;
            let messages: Vec<jetstream::Message> = std::iter::once(first).chain(rest).collect();
            let pending = note_pending(consumer, &messages);
            process(consumer, messages, shutdown).await;
            if broken {
                return Pause::Reattach;
            }
            if pending >= BEHIND {
                continue;
            }
            // Told to stop, the next turn of this loop gives back what has come.
            shutdown
                .run_until_cancelled(tokio::time::sleep(RESTS.length()))
                .await;
        }
        if idle {
            match shutdown.run_until_cancelled(durable.pending(&consumer.bus)).await {
                None => return Pause::Stopped,
                Some(Ok(Some(pending))) => {
                    backoff.reset();
                    set_pending(consumer, pending);
                }
                Some(Ok(None)) => return Pause::Reattach,
                Some(Err(error)) => return error.into(),
            }
        }
    }
}

/// What comes after `first` in its pull, as far as the server had it then, and whether the pull broke.
///
/// A thousand messages arrive in portions, and a write of a portion costs nearly as much as a write of all.
async fn gather(fetched: &mut Batch, first: &jetstream::Message) -> (Vec<jetstream::Message>, bool) {
    let there = first.info().map_or(0, |info| info.pending);
    let there = usize::try_from(there).unwrap_or(usize::MAX).min(FETCH - 1);
    let mut messages = Vec::new();
    let arriving = async {
        while messages.len() < there {
            match fetched.next().await {
                Some(Ok(message)) => messages.push(message),
                Some(Err(_)) => return true,
                None => break,
            }
        }
        false
    };
    if tokio::time::timeout(ON_THEIR_WAY, arriving).await == Ok(true) {
        return (messages, true);
    }
    let (since, broken) = ready(fetched, FETCH - 1 - messages.len());
    messages.extend(since);
    (messages, broken)
}

/// What has arrived already, at most `most`, and whether the pull broke.
fn ready(fetched: &mut Batch, most: usize) -> (Vec<jetstream::Message>, bool) {
    let mut messages = Vec::new();
    while messages.len() < most {
        match fetched.next().now_or_never() {
            Some(Some(Ok(message))) => messages.push(message),
            Some(Some(Err(_))) => return (messages, true),
            Some(None) | None => break,
        }
    }
    (messages, false)
}

/// How many more there are; zero when nobody knows.
fn note_pending(consumer: &Consumer, messages: &[jetstream::Message]) -> u64 {
    let Some(Ok(info)) = messages.last().map(|message| message.info()) else {
        return 0;
    };
    set_pending(consumer, info.pending);
    info.pending
}

fn set_pending(consumer: &Consumer, pending: u64) {
    metrics::gauge!("bigtix_consumer_pending", "consumer" => consumer.topic.consumer).set(pending as f64);
}

/// Tries again what somebody marked among the dead letters.
async fn replay(consumer: &Consumer, shutdown: &CancellationToken) {
    loop {
        if shutdown
            .run_until_cancelled(tokio::time::sleep(REPLAY_EVERY))
            .await
            .is_none()
        {
            return;
        }
        match dead_letters::to_replay(&consumer.mongo, consumer.topic.consumer).await {
            Ok(letters) => {
                for letter in letters {
                    if let Err(error) = replay_one(consumer, &letter).await {
                        tracing::warn!(letter = letter.id, %error, "a dead letter has to wait");
                    }
                }
            }
            Err(error) => {
                tracing::debug!(consumer = consumer.topic.consumer, %error, "the dead letters could not be read")
            }
        }
    }
}

async fn replay_one(consumer: &Consumer, letter: &DeadLetter) -> Result<(), HandlerError> {
    let failure = match consumer.handler.decode(&letter.event) {
        Err(reason) => reason,
        Ok(event) => match consumer.handler.handle(vec![event]).await {
            Ok(()) => {
                dead_letters::discard(&consumer.mongo, &letter.id).await?;
                tracing::info!(letter = letter.id, "a dead letter was replayed");
                return Ok(());
            }
            Err(HandlerError::Poison { reason, .. }) => reason,
            Err(error @ HandlerError::Transient(_)) => return Err(error),
        },
    };
    dead_letters::failed_again(&consumer.mongo, &letter.id, &failure).await?;
    Ok(())
}
