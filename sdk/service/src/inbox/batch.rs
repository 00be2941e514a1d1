//! One batch of messages, from being read to being acknowledged.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::jetstream::{self, AckKind};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::consumer::Consumer;
use super::{Event, HandlerError};
use crate::dead_letters::{self, Remains};
use crate::nats::backoff::Backoff;
use crate::trace;

/// How often the server is told that we are still at it; it waits 30 seconds.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Applies the batch and acknowledges it, however long that takes; if told to stop in between, it gives back what it has
/// not applied.
pub(crate) async fn process(
    consumer: &Consumer,
    messages: Vec<jetstream::Message>,
    shutdown: &CancellationToken,
) {
    let mut messages = messages;
    let mut patience = Patience::new();
    while !messages.is_empty() {
        let attempt = attempt(consumer, &mut messages).await;
        let Err(error) = attempt else { return };
        tracing::warn!(consumer = consumer.topic.consumer, count = messages.len(), %error, "a batch has to wait");
        if patience.wait(&messages, shutdown).await.is_err() {
            give_back(&messages).await;
            return;
        }
    }
}

/// Lets the server deliver the messages again at once, to whoever asks.
pub(crate) async fn give_back(messages: &[jetstream::Message]) {
    for message in messages {
        acknowledge(message, AckKind::Nak(None)).await;
    }
}

/// So many messages are read before whoever waits for the processor has a turn; requests are answered beside it.
const UNINTERRUPTED: usize = 50;

struct Patience {
    backoff: Backoff,
    told: Instant,
}

impl Patience {
    fn new() -> Self {
        Self {
            backoff: Backoff::new(Duration::from_millis(100), Duration::from_secs(5)),
            told: Instant::now(),
        }
    }

    /// Waits before the next attempt; an error when it is time to stop instead.
    async fn wait(
        &mut self,
        messages: &[jetstream::Message],
        shutdown: &CancellationToken,
    ) -> Result<(), ()> {
        if self.told.elapsed() >= PROGRESS_EVERY {
            for message in messages {
                acknowledge(message, AckKind::Progress).await;
            }
            self.told = Instant::now();
        }
        shutdown
            .run_until_cancelled(tokio::time::sleep(self.backoff.next()))
            .await
            .ok_or(())
    }
}

/// Tries once to apply everything. What cannot ever be applied leaves `messages`; so does everything on success.
async fn attempt(consumer: &Consumer, messages: &mut Vec<jetstream::Message>) -> Result<(), HandlerError> {
    loop {
        let events = decode(consumer, messages).await?;
        if events.is_empty() {
            return Ok(());
        }
        let newest = newest(events);
        let count = newest.len() as u64;
        let span = span_of(consumer, &newest);
        match consumer.handler.handle(newest).instrument(span).await {
            Ok(()) => {
                for message in messages.drain(..) {
                    acknowledge(&message, AckKind::Ack).await;
                }
                metrics::counter!("bigtix_consumer_applied_total", "consumer" => consumer.topic.consumer)
                    .increment(count);
                return Ok(());
            }
            Err(HandlerError::Poison { id, reason }) => bury_event(consumer, messages, &id, &reason).await?,
            Err(error) => return Err(error),
        }
    }
}

/// A batch belongs to the trace of its first event, and is linked with the others'.
fn span_of(consumer: &Consumer, events: &[Event]) -> tracing::Span {
    let mut traces = events.iter().filter_map(|event| event.traceparent.as_deref());
    let first = traces.next();
    let span = tracing::info_span!(
        "consume",
        consumer = consumer.topic.consumer,
        count = events.len(),
        id = events.first().map(|event| event.id.as_str()),
        traceparent = first,
    );
    if let Some(first) = first {
        trace::go_on(&span, first);
    }
    traces.for_each(|other| trace::link(&span, other));
    span
}

/// Reads the messages, and buries those that cannot be read.
async fn decode(
    consumer: &Consumer,
    messages: &mut Vec<jetstream::Message>,
) -> Result<Vec<Event>, HandlerError> {
    let mut events = Vec::with_capacity(messages.len());
    let mut index = 0;
    while let Some(message) = messages.get(index) {
        if index % UNINTERRUPTED == UNINTERRUPTED - 1 {
            tokio::task::yield_now().await;
        }
        match consumer.handler.decode(&message.payload) {
            Ok(event) => {
                events.push(event);
                index += 1;
            }
            Err(reason) => {
                bury(consumer, message, &reason).await?;
                messages.remove(index);
            }
        }
    }
    Ok(events)
}

async fn bury_event(
    consumer: &Consumer,
    messages: &mut Vec<jetstream::Message>,
    id: &str,
    reason: &str,
) -> Result<(), HandlerError> {
    let is_it = |message: &jetstream::Message| {
        consumer
            .handler
            .decode(&message.payload)
            .is_ok_and(|event| event.id == id)
    };
    let mut found = false;
    while let Some(index) = messages.iter().position(is_it) {
        bury(consumer, &messages[index], reason).await?;
        messages.remove(index);
        found = true;
    }
    if found {
        Ok(())
    } else {
        Err(HandlerError::Transient(format!(
            "no event {id} in the batch: {reason}"
        )))
    }
}

/// Writes the message down first, so that it is never neither here nor there.
async fn bury(consumer: &Consumer, message: &jetstream::Message, reason: &str) -> Result<(), HandlerError> {
    let remains = Remains {
        consumer: consumer.topic.consumer,
        message_id: &message_id(message),
        subject: &message.subject,
        event: &message.payload,
        error: reason,
    };
    dead_letters::bury(&consumer.mongo, remains).await?;
    acknowledge(message, AckKind::Term).await;
    Ok(())
}

fn message_id(message: &jetstream::Message) -> String {
    let given = message
        .headers
        .as_ref()
        .and_then(|headers| headers.get(async_nats::header::NATS_MESSAGE_ID));
    match given {
        Some(id) => id.as_str().to_owned(),
        None => {
            let sequence = message
                .info()
                .map(|info| info.stream_sequence)
                .unwrap_or_default();
            format!("{}#{sequence}", message.subject)
        }
    }
}

/// An acknowledgement may be lost; then the message comes again, which is harmless.
async fn acknowledge(message: &jetstream::Message, kind: AckKind) {
    if let Err(error) = message.ack_with(kind).await {
        tracing::debug!(%error, "a message could not be acknowledged");
    }
}

/// Of every aggregate the highest version, in the order in which the aggregates first came.
fn newest(events: Vec<Event>) -> Vec<Event> {
    let mut places: HashMap<String, usize> = HashMap::with_capacity(events.len());
    let mut newest: Vec<Event> = Vec::with_capacity(events.len());
    for event in events {
        match places.get(&event.aggregate) {
            Some(&place) if newest[place].version < event.version => newest[place] = event,
            Some(_) => {}
            None => {
                places.insert(event.aggregate.clone(), newest.len());
                newest.push(event);
            }
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(aggregate: &str, version: i64) -> Event {
        let id = format!("{aggregate}:{version}");
        Event {
            id,
            aggregate: aggregate.to_owned(),
            version,
            traceparent: None,
            envelope: Box::new(()),
        }
    }

    #[test]
    fn only_the_highest_version_of_an_aggregate_is_handled() {
        let events = vec![
            event("a", 2),
            event("b", 1),
            event("a", 3),
            event("a", 1),
            event("b", 1),
        ];
        let ids: Vec<String> = newest(events).into_iter().map(|event| event.id).collect();
        assert_eq!(ids, ["a:3", "b:1"]);
    }
}
