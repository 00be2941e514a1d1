//! What was answered with 2xx is in every later state.

use std::collections::HashMap;

use bigtix_contracts::api::orders::{Order, StatusWord};
use bigtix_contracts::api::payments::PaymentStatus;
use bigtix_contracts::api::tickets::{Ticket, TicketStatus};
use bigtix_contracts::{OrderId, TicketId};

use crate::faults::evidence::{Evidence, Finals};
use crate::faults::history::{Action, Operation, Seen};

pub(super) fn is_kept(evidence: &Evidence) -> Vec<String> {
    let finals = &evidence.finals;
    let mut wrong: Vec<String> = evidence
        .operations
        .iter()
        .filter_map(|operation| lost(finals, operation))
        .collect();
    let accounts = finals.lost_accounts.iter();
    wrong.extend(accounts.map(|account| format!("an account was acknowledged and is lost: {account}")));
    wrong.extend(lost_versions(evidence));
    wrong
}

/// What the end lacks of what this operation was told.
fn lost(finals: &Finals, operation: &Operation) -> Option<String> {
    let seen = operation.seen()?;
    match (&operation.action, seen) {
        (Action::Cancel { order }, _) => order_is(finals, *order, "cancelled", |status| {
            status == StatusWord::Cancelled
        }),
        (Action::Refund { order, relist: _ }, Seen::Payment(payment)) => {
            order_is(finals, *order, "refunded", |status| {
                payment.status != PaymentStatus::Refunded || status == StatusWord::Refunded
            })
        }
        (Action::Pay { order } | Action::Continue { order }, Seen::Payment(payment)) => {
            order_is(finals, *order, "paid", |status| {
                payment.status != PaymentStatus::Succeeded
                    || matches!(status, StatusWord::Complete | StatusWord::Refunded)
            })
        }
        (Action::Withdraw { ticket }, _) => {
            let status = finals.tickets.get(ticket).map(|ticket| ticket.status);
            (status != Some(TicketStatus::Withdrawn))
                .then(|| format!("ticket {ticket} was withdrawn and is {status:?}"))
        }
        (Action::Place { .. } | Action::PlaceAny { .. }, Seen::Order(order)) => {
            order_is(finals, order.id, "placed", |_| true)
        }
        (Action::List { .. }, Seen::Tickets(tickets)) => {
            let missing = tickets
                .iter()
                .find(|ticket| !finals.tickets.contains_key(&ticket.id))?;
            Some(format!("ticket {} was listed and is not there", missing.id))
        }
        (Action::Edit { ticket, price }, Seen::Tickets(seen)) => {
            let (seen, last) = (seen.first()?, finals.tickets.get(ticket)?);
            (last.version == seen.version && last.price.0 != *price)
                .then(|| format!("ticket {ticket} was given another price, and has the one before"))
        }
        _ => None,
    }
}

fn order_is(
    finals: &Finals,
    order: OrderId,
    what: &str,
    is_right: impl Fn(StatusWord) -> bool,
) -> Option<String> {
    match finals.orders.get(&order) {
        Some(found) if is_right(found.status) => None,
        Some(found) => Some(format!("order {order} was {what} and is {:?}", found.status)),
        None => Some(format!("order {order} was {what} and is not there")),
    }
}

/// Whatever was shown at some version is there at that version or a later one.
fn lost_versions(evidence: &Evidence) -> Vec<String> {
    let mut orders: HashMap<OrderId, i64> = HashMap::new();
    let mut tickets: HashMap<TicketId, i64> = HashMap::new();
    let mut see_order = |order: &Order| {
        let known = orders.entry(order.id).or_insert(order.version);
        *known = order.version.max(*known);
    };
    let mut see_ticket = |ticket: &Ticket| {
        let known = tickets.entry(ticket.id).or_insert(ticket.version);
        *known = ticket.version.max(*known);
    };
    for seen in evidence.operations.iter().filter_map(Operation::seen) {
        match seen {
            Seen::Order(order) => see_order(order),
            Seen::Orders(orders) => orders.iter().for_each(&mut see_order),
            Seen::Tickets(tickets) => tickets.iter().for_each(&mut see_ticket),
            Seen::Nothing | Seen::User(_) | Seen::Payment(_) => {}
        }
    }
    let finals = &evidence.finals;
    let orders = orders.into_iter().filter_map(|(id, version)| {
        let last = finals.orders.get(&id)?.version;
        (last < version).then(|| format!("order {id} was shown at version {version} and ends at {last}"))
    });
    let tickets = tickets.into_iter().filter_map(|(id, version)| {
        let last = finals.tickets.get(&id)?.version;
        (last < version).then(|| format!("ticket {id} was shown at version {version} and ends at {last}"))
    });
    orders.chain(tickets).collect()
}

#[cfg(test)]
mod tests {
    use super::super::planted::{evidence, ok, operation, order, order_id, payment, ticket_id};
    use super::*;

    fn place() -> Action {
        Action::Place {
            tickets: vec![ticket_id(1)],
        }
    }

    #[test]
    fn an_acknowledged_order_that_is_gone_is_found() {
        let mut planted = evidence();
        let placed = Seen::Order(Box::new(order(1, StatusWord::Created, 0)));
        planted.operations = vec![operation(1, place(), ok(201, placed))];
        assert_eq!(is_kept(&planted).len(), 1);
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Cancelled, 1))].into();
        assert!(is_kept(&planted).is_empty());
    }

    #[test]
    fn a_cancellation_that_did_not_last_is_found() {
        let mut planted = evidence();
        let cancel = Action::Cancel { order: order_id(1) };
        planted.operations = vec![operation(1, cancel, ok(204, Seen::Nothing))];
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Complete, 2))].into();
        assert_eq!(is_kept(&planted).len(), 1);
    }

    #[test]
    fn a_payment_whose_order_is_not_complete_is_found() {
        let mut planted = evidence();
        let pay = Action::Pay { order: order_id(1) };
        let paid = Seen::Payment(Box::new(payment(1, PaymentStatus::Succeeded)));
        planted.operations = vec![operation(1, pay, ok(201, paid))];
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Cancelled, 2))].into();
        assert_eq!(is_kept(&planted).len(), 1);
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Refunded, 3))].into();
        assert!(is_kept(&planted).is_empty());
    }

    #[test]
    fn a_state_that_was_shown_and_is_gone_is_found() {
        let mut planted = evidence();
        let shown = Seen::Order(Box::new(order(1, StatusWord::Complete, 2)));
        let read = Action::ReadOrder { order: order_id(1) };
        planted.operations = vec![operation(1, read, ok(200, shown))];
        planted.finals.orders = [(order_id(1), order(1, StatusWord::Created, 0))].into();
        assert_eq!(is_kept(&planted).len(), 1);
    }
}
