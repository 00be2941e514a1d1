//! One idempotency key has one effect, and there are no others.

use std::collections::{BTreeSet, HashMap, HashSet};

use bigtix_contracts::{OrderId, TicketId, UserId};

use crate::faults::evidence::Evidence;
use crate::faults::history::{Action, Moment, Operation, Outcome, Seen};
use crate::faults::store_history::Kept;

/// What a 2xx created or changed, by its ids.
fn effect(seen: &Seen) -> Vec<String> {
    match seen {
        Seen::Order(order) => vec![order.id.to_string()],
        Seen::Payment(payment) => vec![payment.id.to_string()],
        Seen::Tickets(tickets) => tickets.iter().map(|ticket| ticket.id.to_string()).collect(),
        Seen::Nothing | Seen::User(_) | Seen::Orders(_) => Vec::new(),
    }
}

/// Who was told yes is not told no by the same key.
pub(super) fn answers_stay(evidence: &Evidence) -> Vec<String> {
    let mut told: HashMap<(Option<UserId>, &str), Moment> = HashMap::new();
    for operation in &evidence.operations {
        if let (Some(key), Some(_)) = (&operation.key, operation.seen()) {
            let since = told.entry((operation.user, key)).or_insert(operation.finished);
            *since = operation.finished.min(*since);
        }
    }
    let mut wrong = Vec::new();
    for operation in &evidence.operations {
        if let (Some(key), Outcome::Failed { status, code }) = (&operation.key, &operation.outcome)
            && told
                .get(&(operation.user, key.as_str()))
                .is_some_and(|since| *since < operation.invoked)
        {
            let action = operation.action.name();
            wrong.push(format!(
                "\"{action}\" with key {key} was answered {status} {code} after a 2xx"
            ));
        }
    }
    wrong
}

pub(super) fn one_effect(evidence: &Evidence) -> Vec<String> {
    let mut effects: HashMap<(Option<UserId>, &str), BTreeSet<Vec<String>>> = HashMap::new();
    for operation in &evidence.operations {
        if let (Some(key), Some(seen)) = (&operation.key, operation.seen()) {
            let key = (operation.user, key.as_str());
            effects.entry(key).or_default().insert(effect(seen));
        }
    }
    let several = effects.into_iter().filter(|(_, effects)| effects.len() > 1);
    several
        .map(|((_, key), effects)| format!("key {key} had {} effects: {effects:?}", effects.len()))
        .collect()
}

/// Every order and every ticket is the effect of a request, one a key.
pub(super) fn nothing_unasked(evidence: &Evidence) -> Vec<String> {
    let mut answered: HashSet<String> = HashSet::new();
    // What may have come of requests whose outcome nobody knows to the end.
    let (mut open_orders, mut open_tickets) = (0, 0);
    let mut keys: HashMap<(Option<UserId>, &str), Vec<&Operation>> = HashMap::new();
    for operation in &evidence.operations {
        if let Some(key) = &operation.key {
            keys.entry((operation.user, key)).or_default().push(operation);
        }
    }
    for operations in keys.into_values() {
        let seen: Vec<&Seen> = operations
            .iter()
            .filter_map(|operation| operation.seen())
            .collect();
        answered.extend(seen.iter().flat_map(|seen| effect(seen)));
        let last = operations.last().map(|operation| &operation.outcome);
        if seen.is_empty() && matches!(last, Some(Outcome::Unknown { .. })) {
            match operations[0].action {
                Action::Place { .. } | Action::PlaceAny { .. } => open_orders += 1,
                Action::List { quantity } => open_tickets += quantity,
                _ => {}
            }
        }
    }
    let unasked = |ids: BTreeSet<String>, open: usize, what: &str| {
        let unasked: Vec<String> = ids.into_iter().filter(|id| !answered.contains(id)).collect();
        (unasked.len() > open).then(|| {
            format!(
                "{} {what} come from no request (at most {open} may): {:?}",
                unasked.len(),
                &unasked[..unasked.len().min(5)]
            )
        })
    };
    let orders = ids(evidence, Kept::Claims, |id| OrderId::from_bytes(id).to_string());
    let tickets = ids(evidence, Kept::Tickets, |id| TicketId::from_bytes(id).to_string());
    let orders = unasked(orders, open_orders, "orders");
    orders
        .into_iter()
        .chain(unasked(tickets, open_tickets, "tickets"))
        .collect()
}

fn ids(evidence: &Evidence, kept: Kept, read: fn([u8; 12]) -> String) -> BTreeSet<String> {
    let is_order =
        |document: &mongodb::bson::Document| document.get_str("kind").is_ok_and(|kind| kind == "order");
    evidence
        .states
        .iter()
        .filter(|state| state.kept == kept)
        .filter(|state| kept != Kept::Claims || state.document.as_ref().is_some_and(is_order))
        .map(|state| read(state.id.bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::api::orders::StatusWord;
    use mongodb::bson::oid::ObjectId;

    use super::super::planted::{evidence, ok, operation, order, order_state, ticket_id};
    use super::*;

    fn placed(number: u8) -> Operation {
        let action = Action::Place {
            tickets: vec![ticket_id(1)],
        };
        let seen = Seen::Order(Box::new(order(number, StatusWord::Created, 0)));
        Operation {
            key: Some("k".into()),
            ..operation(1, action, ok(201, seen))
        }
    }

    #[test]
    fn a_key_with_two_orders_is_found() {
        let mut planted = evidence();
        planted.operations = vec![placed(1), placed(1)];
        assert!(one_effect(&planted).is_empty());
        planted.operations = vec![placed(1), placed(2)];
        assert_eq!(one_effect(&planted).len(), 1);
    }

    #[test]
    fn a_refusal_after_a_yes_is_found() {
        let refused = Operation {
            invoked: placed(1).finished.plus_millis(1),
            outcome: Outcome::Failed {
                status: 400,
                code: "not_for_sale".into(),
            },
            ..placed(1)
        };
        let mut planted = evidence();
        planted.operations = vec![refused.clone()];
        assert!(answers_stay(&planted).is_empty());
        planted.operations = vec![placed(1), refused];
        assert_eq!(answers_stay(&planted).len(), 1);
    }

    #[test]
    fn an_order_that_nobody_was_told_of_is_found() {
        let mut planted = evidence();
        let state = |number: u8| {
            order_state(
                1,
                ObjectId::from_bytes([number; 12]),
                ObjectId::new(),
                "created",
                0,
            )
        };
        planted.operations = vec![placed(1)];
        planted.states = vec![state(1)];
        assert!(nothing_unasked(&planted).is_empty());
        planted.states.push(state(2));
        assert_eq!(nothing_unasked(&planted).len(), 1);
        let unknown = Outcome::Unknown { status: None };
        planted.operations.push(Operation {
            key: Some("other".into()),
            outcome: unknown,
            ..placed(2)
        });
        assert!(nothing_unasked(&planted).is_empty());
    }
}
