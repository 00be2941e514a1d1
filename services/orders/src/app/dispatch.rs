//! Which partition a request is for. A shop of one asks nobody.

use std::cmp::Reverse;

use bigtix_contracts::events::{OrderState, TicketState, Versioned};
use bigtix_contracts::internal::{Claim, ClaimOutcome, ReleaseClaim};
use bigtix_contracts::{OrderId, TicketId, UserId};
use bigtix_service::http::Page;
use bigtix_service::internal::CallError;
use futures::future::{join_all, try_join_all};
use mongodb::error::Error;

use super::claim_ticket::ClaimError;
use super::place_order::{PlaceError, Wish};
use super::place_partial::Partial;
use super::{App, Partition};
use crate::adapters::Places;
use crate::domain::order::{Applied, Command};
use crate::domain::partition::{PartitionId, Partitioner};
use crate::domain::quote::Rejection;

impl App {
    /// Over `partitions`, which are all that the partitioner knows, in their order.
    pub(crate) fn new(partitioner: Partitioner, partitions: Vec<Partition>, places: Places) -> Self {
        Self {
            partitioner,
            partitions: partitions.into(),
            places,
        }
    }

    /// Places an order of given tickets. Where the first one belongs it is decided whether all of them do.
    pub(crate) async fn place_order(&self, wish: Wish) -> Result<Versioned<OrderState>, PlaceError> {
        let partitions = self.of_tickets(wish.tickets.get(..1).unwrap_or_default()).await?;
        let partition = partitions.first().ok_or(Rejection::TicketNotFound)?;
        partition.place_order(partition.own(wish)).await
    }

    /// Places `wish` (whose tickets are not chosen yet) on the `quantity` cheapest free tickets of `event`.
    pub(crate) async fn place_any(
        &self,
        wish: Wish,
        event: &str,
        quantity: usize,
    ) -> Result<Versioned<OrderState>, PlaceError> {
        let partition = self.at(self.partitioner.of_event(event));
        partition.place_any(partition.own(wish), event, quantity).await
    }

    /// Places an order of those of the wish's tickets that exist and are free, if those that exist belong together.
    pub(crate) async fn place_partial(&self, wish: Wish) -> Result<Partial, PlaceError> {
        match self.of_tickets(&wish.tickets).await?.as_slice() {
            [] => Err(Rejection::AllUnavailable.into()),
            [partition] => partition.place_partial(partition.own(wish)).await,
            partitions => self.placed_partially_before(partitions, wish).await,
        }
    }

    /// Tickets that are apart now may have been together in an earlier run of the request, when others did not exist yet.
    async fn placed_partially_before(
        &self,
        partitions: &[&Partition],
        wish: Wish,
    ) -> Result<Partial, PlaceError> {
        if wish.is_repeated {
            for partition in partitions {
                let wish = partition.own(wish.clone());
                if partition.orders.find(wish.order_id).await?.is_some() {
                    return partition.place_partial(wish).await;
                }
            }
        }
        Err(Rejection::TicketsApart.into())
    }

    /// The order as it is now, at the prices that count; one whose time is over is expired first.
    pub(crate) async fn find_order(&self, id: OrderId) -> Result<Option<Versioned<OrderState>>, Error> {
        match self.of_order(id) {
            Some(partition) => partition.find_order(id).await,
            None => Ok(None),
        }
    }

    /// A page of a buyer's orders, newest first, and one more where there are more. All partitions have to answer: a list
    /// with holes would look whole.
    pub(crate) async fn find_orders_of(
        &self,
        buyer: UserId,
        page: &Page,
    ) -> Result<Vec<Versioned<OrderState>>, Error> {
        let parts = self.partitions.iter();
        let parts = try_join_all(parts.map(|partition| partition.find_orders_of(buyer, page))).await?;
        let mut orders: Vec<_> = parts.into_iter().flatten().collect();
        orders.sort_by_key(|order| Reverse((order.state.created_at, order.state.id)));
        orders.truncate(page.limit + 1);
        Ok(orders)
    }

    /// Applies a command; `None` when there is no such order.
    pub(crate) async fn settle_order(&self, id: OrderId, command: Command) -> Result<Option<Applied>, Error> {
        match self.of_order(id) {
            Some(partition) => partition.orders.apply(id, command).await,
            None => Ok(None),
        }
    }

    /// Expires those of the orders whose time is over by the store's clock.
    pub(crate) async fn expire_orders(&self, ids: &[OrderId]) -> Result<(), Error> {
        let mut shares: Vec<Vec<_>> = self.partitions.iter().map(|_| Vec::new()).collect();
        for id in ids {
            if let Some(partition) = self.partitioner.of_order(*id) {
                shares[partition.index()].push(*id);
            }
        }
        let concerned = self.partitions.iter().zip(&shares);
        let concerned = concerned.filter(|(_, share)| !share.is_empty());
        let expired = join_all(concerned.map(|(partition, share)| partition.orders.expire(share))).await;
        expired.into_iter().try_for_each(|expired| expired.map(drop))
    }

    /// Claims a ticket for its seller.
    pub(crate) async fn claim_ticket(&self, claim: Claim) -> Result<ClaimOutcome, ClaimError> {
        let partitions = self.of_tickets(&[claim.ticket_id]).await?;
        let partition = partitions
            .first()
            .ok_or(CallError::NotFound { service: "tickets" })?;
        Ok(partition.claim_ticket(claim).await?)
    }

    /// Takes the ticket's state into the copy, then ends the claim; a withdrawn ticket keeps it.
    pub(crate) async fn release_claim(&self, release: ReleaseClaim) -> Result<(), Error> {
        let partition = self.at(self.places.of(&release.ticket.state));
        partition.release_claim(release).await
    }

    /// Takes in what the tickets service published. What belongs to partitions that answer is taken in also when another one
    /// does not; all of it comes again then.
    pub(crate) async fn track_tickets(&self, tickets: Vec<Versioned<TicketState>>) -> Result<(), Error> {
        let mut shares: Vec<Vec<_>> = self.partitions.iter().map(|_| Vec::new()).collect();
        for ticket in tickets {
            shares[self.places.of(&ticket.state).index()].push(ticket);
        }
        let partitions = self.partitions.iter().zip(shares);
        let tracked = join_all(partitions.map(|(partition, share)| partition.track_tickets(share))).await;
        tracked.into_iter().collect()
    }

    fn at(&self, id: PartitionId) -> &Partition {
        &self.partitions[id.index()]
    }

    fn of_order(&self, id: OrderId) -> Option<&Partition> {
        self.partitioner.of_order(id).map(|id| self.at(id))
    }

    /// The partitions of those of `tickets` that exist, each once.
    async fn of_tickets(&self, tickets: &[TicketId]) -> Result<Vec<&Partition>, CallError> {
        if let [only] = &*self.partitions {
            return Ok(vec![only]);
        }
        let places = self.places.find(tickets).await?;
        let mut ids: Vec<PartitionId> = Vec::new();
        for id in tickets.iter().filter_map(|ticket| places.get(ticket)) {
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
        Ok(ids.into_iter().map(|id| self.at(id)).collect())
    }
}

impl Partition {
    /// The wish with the id that its order has here.
    fn own(&self, wish: Wish) -> Wish {
        Wish {
            order_id: self.share.order_id(wish.order_id),
            ..wish
        }
    }
}
