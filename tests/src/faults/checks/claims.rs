//! The claims, as the store committed them one after the other.

use std::collections::HashMap;

use bigtix_contracts::events::OrderStatus;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, deserialize_from_bson};

use crate::faults::evidence::Evidence;
use crate::faults::store_history::{Kept, State};

/// A claim, as far as promises are about it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    /// None for an edit or a withdrawal.
    pub(super) status: Option<OrderStatus>,
    /// Whether it holds its tickets.
    pub(super) holds: bool,
    pub(super) tickets: Vec<ObjectId>,
    pub(super) version: i64,
}

/// Reads a claim; an order holds its tickets by its status, whatever else its document says.
pub(super) fn claim(document: &Document) -> Option<Claim> {
    let tickets = document.get_array("ticketIds").ok()?;
    let tickets = tickets.iter().filter_map(Bson::as_object_id).collect();
    let is_order = document.get_str("kind").is_ok_and(|kind| kind == "order");
    let status: Option<OrderStatus> = match document.get("status") {
        Some(status) if is_order => deserialize_from_bson(status.clone()).ok(),
        _ => None,
    };
    let relisted = document.get_bool("relisted").unwrap_or(false);
    let holds = match status {
        Some(OrderStatus::Created | OrderStatus::AwaitingPayment | OrderStatus::Complete) => true,
        Some(OrderStatus::Refunded) => !relisted,
        Some(OrderStatus::Cancelled) => false,
        None => document.get_bool("active").unwrap_or(false),
    };
    Some(Claim {
        status,
        holds,
        tickets,
        version: document.get_i64("version").unwrap_or_default(),
    })
}

/// The states of all claims.
pub(super) fn claims(states: &[State]) -> impl Iterator<Item = (&State, Option<Claim>)> {
    let claims = states.iter().filter(|state| state.kept == Kept::Claims);
    claims.map(|state| (state, state.document.as_ref().and_then(claim)))
}

pub(super) fn a_ticket_is_held_once(evidence: &Evidence) -> Vec<String> {
    let mut holders: HashMap<ObjectId, ObjectId> = HashMap::new();
    let mut wrong = Vec::new();
    for (state, claim) in claims(&evidence.states) {
        // What it held before, it holds no more unless it says so again.
        let (holds, tickets) = claim.map_or((false, Vec::new()), |claim| (claim.holds, claim.tickets));
        if !holds {
            holders.retain(|_, holder| *holder != state.id);
            continue;
        }
        for ticket in tickets {
            match holders.insert(ticket, state.id) {
                Some(other) if other != state.id => {
                    wrong.push(format!("ticket {ticket} is held by {other} and by {}", state.id));
                }
                _ => {}
            }
        }
    }
    wrong
}

fn may_become(before: OrderStatus, after: OrderStatus) -> bool {
    use OrderStatus::{AwaitingPayment, Cancelled, Complete, Created, Refunded};
    before == after
        || matches!(
            (before, after),
            (Created, AwaitingPayment | Cancelled)
                | (AwaitingPayment, Complete | Cancelled)
                | (Complete, Refunded)
        )
}

pub(super) fn what_has_ended_stays(evidence: &Evidence) -> Vec<String> {
    let mut last: HashMap<ObjectId, OrderStatus> = HashMap::new();
    let mut wrong = Vec::new();
    for (state, claim) in claims(&evidence.states) {
        let Some(status) = claim.and_then(|claim| claim.status) else {
            if let Some(before) = last.remove(&state.id) {
                wrong.push(format!("order {} is gone, it was {before:?}", state.id));
            }
            continue;
        };
        if let Some(before) = last.insert(state.id, status)
            && !may_become(before, status)
        {
            wrong.push(format!("order {} was {before:?} and became {status:?}", state.id));
        }
    }
    wrong
}

pub(super) fn versions_grow(evidence: &Evidence) -> Vec<String> {
    let mut last: HashMap<(Kept, ObjectId), i64> = HashMap::new();
    let mut wrong = Vec::new();
    for state in &evidence.states {
        let version = state
            .document
            .as_ref()
            .and_then(|document| document.get_i64("version").ok());
        let Some(version) = version else { continue };
        if let Some(before) = last.insert((state.kept, state.id), version)
            && version < before
        {
            wrong.push(format!(
                "{:?} {} went from version {before} to {version}",
                state.kept, state.id
            ));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::super::planted::{evidence, order_state, state};
    use super::*;

    #[test]
    fn two_live_orders_on_a_ticket_are_found() {
        let (first, second, ticket) = (ObjectId::new(), ObjectId::new(), ObjectId::new());
        let mut planted = evidence();
        planted.states = vec![
            order_state(1, first, ticket, "created", 0),
            order_state(2, first, ticket, "cancelled", 1),
            order_state(3, second, ticket, "created", 0),
        ];
        assert_eq!(a_ticket_is_held_once(&planted), Vec::<String>::new());
        planted.states.remove(1);
        assert_eq!(a_ticket_is_held_once(&planted).len(), 1);
    }

    #[test]
    fn a_refunded_order_holds_its_ticket_until_it_is_relisted() {
        let (first, second, ticket) = (ObjectId::new(), ObjectId::new(), ObjectId::new());
        let mut planted = evidence();
        planted.states = vec![
            order_state(1, first, ticket, "refunded", 3),
            order_state(3, second, ticket, "created", 0),
        ];
        assert_eq!(a_ticket_is_held_once(&planted).len(), 1);
        if let Some(document) = &mut planted.states[0].document {
            document.insert("relisted", true);
        }
        assert!(a_ticket_is_held_once(&planted).is_empty());
    }

    #[test]
    fn an_edit_holds_its_ticket_until_it_is_gone() {
        let (edit, order, ticket) = (ObjectId::new(), ObjectId::new(), ObjectId::new());
        let held = doc! {"kind": "edit", "active": true, "ticketIds": [ticket]};
        let mut planted = evidence();
        planted.states = vec![
            state(1, Kept::Claims, edit, Some(held)),
            state(2, Kept::Claims, edit, None),
            order_state(3, order, ticket, "created", 0),
        ];
        assert!(a_ticket_is_held_once(&planted).is_empty());
        planted.states.remove(1);
        assert_eq!(a_ticket_is_held_once(&planted).len(), 1);
    }

    #[test]
    fn an_order_that_rises_from_the_dead_is_found() {
        let (order, ticket) = (ObjectId::new(), ObjectId::new());
        let mut planted = evidence();
        planted.states = vec![
            order_state(1, order, ticket, "created", 0),
            order_state(2, order, ticket, "cancelled", 1),
        ];
        assert!(what_has_ended_stays(&planted).is_empty());
        planted
            .states
            .push(order_state(3, order, ticket, "awaiting:payment", 2));
        assert_eq!(what_has_ended_stays(&planted).len(), 1);
        planted.states.pop();
        planted.states.push(state(3, Kept::Claims, order, None));
        assert_eq!(what_has_ended_stays(&planted).len(), 1);
    }

    #[test]
    fn a_version_that_falls_is_found() {
        let (order, ticket) = (ObjectId::new(), ObjectId::new());
        let mut planted = evidence();
        planted.states = vec![
            order_state(1, order, ticket, "created", 1),
            order_state(2, order, ticket, "cancelled", 0),
        ];
        assert_eq!(versions_grow(&planted).len(), 1);
        planted.states.reverse();
        assert!(versions_grow(&planted).is_empty());
    }
}
