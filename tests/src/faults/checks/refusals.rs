//! "Already reserved" is never said of tickets that are all free.

use std::collections::HashMap;

use bigtix_contracts::ErrorCode;
use mongodb::bson::oid::ObjectId;

use super::claims::claims;
use crate::faults::evidence::Evidence;
use crate::faults::history::{Action, Moment, Outcome};

/// The store tells its times in milliseconds, and a claim holds its tickets from shortly before its time.
const ROUNDING: i64 = 50;

/// When a ticket was held.
type Held = Vec<(Moment, Option<Moment>)>;

pub(super) fn are_true(evidence: &Evidence) -> Vec<String> {
    let held = held(evidence);
    let mut wrong = Vec::new();
    for operation in &evidence.operations {
        let Outcome::Failed { status: _, code } = &operation.outcome else {
            continue;
        };
        let Action::Place { tickets } = &operation.action else {
            continue;
        };
        if code != ErrorCode::TicketReserved.as_str() {
            continue;
        }
        let (from, until) = (
            operation.invoked.plus_millis(-ROUNDING),
            operation.finished.plus_millis(ROUNDING),
        );
        let was_held = tickets.iter().any(|ticket| {
            let held = held.get(&ObjectId::from_bytes(ticket.bytes()));
            held.into_iter()
                .flatten()
                .any(|(began, ended)| *began <= until && ended.is_none_or(|ended| ended >= from))
        });
        if !was_held {
            wrong.push(format!(
                "{tickets:?} were refused as reserved, and nobody had any of them"
            ));
        }
    }
    wrong
}

fn held(evidence: &Evidence) -> HashMap<ObjectId, Held> {
    let mut held: HashMap<ObjectId, Held> = HashMap::new();
    let mut holding: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    for (state, claim) in claims(&evidence.states) {
        let tickets = claim.filter(|claim| claim.holds).map(|claim| claim.tickets);
        match (tickets, holding.contains_key(&state.id)) {
            (Some(tickets), false) => {
                for ticket in &tickets {
                    held.entry(*ticket).or_default().push((state.at, None));
                }
                holding.insert(state.id, tickets);
            }
            (None, true) => {
                for ticket in holding.remove(&state.id).unwrap_or_default() {
                    let open = held
                        .get_mut(&ticket)
                        .and_then(|held| held.iter_mut().find(|(_, ended)| ended.is_none()));
                    if let Some((_, ended)) = open {
                        *ended = Some(state.at);
                    }
                }
            }
            (Some(_), true) | (None, false) => {}
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::super::planted::{evidence, operation, order_state, ticket_id};
    use super::*;

    #[test]
    fn a_free_ticket_that_is_refused_is_found() {
        let (order, ticket) = (ObjectId::new(), ObjectId::from_bytes([1; 12]));
        let refused = |millis| {
            let outcome = Outcome::Failed {
                status: 400,
                code: ErrorCode::TicketReserved.as_str().into(),
            };
            let action = Action::Place {
                tickets: vec![ticket_id(1)],
            };
            operation(millis, action, outcome)
        };
        let mut planted = evidence();
        planted.states = vec![
            order_state(1_000, order, ticket, "created", 0),
            order_state(2_000, order, ticket, "cancelled", 1),
        ];
        planted.operations = vec![refused(1_500)];
        assert!(are_true(&planted).is_empty());
        planted.operations = vec![refused(500), refused(3_000)];
        assert_eq!(are_true(&planted).len(), 2);
    }
}
