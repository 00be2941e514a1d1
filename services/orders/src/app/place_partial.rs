//! Placing one order of those tickets that can be had.

use std::collections::HashSet;

use bigtix_contracts::TicketId;
use bigtix_contracts::events::{OrderState, Versioned};

use super::Partition;
use super::place_order::{PlaceError, Wish};
use crate::domain::quote::Rejection;

/// How often the tickets that can be had are looked up anew.
const ATTEMPTS: usize = 20;

/// An order, and what could not be had.
#[derive(Debug, Clone)]
pub(crate) struct Partial {
    pub(crate) order: Versioned<OrderState>,
    pub(crate) unavailable: Vec<TicketId>,
    pub(crate) not_found: Vec<TicketId>,
}

impl Partition {
    /// Places an order of those of the wish's tickets that exist and are free.
    pub(crate) async fn place_partial(&self, wish: Wish) -> Result<Partial, PlaceError> {
        let known = self.copies.read(&wish.tickets).await?;
        let (exist, not_found): (Vec<_>, Vec<_>) = wish
            .tickets
            .iter()
            .copied()
            .partition(|id| known.contains_key(id));
        if let Some(order) = self.placed_before(&wish).await? {
            return Ok(partial_of(order, &exist, not_found));
        }
        let mut refused: HashSet<TicketId> = HashSet::new();
        for _ in 0..ATTEMPTS {
            refused.extend(self.held_of(&exist).await?);
            let free: Vec<TicketId> = exist.iter().copied().filter(|id| !refused.contains(id)).collect();
            if free.is_empty() {
                return Err(Rejection::AllUnavailable.into());
            }
            match self
                .place_order(Wish {
                    tickets: free,
                    ..wish.clone()
                })
                .await
            {
                Ok(order) => return Ok(partial_of(order, &exist, not_found)),
                Err(PlaceError::Rejected(Rejection::Reserved(ticket) | Rejection::NotForSale(ticket))) => {
                    refused.insert(ticket);
                }
                Err(error) => return Err(error),
            }
        }
        Err(PlaceError::Unavailable(
            "The tickets change hands too often".into(),
        ))
    }

    /// Those of `tickets` that an order or a withdrawal holds now.
    pub(crate) async fn held_of(&self, tickets: &[TicketId]) -> Result<HashSet<TicketId>, PlaceError> {
        Ok(self.claims.held_among(tickets, self.clock.now()).await?)
    }
}

fn partial_of(order: Versioned<OrderState>, exist: &[TicketId], not_found: Vec<TicketId>) -> Partial {
    let got: HashSet<TicketId> = order.state.tickets.iter().map(|ticket| ticket.id).collect();
    Partial {
        order,
        unavailable: exist.iter().copied().filter(|id| !got.contains(id)).collect(),
        not_found,
    }
}
