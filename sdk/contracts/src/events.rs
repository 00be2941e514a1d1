//! Events on the bus: one per version of an aggregate, carrying its whole state.
//!
//! A consumer applies any version that is higher than the one it has and ignores the rest, so duplicates, reordering
//! and gaps are harmless. Shapes are released for ever: a field is only ever added, with a default, and the files in
//! `fixtures/events` must parse for ever.

mod auth;
mod expiration;
mod orders;
mod payments;
mod tickets;

pub use auth::UserState;
pub use expiration::TimerState;
pub use orders::{CancelReason, OrderState, OrderStatus, OrderTicket, Turn};
pub use payments::{PaymentState, PaymentStatus};
pub use tickets::{EventSummary, TicketState};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The state of one aggregate, as its owner publishes it.
pub trait Aggregate: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The service that owns it, and the first word of its subject.
    const PRODUCER: &'static str;
    /// The kind of aggregate, and the second word of its subject.
    const KIND: &'static str;

    /// The aggregate's id, the last word of its subject.
    fn id(&self) -> String;

    /// What to call the event that carries this state at `version`. It decides nothing; it is for people and filters.
    fn event_type(&self, version: i64) -> &'static str;
}

/// What stands on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<T> {
    /// `<producer>:<aggregate id>:<version>`; also the `Nats-Msg-Id`.
    pub id: String,
    /// Such as `order.created`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The aggregate's version; starts at 0.
    pub version: i64,
    /// When the producer made the event, by its own clock.
    pub occurred_at: Timestamp,
    /// The service that owns the aggregate.
    pub producer: String,
    /// W3C trace context of the request that caused the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The whole state.
    pub data: T,
}

impl<T: Aggregate> Envelope<T> {
    /// The event of `data` at `version`.
    pub fn new(data: T, version: i64, occurred_at: Timestamp, traceparent: Option<String>) -> Self {
        Self {
            id: format!("{}:{}:{version}", T::PRODUCER, data.id()),
            event_type: data.event_type(version).to_owned(),
            version,
            occurred_at,
            producer: T::PRODUCER.to_owned(),
            traceparent,
            data,
        }
    }

    /// `<producer>.<kind>.<id>`.
    pub fn subject(&self) -> String {
        format!("{}.{}.{}", T::PRODUCER, T::KIND, self.data.id())
    }
}

/// A state together with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Versioned<T> {
    /// The version of `state`.
    pub version: i64,
    /// The whole state.
    pub state: T,
}
