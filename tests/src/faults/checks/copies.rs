//! What a service shows or keeps of another one's is what that one has.

use std::collections::HashMap;

use bigtix_contracts::api::tickets::TicketStatus;
use bigtix_contracts::events::OrderStatus;
use bigtix_contracts::{OrderId, TicketId};

use super::claims::claims;
use crate::faults::evidence::Evidence;

pub(super) fn converge(evidence: &Evidence) -> Vec<String> {
    let mut wrong = Vec::new();
    for (id, (price, version)) in &evidence.finals.copies {
        let Some(owned) = evidence.finals.tickets.get(id) else {
            continue;
        };
        if (owned.price.0, owned.version) != (*price, *version) {
            wrong.push(format!(
                "orders has ticket {id} at version {version} for {}, tickets at {} for {}",
                price.0, owned.version, owned.price.0.0
            ));
        }
    }
    let holders = holders(evidence);
    for ticket in evidence.finals.tickets.values() {
        let expected = match (ticket.status, holders.get(&ticket.id)) {
            // It says nothing about orders any more.
            (TicketStatus::Withdrawn, None) => continue,
            (_, Some((order, OrderStatus::Complete | OrderStatus::Refunded))) => {
                (TicketStatus::Sold, Some(*order))
            }
            (_, Some((order, _))) => (TicketStatus::Reserved, Some(*order)),
            (_, None) => (TicketStatus::Available, None),
        };
        if (ticket.status, ticket.order_id) != expected {
            wrong.push(format!(
                "ticket {} is shown as {:?} in order {:?}, and is {expected:?}",
                ticket.id, ticket.status, ticket.order_id
            ));
        }
    }
    wrong
}

/// Which order holds each ticket in the end.
fn holders(evidence: &Evidence) -> HashMap<TicketId, (OrderId, OrderStatus)> {
    let mut last = HashMap::new();
    for (state, claim) in claims(&evidence.states) {
        last.insert(OrderId::from_bytes(state.id.bytes()), claim);
    }
    let mut holders = HashMap::new();
    for (order, claim) in last {
        let Some(claim) = claim.filter(|claim| claim.holds) else {
            continue;
        };
        if let Some(status) = claim.status {
            let tickets = claim
                .tickets
                .iter()
                .map(|ticket| TicketId::from_bytes(ticket.bytes()));
            holders.extend(tickets.map(|ticket| (ticket, (order, status))));
        }
    }
    holders
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::api::tickets::Ticket;
    use bigtix_contracts::{Cents, Dollars};
    use mongodb::bson::oid::ObjectId;

    use super::super::planted::{evidence, order_id, order_state, ticket_id, user};
    use super::*;

    fn ticket(status: TicketStatus, order: Option<OrderId>) -> Ticket {
        Ticket {
            id: ticket_id(1),
            title: "Standing".into(),
            price: Dollars(Cents(2_000)),
            user_id: user(),
            description: String::new(),
            serial_number: "1".into(),
            event_id: None,
            event: None,
            order_id: order,
            status,
            version: 3,
        }
    }

    #[test]
    fn a_copy_that_stayed_behind_is_found() {
        let mut planted = evidence();
        planted.finals.tickets = [(ticket_id(1), ticket(TicketStatus::Available, None))].into();
        planted.finals.copies = [(ticket_id(1), (Cents(2_000), 3))].into();
        assert!(converge(&planted).is_empty());
        planted.finals.copies = [(ticket_id(1), (Cents(1_000), 2))].into();
        assert_eq!(converge(&planted).len(), 1);
    }

    #[test]
    fn a_sold_ticket_that_is_shown_as_free_is_found() {
        let (order, id) = (ObjectId::from_bytes([1; 12]), ObjectId::from_bytes([1; 12]));
        let mut planted = evidence();
        planted.states = vec![order_state(1, order, id, "complete", 2)];
        planted.finals.tickets = [(ticket_id(1), ticket(TicketStatus::Available, None))].into();
        assert_eq!(converge(&planted).len(), 1);
        let sold = ticket(TicketStatus::Sold, Some(order_id(1)));
        planted.finals.tickets = [(ticket_id(1), sold)].into();
        assert!(converge(&planted).is_empty());
    }
}
