//! NATS JetStream: how copies travel. It is a transport that may lose everything; MongoDB is what it is refilled from.

pub(crate) mod backoff;

use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::jetstream::stream::{
    Config as StreamConfig, DiscardPolicy, Info as StreamInfo, RetentionPolicy, StorageType,
};
use async_nats::{Client, ConnectOptions, ServerAddr};
use tokio::sync::watch;

use crate::config::{Secret, Settings};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
const LONGEST_RECONNECT_DELAY: Duration = Duration::from_secs(2);
/// Acknowledgements that may be outstanding at once.
const MOST_IN_FLIGHT: usize = 2048;
const DEDUPLICATION_WINDOW: Duration = Duration::from_secs(120);

/// Where NATS is, and under which names this platform uses it.
#[derive(Debug, Clone)]
pub struct NatsConfig {
    /// `nats://user:password@host:port`, or several of them separated by commas.
    pub url: Secret,
    /// Stands before every subject, and with `_` for `.` before every stream and consumer name. Empty in production.
    pub prefix: String,
    /// How many servers keep a copy of each stream: 1 on one server, 3 on three.
    pub replicas: usize,
}

impl NatsConfig {
    /// Reads `NATS_URL`, `NATS_PREFIX` and `NATS_REPLICAS`.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            url: settings.secret(
                "NATS_URL",
                "where NATS is, credentials included; several servers are separated by commas",
            ),
            prefix: settings.text(
                "NATS_PREFIX",
                "",
                "stands before every subject, so that several platforms can share a server",
            ),
            replicas: usize::try_from(settings.count(
                "NATS_REPLICAS",
                1,
                "how many NATS servers keep a copy of each stream",
            ))
            .unwrap_or(1),
        }
    }
}

/// Why the bus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The URL cannot be read. What is wrong with it is not said, as it holds a password.
    #[error("NATS_URL is not a NATS URL")]
    Url,
    /// The client could not be made.
    #[error("the NATS client could not be made: {0}")]
    Client(#[from] async_nats::ConnectError),
    /// JetStream refused a request or did not answer.
    #[error("{action} failed: {reason}")]
    Request {
        /// What was asked for.
        action: &'static str,
        /// What was said.
        reason: String,
    },
}

impl BusError {
    pub(crate) fn request(action: &'static str, reason: impl std::fmt::Display) -> Self {
        Self::Request {
            action,
            reason: reason.to_string(),
        }
    }
}

/// A connection to NATS that is made in the background and again whenever it broke.
///
/// Answers come to `_INBOX_<user>.>`, so that the server can keep every user from hearing the others'.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    jetstream: jetstream::Context,
    /// Counts the connections made so far.
    connections: watch::Receiver<u64>,
    prefix: Arc<str>,
    replicas: usize,
}

