use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bigtix_contracts::api::tickets::Event;
use bigtix_contracts::events::TicketState;
use bigtix_contracts::{EventId, TicketId, UserId};
use bigtix_service::http::idempotency::EffectSeed;
use mongodb::error::Error;
use tokio::time::Instant;

use super::App;
use crate::adapters::tickets::InsertError;
use crate::domain::event::summary;
use crate::domain::ticket::{Draft, EventChoice, Ticket};

/// How long the news that a ticket was sold may take. Until it has come, the listing that its buyer makes of it meets
/// the old one.
const NEWS: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(25);

/// Why nothing was listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    #[error("Event not found")]
    EventNotFound,
    /// The serial number of the draft at this place is taken.
    #[error("Serial number is already listed")]
    SerialTaken { position: usize },
    #[error("the outcome is unknown")]
    Unknown,
    #[error(transparent)]
    Store(#[from] Error),
}

impl App {
    /// Lists tickets, all or none. When a request is repeated with its key, the tickets of the first time are answered.
    pub(crate) async fn list_tickets(
        &self,
        seller: UserId,
        drafts: Vec<Draft>,
        seed: EffectSeed,
        trace: Option<String>,
    ) -> Result<Vec<Ticket>, ListError> {
        let ids: Vec<TicketId> = (0..drafts.len())
            .map(|n| TicketId::from_bytes(seed.id("ticket", n)))
            .collect();
        let given: Vec<bool> = drafts.iter().map(|draft| draft.serial_number.is_some()).collect();
        let states = self.states(seller, &ids, drafts).await?;
        match self.insert(&states, &given, trace.as_deref()).await {
            Ok(()) => Ok(states.into_iter().map(new).collect()),
            Err(InsertError::Store(error)) => Err(error.into()),
            Err(InsertError::Unknown) => Err(ListError::Unknown),
            // A listing of ours may hold the serial number, or the ids, since the request ran before.
            Err(refusal) if seed.is_repeated() => match self.in_order(&ids).await? {
                Some(tickets) => Ok(tickets),
                None => Err(refused(refusal)),
            },
            Err(refusal) => Err(refused(refusal)),
        }
    }

    async fn states(
        &self,
        seller: UserId,
        ids: &[TicketId],
        drafts: Vec<Draft>,
    ) -> Result<Vec<TicketState>, ListError> {
        let wanted: BTreeSet<EventId> = drafts
            .iter()
            .filter_map(|draft| draft.event.as_ref()?.catalogue_id())
            .collect();
        let events: BTreeMap<EventId, Event> = self.catalogue.find_all(wanted).await?;
        let now = self.clock.now();
        let state = |(draft, id): (Draft, &TicketId)| {
            let event = draft
                .event
                .as_ref()
                .and_then(EventChoice::catalogue_id)
                .and_then(|id| events.get(&id));
            match (&draft.event, event) {
                (Some(EventChoice::Catalogue(_)), None) => Err(ListError::EventNotFound),
                _ => Ok(draft.list(*id, seller, event.map(summary), now)),
            }
        };
        drafts.into_iter().zip(ids).map(state).collect()
    }

    /// A serial number that another seller's listing holds may be about to become free: sold tickets are, and whoever
    /// bought one may list it again at once, before the news of the sale is here.
    async fn insert(
        &self,
        states: &[TicketState],
        given: &[bool],
        trace: Option<&str>,
    ) -> Result<(), InsertError> {
        let deadline = Instant::now() + NEWS;
        loop {
            let position = match self.tickets.insert(states, trace).await {
                Err(InsertError::SerialTaken { position }) => position,
                outcome => return outcome,
            };
            let taken = InsertError::SerialTaken { position };
            let Some(state) = states
                .get(position)
                .filter(|_| given.get(position) == Some(&true))
            else {
                return Err(taken);
            };
            if repeats_an_earlier_one(states, position) {
                return Err(taken);
            }
            let holder = self
                .tickets
                .seller_of_open(&state.serial_number)
                .await
                .map_err(InsertError::Store)?;
            if holder == Some(state.user_id) || Instant::now() >= deadline {
                return Err(taken);
            }
            if holder.is_some() {
                tokio::time::sleep(POLL).await;
            }
        }
    }

    async fn in_order(&self, ids: &[TicketId]) -> Result<Option<Vec<Ticket>>, Error> {
        let found = self.tickets.find_all(ids).await?;
        let mut by_id: BTreeMap<TicketId, Ticket> = found
            .into_iter()
            .map(|ticket| (ticket.state.id, ticket))
            .collect();
        Ok(ids.iter().map(|id| by_id.remove(id)).collect())
    }
}

fn repeats_an_earlier_one(states: &[TicketState], position: usize) -> bool {
    let (earlier, rest) = states.split_at(position);
    rest.first().is_some_and(|this| {
        earlier
            .iter()
            .any(|each| each.serial_number == this.serial_number)
    })
}

fn refused(error: InsertError) -> ListError {
    match error {
        InsertError::SerialTaken { position } => ListError::SerialTaken { position },
        InsertError::Exists => ListError::Store(Error::custom("a new id was taken")),
        InsertError::Unknown => ListError::Unknown,
        InsertError::Store(error) => ListError::Store(error),
    }
}

fn new(state: TicketState) -> Ticket {
    Ticket {
        state,
        version: 0,
        status: bigtix_contracts::api::tickets::TicketStatus::Available,
        order_id: None,
    }
}
