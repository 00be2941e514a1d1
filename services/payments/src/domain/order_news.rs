//! What orders tells, by answer and by event, means for a payment.

use bigtix_contracts::PaymentId;
use bigtix_contracts::events::{OrderState, OrderStatus};

use super::{Closure, Input, Payment};

/// What the order as it is after it was asked to await `payment` means. It decides more than whether the call counts
/// as done: the order may have come there before.
pub fn confirmed(payment: &Payment, order: &OrderState) -> Input {
    match order.status {
        OrderStatus::AwaitingPayment | OrderStatus::Complete if order.payment_id == Some(payment.id) => {
            Input::Confirmed
        }
        // A created order that cannot be confirmed has run out of time.
        OrderStatus::Created => Input::OrderClosed(Closure::Expired),
        OrderStatus::AwaitingPayment
        | OrderStatus::Complete
        | OrderStatus::Cancelled
        | OrderStatus::Refunded => Input::OrderClosed(Closure::of(order).unwrap_or(Closure::Complete)),
    }
}

/// What the order as it is after it was asked to be complete by `payment` means.
pub fn completed(payment: &Payment, order: &OrderState) -> Input {
    match order.status {
        OrderStatus::Complete | OrderStatus::Refunded if order.payment_id == Some(payment.id) => {
            Input::Completed
        }
        // It waits for this very payment: asking again will do, sending the money back would not.
        OrderStatus::AwaitingPayment if order.payment_id == Some(payment.id) => Input::Confirmed,
        OrderStatus::Created
        | OrderStatus::AwaitingPayment
        | OrderStatus::Complete
        | OrderStatus::Cancelled
        | OrderStatus::Refunded => Input::OrderClosed(Closure::of(order).unwrap_or(Closure::Complete)),
    }
}

/// Which of the order's payments an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// The one that the order awaits.
    Awaited(PaymentId),
    /// The live one, unless it is the one that the order was paid by.
    LiveBut(Option<PaymentId>),
}

/// What an event of an order tells which payment; `None` when it tells none.
pub fn concern(order: &OrderState) -> Option<(Concern, Input)> {
    match order.status {
        OrderStatus::Created => None,
        OrderStatus::AwaitingPayment => order
            .payment_id
            .map(|id| (Concern::Awaited(id), Input::OrderAwaits)),
        OrderStatus::Complete | OrderStatus::Cancelled | OrderStatus::Refunded => {
            Closure::of(order).map(|why| (Concern::LiveBut(order.payment_id), Input::OrderClosed(why)))
        }
    }
}