impl Bus {
    /// Starts connecting as `name` and returns at once; NATS need not be there yet.
    ///
    /// # Errors
    /// [`BusError::Url`] when the URL is wrong.
    pub async fn connect(config: &NatsConfig, name: &str) -> Result<Self, BusError> {
        let servers: Vec<ServerAddr> = config
            .url
            .expose()
            .split(',')
            .map(|url| url.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| BusError::Url)?;
        let (connected, connections) = watch::channel(0);
        let connected = Arc::new(connected);
        let mut options = ConnectOptions::new()
            .name(format!("bigtix-{name}"))
            .retry_on_initial_connect()
            .max_reconnects(None)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .reconnect_delay_callback(|attempt| {
                LONGEST_RECONNECT_DELAY.min(Duration::from_millis(10 << attempt.min(10)))
            })
            .event_callback(move |event| {
                let connected = Arc::clone(&connected);
                async move {
                    match event {
                        async_nats::Event::Connected => connected.send_modify(|count| *count += 1),
                        other => tracing::debug!(event = %other, "NATS"),
                    }
                }
            });
        if let Some((user, password)) = credentials(&servers)? {
            // Users may hear their own inbox and nobody else's.
            options = options
                .custom_inbox_prefix(format!("_INBOX_{user}"))
                .user_and_password(user, password);
        }
        let client = options.connect(servers).await?;
        let jetstream = jetstream::context::ContextBuilder::new()
            .timeout(REQUEST_TIMEOUT)
            .max_ack_inflight(MOST_IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        Ok(Self {
            client,
            jetstream,
            connections,
            prefix: config.prefix.as_str().into(),
            replicas: config.replicas.max(1),
        })
    }

    /// Whether NATS is connected right now.
    pub async fn is_connected(&self) -> bool {
        self.is_connected_now()
    }

    pub(crate) fn is_connected_now(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Returns as soon as NATS is connected.
    pub(crate) async fn connected(&self) {
        let mut connections = self.connections.clone();
        while !self.is_connected_now() {
            // The state follows the event, so neither is enough alone.
            let event = tokio::time::timeout(Duration::from_millis(200), connections.changed());
            if matches!(event.await, Ok(Err(_))) {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Tells of every connection that is made from now on.
    pub(crate) fn connections(&self) -> watch::Receiver<u64> {
        let mut connections = self.connections.clone();
        connections.mark_unchanged();
        connections
    }

    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// Waits until what was sent has left, at most two seconds.
    pub(crate) async fn flush(&self) {
        if tokio::time::timeout(FLUSH_TIMEOUT, self.client.flush())
            .await
            .is_err()
        {
            tracing::debug!("NATS could not be flushed");
        }
    }

    /// The stream that holds what `producer` publishes.
    pub(crate) fn stream_name(&self, producer: &str) -> String {
        self.name(producer)
    }

    /// The durable consumer called `consumer`.
    pub(crate) fn consumer_name(&self, consumer: &str) -> String {
        self.name(consumer)
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix.replace('.', "_"))
    }

    /// The subject that stands for `subject` on this bus.
    pub(crate) fn subject(&self, subject: &str) -> String {
        format!("{}{subject}", self.prefix)
    }

    /// How `producer`'s stream has to look: one message per subject, because the newest state supersedes the rest.
    pub(crate) fn stream_config(&self, producer: &str) -> StreamConfig {
        StreamConfig {
            name: self.stream_name(producer),
            subjects: vec![format!("{}.>", self.subject(producer))],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            storage: StorageType::File,
            max_messages_per_subject: 1,
            max_messages: -1,
            max_bytes: -1,
            max_consumers: -1,
            num_replicas: self.replicas,
            duplicate_window: DEDUPLICATION_WINDOW,
            ..StreamConfig::default()
        }
    }

    /// What the server says of a stream; `None` when there is no such stream.
    pub(crate) async fn stream_info(&self, stream: &str) -> Result<Option<StreamInfo>, BusError> {
        use async_nats::jetstream::context::GetStreamErrorKind;
        match self.jetstream.get_stream(stream).await {
            Ok(stream) => Ok(Some(stream.cached_info().clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(answer) if answer.code() == 404 => Ok(None),
                _ => Err(BusError::request("looking at the stream", error)),
            },
        }
    }
}

impl Bus {
    /// Whether the stream still holds the message with this sequence.
    pub(crate) async fn has_message(&self, stream: &str, sequence: u64) -> Result<bool, BusError> {
        use async_nats::jetstream::stream::RawMessageErrorKind;
        let handle = self
            .jetstream
            .get_stream_no_info(stream)
            .await
            .map_err(|error| BusError::request("naming the stream", error))?;
        match handle.get_raw_message(sequence).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                RawMessageErrorKind::NoMessageFound => Ok(false),
                RawMessageErrorKind::JetStream(answer) if answer.code() == 404 => Ok(false),
                _ => Err(BusError::request("looking at a message", error)),
            },
        }
    }
}

/// User and password of the first server that has them, as the client ignores those in URLs.
fn credentials(servers: &[ServerAddr]) -> Result<Option<(String, String)>, BusError> {
    let with_user = servers.iter().find_map(|server| {
        server
            .username()
            .map(|user| (user, server.password().unwrap_or("")))
    });
    with_user
        .map(|(user, password)| Ok((percent_decoded(user)?, percent_decoded(password)?)))
        .transpose()
}

fn percent_decoded(text: &str) -> Result<String, BusError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let (digits, tail) = tail.split_at_checked(2).ok_or(BusError::Url)?;
            bytes.extend(hex::decode(digits).map_err(|_| BusError::Url)?);
            rest = tail;
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| BusError::Url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_come_from_the_url_and_are_decoded() {
        let servers = [
            "nats://one:4222".parse().unwrap(),
            "nats://orders:p%40ss%3Aword@two:4222".parse().unwrap(),
        ];
        assert_eq!(
            credentials(&servers).unwrap(),
            Some(("orders".to_owned(), "p@ss:word".to_owned()))
        );
        assert_eq!(credentials(&servers[..1]).unwrap(), None);
    }

    #[test]
    fn a_url_with_a_broken_escape_is_refused() {
        assert!(percent_decoded("100%").is_err());
        assert!(percent_decoded("%zz").is_err());
    }
}
