//! Who looks later sees no earlier state.

use std::collections::HashMap;
use std::hash::Hash;

use bigtix_contracts::{OrderId, PaymentId, TicketId};

use crate::faults::evidence::Evidence;
use crate::faults::history::{Action, Moment, Operation, Outcome, Seen};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Thing {
    Order(OrderId),
    Ticket(TicketId),
    Payment(PaymentId),
}

fn versions(seen: &Seen) -> Vec<(Thing, i64)> {
    match seen {
        Seen::Order(order) => vec![(Thing::Order(order.id), order.version)],
        Seen::Orders(orders) => orders
            .iter()
            .map(|order| (Thing::Order(order.id), order.version))
            .collect(),
        Seen::Tickets(tickets) => tickets
            .iter()
            .map(|ticket| (Thing::Ticket(ticket.id), ticket.version))
            .collect(),
        Seen::Payment(payment) => vec![(Thing::Payment(payment.id), payment.version)],
        Seen::Nothing | Seen::User(_) => Vec::new(),
    }
}

/// One look at something.
struct Look<'a> {
    invoked: Moment,
    finished: Moment,
    version: i64,
    operation: &'a Operation,
}

pub(super) fn do_not_go_back(evidence: &Evidence) -> Vec<String> {
    let mut looks: HashMap<Thing, Vec<Look<'_>>> = HashMap::new();
    for operation in &evidence.operations {
        for (thing, version) in operation.seen().map(versions).unwrap_or_default() {
            looks.entry(thing).or_default().push(Look {
                invoked: operation.invoked,
                finished: operation.finished,
                version,
                operation,
            });
        }
    }
    let mut wrong = Vec::new();
    for (thing, mut by_end) in looks {
        by_end.sort_by_key(|look| look.finished);
        let mut by_beginning: Vec<&Look<'_>> = by_end.iter().collect();
        by_beginning.sort_by_key(|look| look.invoked);
        let (mut highest, mut next) = (i64::MIN, 0);
        for look in by_beginning {
            // Whatever had ended by then had been seen.
            while next < by_end.len() && by_end[next].finished < look.invoked {
                highest = highest.max(by_end[next].version);
                next += 1;
            }
            if look.version < highest {
                wrong.push(format!(
                    "{thing:?} was seen at version {highest} and later, by \"{}\", at {}",
                    look.operation.action.name(),
                    look.version
                ));
            }
        }
    }
    wrong
}

/// What was answered once is never unknown again, to whichever service.
pub(super) fn find_what_is_there(evidence: &Evidence) -> Vec<String> {
    let mut known: HashMap<Thing, Moment> = HashMap::new();
    for operation in &evidence.operations {
        for (thing, _) in operation.seen().map(versions).unwrap_or_default() {
            let since = known.entry(thing).or_insert(operation.finished);
            *since = operation.finished.min(*since);
        }
    }
    let mut wrong = Vec::new();
    for operation in &evidence.operations {
        let Outcome::Failed { status: 404, code: _ } = operation.outcome else {
            continue;
        };
        let was_there = |thing: &Thing| known.get(thing).is_some_and(|since| *since < operation.invoked);
        for thing in asked_for(&operation.action).into_iter().filter(was_there) {
            let action = operation.action.name();
            wrong.push(format!(
                "\"{action}\" did not find {thing:?}, which had been answered before"
            ));
        }
    }
    wrong
}

/// Without which it is answered 404.
fn asked_for(action: &Action) -> Vec<Thing> {
    match action {
        Action::Edit { ticket, price: _ } | Action::Withdraw { ticket } | Action::ReadTicket { ticket } => {
            vec![Thing::Ticket(*ticket)]
        }
        Action::Place { tickets } => tickets.iter().map(|ticket| Thing::Ticket(*ticket)).collect(),
        Action::Pay { order } | Action::Cancel { order } | Action::ReadOrder { order } => {
            vec![Thing::Order(*order)]
        }
        // These may not find the payment.
        Action::Continue { order: _ }
        | Action::Refund { order: _, relist: _ }
        | Action::ReadPayment { order: _ } => Vec::new(),
        Action::SignUp { email: _ }
        | Action::List { quantity: _ }
        | Action::PlaceAny {
            event: _,
            quantity: _,
        }
        | Action::ReadOrders
        | Action::Forge => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::api::orders::StatusWord;

    use super::super::planted::{evidence, ok, operation, order, order_id};
    use super::*;

    fn look(millis: i64, version: i64) -> Operation {
        let seen = Seen::Order(Box::new(order(1, StatusWord::Created, version)));
        operation(millis, Action::ReadOrder { order: order_id(1) }, ok(200, seen))
    }

    #[test]
    fn an_earlier_state_seen_later_is_found() {
        let mut planted = evidence();
        planted.operations = vec![look(0, 0), look(100, 2), look(200, 1)];
        assert_eq!(do_not_go_back(&planted).len(), 1);
        // Side by side, either may have been first.
        planted.operations = vec![look(100, 2), look(105, 1)];
        assert!(do_not_go_back(&planted).is_empty());
    }

    #[test]
    fn an_order_that_is_not_found_any_more_is_found() {
        let mut planted = evidence();
        let missing = |millis| {
            let outcome = Outcome::Failed {
                status: 404,
                code: "order_not_found".into(),
            };
            operation(millis, Action::Pay { order: order_id(1) }, outcome)
        };
        planted.operations = vec![missing(0), look(100, 0)];
        assert!(find_what_is_there(&planted).is_empty());
        planted.operations.push(missing(200));
        assert_eq!(find_what_is_there(&planted).len(), 1);
    }
}
