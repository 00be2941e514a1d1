//! Money, by Stripe's books.

use std::collections::HashMap;

use bigtix_contracts::OrderId;
use bigtix_contracts::api::orders::StatusWord;
use bigtix_contracts::events::OrderStatus;

use super::claims::claims;
use crate::faults::books::order_of;
use crate::faults::evidence::Evidence;
use crate::faults::history::Moment;

/// The store tells its times in milliseconds.
const ROUNDING: i64 = 2;

/// An order was awaiting payment before money was taken for it, and is never given up afterwards.
pub(super) fn taken_for_confirmed_orders(evidence: &Evidence) -> Vec<String> {
    let mut confirmed: HashMap<OrderId, Moment> = HashMap::new();
    let mut cancelled: HashMap<OrderId, Moment> = HashMap::new();
    for (state, claim) in claims(&evidence.states) {
        let order = OrderId::from_bytes(state.id.bytes());
        match claim.and_then(|claim| claim.status) {
            Some(OrderStatus::AwaitingPayment) => {
                confirmed.entry(order).or_insert(state.at);
            }
            Some(OrderStatus::Cancelled) => {
                cancelled.entry(order).or_insert(state.at);
            }
            Some(OrderStatus::Created | OrderStatus::Complete | OrderStatus::Refunded) | None => {}
        }
    }
    let mut wrong = Vec::new();
    for capture in &evidence.captures {
        let intent = &capture.intent;
        let Some(order) = capture.order else {
            wrong.push(format!("{intent} was captured for no order"));
            continue;
        };
        match confirmed.get(&order) {
            Some(at) if *at <= capture.before.plus_millis(ROUNDING) => {}
            Some(at) => {
                let late = at.seconds_since(capture.before);
                wrong.push(format!(
                    "{intent} was captured {late:.3} s before order {order} was confirmed"
                ));
            }
            None => wrong.push(format!(
                "{intent} was captured for order {order}, which was never confirmed"
            )),
        }
        if cancelled.contains_key(&order) {
            wrong.push(format!(
                "{intent} was captured for order {order}, which is cancelled"
            ));
        }
    }
    wrong
}

/// Once things are quiet: captured and not refunded if and only if complete, and nothing is on hold.
pub(super) fn kept_for_complete_orders(evidence: &Evidence) -> Vec<String> {
    let mut kept: HashMap<OrderId, i64> = HashMap::new();
    let mut wrong = Vec::new();
    for entry in &evidence.ledger.intents {
        if entry.held > 0 {
            wrong.push(format!("{} still holds {}", entry.id, entry.held));
        }
        if let Some(order) = order_of(entry) {
            *kept.entry(order).or_default() += entry.kept();
        }
    }
    for order in evidence.finals.orders.values() {
        let kept = kept.remove(&order.id).unwrap_or(0);
        let due = match order.status {
            StatusWord::Complete | StatusWord::Paid => order.total.0.0,
            StatusWord::Created
            | StatusWord::AwaitingPayment
            | StatusWord::Expired
            | StatusWord::Failed
            | StatusWord::Cancelled
            | StatusWord::Refunded => 0,
        };
        if kept != due {
            wrong.push(format!(
                "{kept} cents are kept for order {}, which is {:?} and costs {}",
                order.id, order.status, order.total.0.0
            ));
        }
    }
    let strangers = kept.into_iter().filter(|(_, kept)| *kept != 0);
    wrong.extend(
        strangers.map(|(order, kept)| format!("{kept} cents are kept for order {order}, which nobody has")),
    );
    wrong
}

/// An order is charged once, and given back once, at most.
pub(super) fn taken_once(evidence: &Evidence) -> Vec<String> {
    let mut captures: HashMap<OrderId, u32> = HashMap::new();
    let mut wrong = Vec::new();
    for entry in &evidence.ledger.intents {
        if entry.refunds > 1 || entry.refunded > entry.captured {
            wrong.push(format!("{} was refunded {} times", entry.id, entry.refunds));
        }
        if let Some(order) = order_of(entry) {
            *captures.entry(order).or_default() += entry.captures;
        }
    }
    let twice = captures.into_iter().filter(|(_, captures)| *captures > 1);
    wrong.extend(twice.map(|(order, captures)| format!("order {order} was charged {captures} times")));
    wrong
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;

    use super::super::planted::{at, captured, evidence, order, order_id, order_state};
    use super::*;
    use crate::faults::books::Capture;

    fn capture(before: i64) -> Capture {
        Capture {
            intent: "pi_1".into(),
            order: Some(order_id(1)),
            after: at(before - 10),
            before: at(before),
        }
    }

    #[test]
    fn a_charge_before_the_order_is_confirmed_is_found() {
        let (id, ticket) = (ObjectId::from_bytes([1; 12]), ObjectId::new());
        let mut planted = evidence();
        planted.states = vec![
            order_state(1, id, ticket, "created", 0),
            order_state(100, id, ticket, "awaiting:payment", 1),
        ];
        planted.captures = vec![capture(120)];
        assert!(taken_for_confirmed_orders(&planted).is_empty());
        planted.captures = vec![capture(50)];
        assert_eq!(taken_for_confirmed_orders(&planted).len(), 1);
        planted.states.pop();
        assert_eq!(taken_for_confirmed_orders(&planted).len(), 1);
    }

    #[test]
    fn a_charge_for_an_order_that_is_given_up_is_found() {
        let (id, ticket) = (ObjectId::from_bytes([1; 12]), ObjectId::new());
        let mut planted = evidence();
        planted.states = vec![
            order_state(100, id, ticket, "awaiting:payment", 1),
            order_state(200, id, ticket, "cancelled", 2),
        ];
        planted.captures = vec![capture(120)];
        assert_eq!(taken_for_confirmed_orders(&planted).len(), 1);
    }

    #[test]
    fn money_that_is_kept_for_a_cancelled_order_is_found() {
        let mut planted = evidence();
        planted.ledger.intents = vec![captured(1)];
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Complete, 2))].into();
        assert!(kept_for_complete_orders(&planted).is_empty());
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Cancelled, 2))].into();
        assert_eq!(kept_for_complete_orders(&planted).len(), 1);
    }

    #[test]
    fn a_complete_order_without_money_is_found() {
        let mut planted = evidence();
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Complete, 2))].into();
        assert_eq!(kept_for_complete_orders(&planted).len(), 1);
    }

    #[test]
    fn money_on_hold_and_money_of_nobody_are_found() {
        let mut planted = evidence();
        let mut entry = captured(1);
        entry.held = 1;
        planted.ledger.intents = vec![entry];
        assert_eq!(kept_for_complete_orders(&planted).len(), 2);
    }

    #[test]
    fn a_second_charge_and_a_second_refund_are_found() {
        let mut planted = evidence();
        planted.ledger.intents = vec![captured(1)];
        assert!(taken_once(&planted).is_empty());
        planted.ledger.intents.push(captured(1));
        assert_eq!(taken_once(&planted).len(), 1);
        planted.ledger.intents[1].captures = 0;
        planted.ledger.intents[0].refunds = 2;
        assert_eq!(taken_once(&planted).len(), 1);
    }
}
