//! The consumer as the server keeps it, and whether it can still be trusted.

use std::time::Duration;

use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, Info, PullConsumer};
use async_nats::jetstream::context::ConsumerInfoErrorKind;

use super::Topic;
use crate::nats::{Bus, BusError};
use crate::outbox::nanoseconds;

const ACK_WAIT: Duration = Duration::from_secs(30);
const MOST_UNACKNOWLEDGED: i64 = 2000;

/// What stands between us and the messages.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    #[error("the stream {0} does not exist yet")]
    NoStream(String),
    #[error(transparent)]
    Bus(#[from] BusError),
}

/// A consumer of a certain stream.
pub(crate) struct Durable {
    pub(crate) consumer: PullConsumer,
    stream: String,
    name: String,
    /// When the stream was made, in nanoseconds of Unix time.
    stream_created: i64,
}

/// What matters of a consumer and its stream.
#[derive(Debug, Clone, Copy)]
struct Sighting {
    stream_created: i64,
    stream_last: u64,
    consumer_created: i64,
    consumer_delivered: u64,
}

/// Whether the consumer skips messages: it is older than its stream, or it stands beyond the stream's end because the
/// stream lost its tail (servers before 2.14 do not move it back).
fn is_stale(sighting: &Sighting) -> bool {
    sighting.consumer_created < sighting.stream_created || sighting.consumer_delivered > sighting.stream_last
}

impl Durable {
    /// Finds the consumer or makes it; one that would skip messages is made anew and starts from the beginning.
    pub(crate) async fn attach(bus: &Bus, topic: &Topic) -> Result<Self, AttachError> {
        let (stream, name) = (bus.stream_name(topic.producer), bus.consumer_name(topic.consumer));
        // The consumer first: its numbers may only be older than the stream's.
        let existing = consumer_info(bus, &stream, &name).await?;
        let Some(info) = bus.stream_info(&stream).await? else {
            return Err(AttachError::NoStream(stream));
        };
        let stream_created = nanoseconds(info.created);
        if let Some(existing) = existing {
            let sighting = Sighting {
                stream_created,
                stream_last: info.state.last_sequence,
                consumer_created: nanoseconds(existing.created),
                consumer_delivered: existing.delivered.stream_sequence,
            };
            if is_stale(&sighting) {
                tracing::warn!(
                    consumer = name,
                    ?sighting,
                    "the consumer stands beyond its stream; starting from the beginning"
                );
                let deleted = bus.jetstream().delete_consumer_from_stream(&name, &stream).await;
                deleted.map_err(|error| BusError::request("deleting the consumer", error))?;
            }
        }
        let config = config(
            &name,
            bus.subject(&format!("{}.{}.>", topic.producer, topic.kind)),
        );
        let created = bus.jetstream().create_consumer_on_stream(config, &stream).await;
        let consumer = created.map_err(|error| BusError::request("creating the consumer", error))?;
        Ok(Self {
            consumer,
            stream,
            name,
            stream_created,
        })
    }

    /// Looks again. `None` when it has to be attached anew, else how many messages wait for it.
    pub(crate) async fn pending(&self, bus: &Bus) -> Result<Option<u64>, AttachError> {
        let Some(consumer) = consumer_info(bus, &self.stream, &self.name).await? else {
            return Ok(None);
        };
        let Some(stream) = bus.stream_info(&self.stream).await? else {
            return Ok(None);
        };
        let sighting = Sighting {
            stream_created: nanoseconds(stream.created),
            stream_last: stream.state.last_sequence,
            consumer_created: nanoseconds(consumer.created),
            consumer_delivered: consumer.delivered.stream_sequence,
        };
        let same = sighting.stream_created == self.stream_created && !is_stale(&sighting);
        Ok(same.then_some(consumer.num_pending))
    }
}

fn config(name: &str, filter_subject: String) -> Config {
    Config {
        durable_name: Some(name.to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        // With a limit the server would silently drop what failed too often.
        max_deliver: -1,
        max_ack_pending: MOST_UNACKNOWLEDGED,
        filter_subject,
        ..Config::default()
    }
}

async fn consumer_info(bus: &Bus, stream: &str, consumer: &str) -> Result<Option<Info>, BusError> {
    let handle = bus
        .jetstream()
        .get_stream_no_info(stream)
        .await
        .map_err(|error| BusError::request("naming the stream", error))?;
    match handle.consumer_info(consumer).await {
        Ok(info) => Ok(Some(info)),
        Err(error) => match error.kind() {
            ConsumerInfoErrorKind::NotFound | ConsumerInfoErrorKind::StreamNotFound => Ok(None),
            ConsumerInfoErrorKind::JetStream(answer) if answer.code() == 404 => Ok(None),
            _ => Err(BusError::request("looking at the consumer", error)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINE: Sighting = Sighting {
        stream_created: 5,
        stream_last: 100,
        consumer_created: 6,
        consumer_delivered: 100,
    };

    #[test]
    fn a_consumer_older_than_its_stream_or_beyond_its_end_is_stale() {
        assert!(!is_stale(&FINE));
        assert!(is_stale(&Sighting {
            consumer_created: 4,
            ..FINE
        }));
        assert!(is_stale(&Sighting {
            stream_last: 99,
            ..FINE
        }));
    }
}
