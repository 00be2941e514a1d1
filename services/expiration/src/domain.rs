//! Which timers orders need. Pure.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::{OrderState, OrderStatus, TimerState};
use jiff::{SignedDuration, Timestamp};

/// Orders that run out of time within so long share a timer, so the first of them may be woken so much late.
const TOGETHER: SignedDuration = SignedDuration::from_millis(200);
/// Orders of one timer, so that its event stays far below what the bus carries.
const MOST_TOGETHER: usize = 1000;

/// The timers of those of `orders` that can run out of time: created ones.
///
/// In a rush hundreds of orders become known at once and fall due at once, and one timer for them costs as much as one for each.
/// A timer rings also for an order that has ended meanwhile, which is nothing to its owner.
pub(crate) fn timers(orders: &[OrderState]) -> Vec<TimerState> {
    let mut due: Vec<(Timestamp, OrderId)> = orders
        .iter()
        .filter(|order| can_run_out(order.status))
        .map(|order| (order.expires_at, order.id))
        .collect();
    due.sort_unstable();
    let together = due.chunk_by(|(one, _), (next, _)| slot(*one) == slot(*next));
    together
        .flat_map(|orders| orders.chunks(MOST_TOGETHER))
        .filter_map(|orders| {
            let (&(_, order_id), also) = orders.split_first()?;
            let &(due_at, _) = orders.last()?;
            let also = also.iter().map(|&(_, order)| order).collect();
            Some(TimerState {
                order_id,
                due_at,
                also,
            })
        })
        .collect()
}

fn can_run_out(status: OrderStatus) -> bool {
    match status {
        OrderStatus::Created => true,
        OrderStatus::AwaitingPayment
        | OrderStatus::Complete
        | OrderStatus::Cancelled
        | OrderStatus::Refunded => false,
    }
}

fn slot(due_at: Timestamp) -> i128 {
    due_at.as_nanosecond().div_euclid(TOGETHER.as_nanos())
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::{Cents, UserId};

    use super::*;

    /// An order that runs out of time at this millisecond.
    fn order(number: u32, due_at: i64) -> OrderState {
        let mut id = [0; 12];
        id[8..].copy_from_slice(&number.to_be_bytes());
        OrderState {
            id: OrderId::from_bytes(id),
            user_id: UserId::from_bytes([7; 12]),
            status: OrderStatus::Created,
            reason: None,
            expires_at: Timestamp::from_millisecond(due_at).expect("a time"),
            created_at: Timestamp::UNIX_EPOCH,
            total: Cents(100),
            tickets: Vec::new(),
            payment_id: None,
            relisted: false,
            turn: None,
        }
    }

    #[test]
    fn orders_that_are_due_together_share_a_timer_which_waits_for_the_last() {
        let orders = [order(1, 1_350), order(2, 1_000), order(3, 1_199), order(4, 1_200)];
        let timers = timers(&orders);
        let shared: Vec<Vec<OrderId>> = timers.iter().map(|timer| timer.orders().collect()).collect();
        let [first, second, third, fourth] = [0, 1, 2, 3].map(|index: usize| orders[index].id);
        assert_eq!(shared, [vec![second, third], vec![fourth, first]]);
        let due: Vec<i64> = timers.iter().map(|timer| timer.due_at.as_millisecond()).collect();
        assert_eq!(due, [1_199, 1_350]);
    }

    #[test]
    fn only_created_orders_have_timers() {
        for status in [
            OrderStatus::AwaitingPayment,
            OrderStatus::Complete,
            OrderStatus::Cancelled,
            OrderStatus::Refunded,
        ] {
            let order = OrderState {
                status,
                ..order(1, 1_000)
            };
            assert_eq!(timers(&[order]), [], "{status:?}");
        }
    }

    #[test]
    fn a_timer_is_for_a_limited_number_of_orders() {
        let orders: Vec<_> = (0..2_500).map(|number| order(number, 1_000)).collect();
        let timers = timers(&orders);
        let sizes: Vec<usize> = timers.iter().map(|timer| timer.orders().count()).collect();
        assert_eq!(sizes, [1_000, 1_000, 500]);
    }
}
