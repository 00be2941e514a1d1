//! What an order means for its timer. Pure.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::{OrderState, OrderStatus};
use jiff::Timestamp;

/// What is to be done about an order's timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Wake orders at this time.
    Arm(OrderId, Timestamp),
    /// The order can no longer run out of time.
    Disarm(OrderId),
}

/// Only a created order can run out of time.
pub(crate) fn plan(order: &OrderState) -> Plan {
    match order.status {
        OrderStatus::Created => Plan::Arm(order.id, order.expires_at),
        OrderStatus::AwaitingPayment
        | OrderStatus::Complete
        | OrderStatus::Cancelled
        | OrderStatus::Refunded => Plan::Disarm(order.id),
    }
}
