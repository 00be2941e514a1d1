use std::collections::BTreeMap;

use bigtix_contracts::TicketId;
use bigtix_contracts::events::{Envelope, OrderState};
use mongodb::error::Error;

use super::App;
use crate::domain::hold::Hold;

impl App {
    /// Shows on tickets what became of their orders.
    pub(crate) async fn project_orders(&self, events: Vec<Envelope<OrderState>>) -> Result<(), Error> {
        self.tickets.show_holds(&newest_holds(&events)).await
    }
}

/// What the events say of each ticket; of several orders of one ticket the last counts.
fn newest_holds(events: &[Envelope<OrderState>]) -> Vec<(TicketId, Hold)> {
    let mut newest: BTreeMap<TicketId, Hold> = BTreeMap::new();
    for event in events {
        let hold = Hold::of(&event.data, event.version);
        for ticket in &event.data.tickets {
            let known = newest.entry(ticket.id).or_insert(hold);
            if hold.supersedes(known) {
                *known = hold;
            }
        }
    }
    newest.into_iter().collect()
}
