use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Aggregate;
use crate::OrderId;

/// The timer of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimerState {
    /// The order that the timer is for.
    pub order_id: OrderId,
    /// When the order runs out of time.
    pub due_at: Timestamp,
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
