//! What sellers do to their own tickets: claim for an edit or a withdrawal, and release.

use bigtix_contracts::events::{TicketState, Versioned};
use bigtix_contracts::internal::{Claim, ClaimOutcome, ReleaseClaim};
use bigtix_service::internal::CallError;
use mongodb::error::Error;

use super::Partition;
use crate::adapters::HolderKind;
use crate::domain::order::{Command, is_overdue};

/// Why a ticket could not be claimed, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The tickets service failed, which was asked where the ticket belongs.
    #[error(transparent)]
    Owner(#[from] CallError),
}

impl Partition {
    /// Claims a ticket for its seller. An order whose time is over does not stand in the way.
    pub(crate) async fn claim_ticket(&self, claim: Claim) -> Result<ClaimOutcome, Error> {
        let Claim {
            claim_id,
            kind: _,
            ticket_id,
        } = claim;
        let outcome = self.claims.claim(claim_id, ticket_id).await?;
        if outcome != ClaimOutcome::Taken || !self.expire_holders(&[ticket_id]).await? {
            return Ok(outcome);
        }
        self.claims.claim(claim_id, ticket_id).await
    }

    /// Expires those orders on `tickets` whose time is over; whether there was one.
    pub(crate) async fn expire_holders(&self, tickets: &[bigtix_contracts::TicketId]) -> Result<bool, Error> {
        let mut expired = false;
        for holder in self.claims.holders(tickets).await? {
            if let HolderKind::Order(order) = &holder.kind
                && is_overdue(&order.state, self.clock.now())
            {
                self.orders.apply(holder.id, Command::Expire).await?;
                expired = true;
            }
        }
        Ok(expired)
    }

    /// Takes the ticket's state into the copy, then ends the claim; a withdrawn ticket keeps it.
    pub(crate) async fn release_claim(&self, release: ReleaseClaim) -> Result<(), Error> {
        let ReleaseClaim { claim_id, ticket } = release;
        let (id, withdrawn) = (ticket.state.id, ticket.state.withdrawn);
        self.copies.keep(vec![ticket]).await?;
        if withdrawn {
            self.claims.keep_as_withdrawn(claim_id, id).await
        } else {
            self.claims.release(claim_id, id).await
        }
    }

    /// Takes in what the tickets service published.
    pub(crate) async fn track_tickets(&self, tickets: Vec<Versioned<TicketState>>) -> Result<(), Error> {
        self.copies.keep(tickets).await.map(|_| ())
    }
}
