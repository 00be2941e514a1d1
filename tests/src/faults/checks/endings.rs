//! Every order ends, every payment is settled, nothing is given up.

use bigtix_contracts::api::orders::StatusWord;
use bigtix_contracts::api::payments::PaymentStatus;

use crate::faults::evidence::Evidence;

pub(super) fn everything_ends(evidence: &Evidence) -> Vec<String> {
    let finals = &evidence.finals;
    let mut wrong = finals.restless.clone();
    for order in finals.orders.values() {
        if matches!(order.status, StatusWord::Created | StatusWord::AwaitingPayment) {
            wrong.push(format!("order {} is still {:?}", order.id, order.status));
        }
    }
    for payment in finals.payments.values() {
        if matches!(
            payment.status,
            PaymentStatus::Processing | PaymentStatus::RequiresAction
        ) {
            wrong.push(format!("payment {} is still {:?}", payment.id, payment.status));
        }
    }
    let armed = finals.armed_timers.iter();
    wrong.extend(armed.map(|order| format!("the timer of order {order} never fired")));
    let letters = finals.dead_letters.iter();
    wrong.extend(letters.map(|letter| format!("an event was given up: {letter}")));
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::planted::{evidence, order, order_id, payment};
    use super::*;

    #[test]
    fn what_has_not_ended_is_found() {
        let mut planted = evidence();
        planted.finals.orders = [(order_id(1), order(1, StatusWord::AwaitingPayment, 1))].into();
        planted.finals.payments = [(order_id(1), payment(1, PaymentStatus::Processing))].into();
        planted.finals.armed_timers = vec![order_id(1)];
        planted.finals.dead_letters = vec!["tickets: {}".into()];
        assert_eq!(everything_ends(&planted).len(), 4);
        planted.finals = Default::default();
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Complete, 2))].into();
        planted.finals.payments = [(order_id(1), payment(1, PaymentStatus::Succeeded))].into();
        assert!(everything_ends(&planted).is_empty());
    }
}
