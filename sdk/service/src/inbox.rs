//! Copies of what other services own, kept up to date from their streams.
//!
//! A handler gets states, not changes: of every aggregate the highest version at hand. It applies a version that is
//! higher than the one it has and ignores the rest, so duplicates, reordering and gaps are harmless.

mod batch;
mod consumer;
mod durable;

use std::any::Any;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bigtix_contracts::events::{Aggregate, Envelope};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use crate::mongo::Mongo;
use crate::nats::Bus;

/// Why a handler did not apply its batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandlerError {
    /// It may work later: a store is away. The whole batch comes again, and nothing else is pulled until then.
    #[error("{0}")]
    Transient(String),
    /// One event can never be applied. It goes to the dead letters, and the rest of the batch comes again.
    #[error("event {id}: {reason}")]
    Poison {
        /// The envelope's id.
        id: String,
        /// Why not.
        reason: String,
    },
}

impl From<mongodb::error::Error> for HandlerError {
    fn from(error: mongodb::error::Error) -> Self {
        Self::Transient(error.to_string())
    }
}

/// A durable consumer of one producer's stream, and what to do with its events.
pub struct Subscription {
    topic: Topic,
    handler: Arc<dyn Handle>,
}

impl Subscription {
    /// Hands the events of `T` to `handler`, a batch at a time, under the durable name `consumer`, such as
    /// `orders-tickets`. All instances of a service share the consumer, so each event is handled by one of them.
    ///
    /// A batch has at most one event per aggregate. When the handler has answered `Ok`, the batch is acknowledged; it
    /// must not answer before its writes are.
    pub fn new<T, F, Fut>(consumer: &'static str, handler: F) -> Self
    where
        T: Aggregate,
        F: Fn(Vec<Envelope<T>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let topic = Topic {
            consumer,
            producer: T::PRODUCER,
            kind: T::KIND,
        };
        Self {
            topic,
            handler: Arc::new(Typed {
                handler,
                of: PhantomData::<fn(T)>,
            }),
        }
    }

    /// Runs until `shutdown`, finishing the batch that it has begun.
    ///
    /// It needs no watching: when a store is away, or the stream does not exist yet, it waits and goes on by itself.
    pub async fn run(self, mongo: Mongo, bus: Bus, shutdown: CancellationToken) {
        consumer::run(
            consumer::Consumer {
                topic: self.topic,
                handler: self.handler,
                mongo,
                bus,
            },
            shutdown,
        )
        .await;
    }
}

/// What a subscription is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Topic {
    pub(crate) consumer: &'static str,
    pub(crate) producer: &'static str,
    pub(crate) kind: &'static str,
}

/// An event whose type has been forgotten.
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) aggregate: String,
    pub(crate) version: i64,
    pub(crate) traceparent: Option<String>,
    envelope: Box<dyn Any + Send>,
}

/// A handler whose type has been forgotten.
pub(crate) trait Handle: Send + Sync {
    /// Reads a message; the error says what is wrong with it.
    fn decode(&self, payload: &[u8]) -> Result<Event, String>;

    /// Hands events to the handler.
    fn handle(&self, events: Vec<Event>) -> BoxFuture<'static, Result<(), HandlerError>>;
}

struct Typed<T, F> {
    handler: F,
    of: PhantomData<fn(T)>,
}

impl<T, F, Fut> Handle for Typed<T, F>
where
    T: Aggregate,
    F: Fn(Vec<Envelope<T>>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
{
    fn decode(&self, payload: &[u8]) -> Result<Event, String> {
        let envelope: Envelope<T> = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        Ok(Event {
            id: envelope.id.clone(),
            aggregate: envelope.data.id(),
            version: envelope.version,
            traceparent: envelope.traceparent.clone(),
            envelope: Box::new(envelope),
        })
    }

    fn handle(&self, events: Vec<Event>) -> BoxFuture<'static, Result<(), HandlerError>> {
        let envelopes = events
            .into_iter()
            .filter_map(|event| event.envelope.downcast::<Envelope<T>>().ok())
            .map(|envelope| *envelope);
        let handling = (self.handler)(envelopes.collect());
        // A panic must not end the consumer for good.
        let caught = AssertUnwindSafe(handling).catch_unwind();
        Box::pin(async move {
            caught
                .await
                .unwrap_or_else(|_| Err(HandlerError::Transient("the handler panicked".to_owned())))
        })
    }
}
