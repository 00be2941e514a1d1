use bigtix_contracts::UserId;
use bigtix_contracts::api::tickets::Event;
use mongodb::error::Error;

use super::App;
use crate::adapters::ticketmaster::ProviderError;
use crate::domain::event::imported_id;

/// Why there is no event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    #[error("Event not found")]
    NotFound,
    /// The provider is off or away.
    #[error("Event provider unavailable")]
    Unavailable(#[source] ProviderError),
    #[error(transparent)]
    Store(#[from] Error),
}

impl From<ProviderError> for ImportError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::NotFound => Self::NotFound,
            ProviderError::Off | ProviderError::Failed(_) => Self::Unavailable(error),
        }
    }
}

impl App {
    /// Adds the provider's event to the catalogue, unless it is there already.
    pub(crate) async fn import_event(&self, tm_event_id: &str, caller: UserId) -> Result<Event, ImportError> {
        if let Some(event) = self.catalogue.find_imported(tm_event_id).await? {
            return Ok(event);
        }
        let draft = self.provider.read(tm_event_id).await?;
        let event = draft.add(imported_id(tm_event_id), caller, Some(tm_event_id.to_owned()));
        Ok(self.catalogue.add(event, self.clock.now()).await?)
    }

    /// The provider's event, imported or not.
    pub(crate) async fn look_at_event(&self, tm_event_id: &str) -> Result<Event, ImportError> {
        match self.catalogue.find_imported(tm_event_id).await? {
            Some(event) => Ok(event),
            None => Ok(self.provider.read(tm_event_id).await?.preview(tm_event_id)),
        }
    }
}
