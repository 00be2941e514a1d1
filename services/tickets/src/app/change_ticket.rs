//! Edit and withdraw.
//!
//! The ticket is claimed at the orders service, so that nobody can reserve it in the middle; then its document changes
//! by compare-and-set; then the claim is released together with the new state, which orders puts into its copy first. Of
//! a change that was begun an intent is kept until all of that is done; one that is left behind is settled later, which
//! raises the ticket's version. So the version that a change is based on is read before the claim: once the change has
//! been settled by somebody else, its compare-and-set fails.

use std::time::Duration;

use bigtix_contracts::events::Versioned;
use bigtix_contracts::internal::{Claim, ClaimOutcome, ReleaseClaim, paths};
use bigtix_contracts::{TicketId, UserId};
use bigtix_service::internal::CallError;
use mongodb::error::Error;
use tokio::time::Instant;

use super::App;
use crate::adapters::intents::Intent;
use crate::domain::change::{Change, Refusal};
use crate::domain::ticket::Ticket;

/// How long a change waits for others of the same ticket. One that was left behind is settled sooner.
const PATIENCE: Duration = Duration::from_secs(13);
const POLL: Duration = Duration::from_millis(10);

/// Somebody's wish to change a ticket.
#[derive(Debug, Clone)]
pub(crate) struct ChangeRequest {
    pub(crate) ticket_id: TicketId,
    pub(crate) caller: UserId,
    pub(crate) change: Change,
    /// The version that the caller has seen, if the change is for that one alone.
    pub(crate) based_on: Option<i64>,
    pub(crate) trace: Option<String>,
}

/// Why a change is not made, or not known to be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Another change of the ticket takes its time.
    #[error("Another change of this ticket is under way")]
    Busy,
    /// The claim could not be asked for; nothing is changed.
    #[error(transparent)]
    Orders(CallError),
    /// The change is made, but orders may not know it yet.
    #[error("the change is not known to orders yet: {0}")]
    Unknown(CallError),
    #[error(transparent)]
    Store(#[from] Error),
}

impl App {
    /// Changes a ticket that nobody holds, on behalf of its seller.
    pub(crate) async fn change_ticket(&self, request: ChangeRequest) -> Result<Ticket, ChangeError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.permitted(&request).await?;
            let kind = request.change.claim_kind();
            if let Some(intent) = self
                .intents
                .begin(request.ticket_id, kind, self.clock.now())
                .await?
                && let Some(ticket) = self.carry_out(&request, intent).await?
            {
                return Ok(ticket);
            }
            if Instant::now() >= deadline {
                return Err(ChangeError::Busy);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn permitted(&self, request: &ChangeRequest) -> Result<Ticket, ChangeError> {
        let ticket = self
            .tickets
            .find(request.ticket_id)
            .await?
            .ok_or(Refusal::NotFound)?;
        request.change.permit(&ticket, request.caller)?;
        Ok(ticket)
    }

    /// `None` when somebody else has settled the intent meanwhile, and nothing was changed.
    async fn carry_out(
        &self,
        request: &ChangeRequest,
        intent: Intent,
    ) -> Result<Option<Ticket>, ChangeError> {
        let before = match self.permitted(request).await {
            Ok(ticket) => ticket,
            Err(refusal) => {
                self.intents.end(intent).await?;
                return Err(refusal);
            }
        };
        let claim = Claim {
            claim_id: intent.claim_id,
            kind: request.change.claim_kind(),
            ticket_id: intent.ticket_id,
        };
        match self
            .orders
            .call(paths::CLAIM, &claim)
            .await
            .map_err(ChangeError::Orders)?
        {
            ClaimOutcome::Claimed => {}
            ClaimOutcome::Taken => {
                self.intents.end(intent).await?;
                return Err(request.change.refusal_of_held().into());
            }
            ClaimOutcome::Released => {
                self.intents.end(intent).await?;
                return Ok(None);
            }
        }
        if request.based_on.is_some_and(|version| version != before.version) {
            self.give_back(intent, &before).await;
            return Err(Refusal::Stale.into());
        }
        let next = request.change.apply(before.state);
        let replaced =
            self.tickets
                .replace(before.version, &next, self.clock.now(), request.trace.as_deref());
        let Some(after) = replaced.await? else {
            return Ok(None);
        };
        self.release(intent, &after).await.map_err(ChangeError::Unknown)?;
        if let Err(error) = self.intents.end(intent).await {
            tracing::warn!(ticket = %intent.ticket_id, %error, "a finished change will be settled once more");
        }
        Ok(Some(after))
    }

    /// The ticket stays as it is. What fails here is settled later.
    async fn give_back(&self, intent: Intent, unchanged: &Ticket) {
        let ended = match self.release(intent, unchanged).await {
            Ok(()) => self.intents.end(intent).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = ended {
            tracing::warn!(ticket = %intent.ticket_id, error, "a claim will be released later");
        }
    }

    /// Ends the claim; orders knows the ticket as it is now before anybody can reserve it.
    pub(super) async fn release(&self, intent: Intent, ticket: &Ticket) -> Result<(), CallError> {
        let release = ReleaseClaim {
            claim_id: intent.claim_id,
            ticket: Versioned {
                version: ticket.version,
                state: ticket.state.clone(),
            },
        };
        self.orders
            .call::<_, serde::de::IgnoredAny>(paths::RELEASE, &release)
            .await
            .map(|_| ())
    }
}
