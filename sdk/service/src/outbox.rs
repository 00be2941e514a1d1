//! The document is its own outbox: whoever changes it raises its `version` in the same update, and the relay publishes
//! the whole state it finds. Nothing but the relay publishes.
//!
//! The relay tails a change stream, so it can start where it stopped; it keeps one document about its progress and
//! nothing per aggregate. It may publish the same version more than once and may leave out versions that were overtaken,
//! but the newest version of every aggregate reaches the stream at last, whatever fails and wherever it fails.

mod feed;
mod feeds;
mod pipeline;
mod progress;
mod relay;
mod sequences;
mod session;
mod stream;

use std::sync::Arc;

use async_nats::jetstream::context::PublishAckFuture;
use bigtix_contracts::events::{Aggregate, Envelope};
use bson::{Document, RawDocument};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::mongo::Mongo;
use crate::nats::Bus;

pub use progress::{COLLECTION, without_its_stream};
pub use relay::Relay;
pub(crate) use stream::nanoseconds;

/// The document does not hold what the event needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// Where a service keeps the aggregates of one kind, and how a document becomes an event.
///
/// A service has one outbox, because the stream is its own: with two relays, each would take the other's for lost. Where its
/// aggregates are spread over several databases, one relay reads all of them.
pub struct Outbox<D, T: Aggregate> {
    /// The collection.
    pub collection: &'static str,
    /// Which of its documents are aggregates, such as `{kind: "order"}`; equality, `$and`, `$or` and `$nor` of fields.
    pub filter: Document,
    /// The event that says what the document says.
    pub read: fn(&D) -> Result<Envelope<T>, ReadError>,
}

impl<D: DeserializeOwned + 'static, T: Aggregate> Outbox<D, T> {
    /// The task that publishes what is in the collection.
    pub fn relay(self, mongo: Mongo, bus: Bus) -> Relay {
        let read = self.read;
        let source = Source {
            producer: T::PRODUCER,
            collection: self.collection,
            filter: self.filter,
            read: Box::new(move |document| {
                let document: D = bson::deserialize_from_slice(document.as_bytes())
                    .map_err(|error| ReadError(error.to_string()))?;
                Message::from_envelope(&read(&document)?)
            }),
        };
        Relay::new(Arc::new(source), mongo, bus)
    }
}

type Read = Box<dyn Fn(&RawDocument) -> Result<Message, ReadError> + Send + Sync>;

/// An [`Outbox`] whose type has been forgotten.
pub(crate) struct Source {
    pub(crate) producer: &'static str,
    pub(crate) collection: &'static str,
    pub(crate) filter: Document,
    pub(crate) read: Read,
}

/// An event on its way to the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) version: i64,
    pub(crate) occurred_at: Timestamp,
    pub(crate) traceparent: Option<String>,
    pub(crate) payload: Vec<u8>,
}

impl Message {
    fn from_envelope<T: Aggregate>(envelope: &Envelope<T>) -> Result<Self, ReadError> {
        Ok(Self {
            id: envelope.id.clone(),
            subject: envelope.subject(),
            version: envelope.version,
            occurred_at: envelope.occurred_at,
            traceparent: envelope.traceparent.clone(),
            payload: serde_json::to_vec(envelope).map_err(|error| ReadError(error.to_string()))?,
        })
    }

    /// What the stream recognises duplicates by. After a loss the same version must not count as one.
    fn message_id(&self, epoch: i64) -> String {
        if epoch == 0 {
            self.id.clone()
        } else {
            format!("{}:e{epoch}", self.id)
        }
    }
}

/// Hands `message` to the client and returns a wait for the stream's acknowledgement.
async fn publish(
    bus: &Bus,
    message: Message,
    epoch: i64,
) -> Result<PublishAckFuture, async_nats::jetstream::context::PublishError> {
    let id = message.message_id(epoch);
    let outbound = async_nats::jetstream::message::PublishMessage::build()
        .message_id(id)
        .payload(message.payload.into());
    bus.jetstream()
        .send_publish(bus.subject(&message.subject), outbound)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_republished_version_has_an_id_of_its_own() {
        let message = Message {
            id: "tickets:1:3".to_owned(),
            subject: "tickets.ticket.1".to_owned(),
            version: 3,
            occurred_at: Timestamp::UNIX_EPOCH,
            traceparent: None,
            payload: Vec::new(),
        };
        assert_eq!(message.message_id(0), "tickets:1:3");
        assert_eq!(message.message_id(2), "tickets:1:3:e2");
    }
}
