use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Aggregate;
use crate::OrderId;

/// The timer of orders that run out of time together. Some of them may have ended since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimerState {
    /// The first of the orders, after which the timer is called.
    pub order_id: OrderId,
    /// When the last of the orders runs out of time.
    pub due_at: Timestamp,
    /// The other orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<OrderId>,
}

impl TimerState {
    /// All orders that the timer is for.
    pub fn orders(&self) -> impl Iterator<Item = OrderId> {
        std::iter::once(self.order_id).chain(self.also.iter().copied())
    }
}

impl Aggregate for TimerState {
    const PRODUCER: &'static str = "expiration";
    const KIND: &'static str = "timer";

    fn id(&self) -> String {
        self.order_id.to_string()
    }

    fn event_type(&self, _version: i64) -> &'static str {
        "expiration.complete"
    }
}
