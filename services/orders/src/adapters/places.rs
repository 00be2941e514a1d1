//! To which partition tickets belong, in a shop that has several.

use std::collections::HashMap;

use bigtix_contracts::TicketId;
use bigtix_contracts::events::TicketState;
use bigtix_contracts::internal::{ReadTickets, TicketList, paths};
use bigtix_service::internal::{CallError, Peer};
use moka::sync::Cache;

use crate::domain::partition::{PartitionId, Partitioner};

/// How many tickets are remembered; one takes about a hundred bytes.
const REMEMBERED: u64 = 500_000;

/// The places of tickets, as far as they are remembered. A ticket's event never changes, so what is remembered is true.
#[derive(Clone)]
pub(crate) struct Places {
    partitioner: Partitioner,
    owner: Peer,
    memory: Cache<TicketId, PartitionId>,
}

impl Places {
    /// Nothing is remembered yet; `owner` is asked.
    pub(crate) fn new(partitioner: Partitioner, owner: Peer) -> Self {
        Self {
            partitioner,
            owner,
            memory: Cache::new(REMEMBERED),
        }
    }

    /// The place of a ticket whose state is at hand.
    pub(crate) fn of(&self, ticket: &TicketState) -> PartitionId {
        let place = self.partitioner.of_ticket(ticket.id, ticket.event_id.as_deref());
        if self.partitioner.is_plural() {
            self.memory.insert(ticket.id, place);
        }
        place
    }

    /// The places of those of `tickets` that exist. The owner of the tickets is asked and no partition: their number makes
    /// it no dearer, and none that is away delays it.
    pub(crate) async fn find(
        &self,
        tickets: &[TicketId],
    ) -> Result<HashMap<TicketId, PartitionId>, CallError> {
        let remembered = tickets.iter().filter_map(|id| Some((*id, self.memory.get(id)?)));
        let mut places: HashMap<TicketId, PartitionId> = remembered.collect();
        let unknown = tickets.iter().filter(|id| !places.contains_key(id));
        let ids: Vec<TicketId> = unknown.copied().collect();
        if !ids.is_empty() {
            let list: TicketList = self.owner.call(paths::READ_TICKETS, &ReadTickets { ids }).await?;
            let found = list.tickets.iter().map(|ticket| &ticket.state);
            places.extend(found.map(|ticket| (ticket.id, self.of(ticket))));
        }
        Ok(places)
    }
}
