//! What anybody may read, kept for a second: however many look at a page, the services are asked once.

use std::sync::Arc;
use std::time::Duration;

use bigtix_client::{Client, ClientError, Page, TicketFilter};
use bigtix_contracts::api::tickets::{Event, Ticket};
use bigtix_contracts::{EventId, TicketId};
use moka::future::Cache;

use crate::failure::{Failure, Sought};

const FRESH: Duration = Duration::from_secs(1);
/// A map of everything is dear to draw, and nobody acts on it at once.
const MAP_FRESH: Duration = Duration::from_secs(60);
const MOST_KEPT: u64 = 2_000;
/// Rows of one answer, and answers that are put together for one event.
const ROWS: usize = 200;
const ANSWERS: usize = 5;
/// Rows of one answer when everything on sale is looked through.
const LISTING_ROWS: usize = 48;

/// What somebody else's call came to, shared by all who waited for it.
pub(crate) type Read<T> = Result<Arc<T>, Arc<ClientError>>;

/// The free tickets of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Free {
    /// Cheapest first.
    pub(crate) tickets: Vec<Ticket>,
    /// Whether these are all of them.
    pub(crate) is_all: bool,
}

/// Which part of what is on sale.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Listing {
    /// Words; none means everything.
    pub(crate) words: String,
    pub(crate) cursor: Option<String>,
}

/// Public reads; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reads {
    api: Client,
    tickets: Cache<TicketId, Arc<Ticket>>,
    events: Cache<EventId, Arc<Event>>,
    free: Cache<EventId, Arc<Free>>,
    listings: Cache<Listing, Arc<Page<Ticket>>>,
    sitemap: Cache<(), Arc<String>>,
}

impl Reads {
    pub(crate) fn new(api: Client) -> Self {
        Self {
            api,
            tickets: cache(),
            events: cache(),
            free: cache(),
            listings: cache(),
            sitemap: Cache::builder().max_capacity(1).time_to_live(MAP_FRESH).build(),
        }
    }

    pub(crate) async fn ticket(&self, id: TicketId) -> Read<Ticket> {
        let ask = async { self.api.ticket(id).await.map(Arc::new) };
        self.tickets.try_get_with(id, ask).await
    }

    pub(crate) async fn event(&self, id: EventId) -> Read<Event> {
        let ask = async { self.api.event(id).await.map(Arc::new) };
        self.events.try_get_with(id, ask).await
    }

    pub(crate) async fn free(&self, event: EventId) -> Read<Free> {
        let ask = async { self.ask_free(event).await.map(Arc::new) };
        self.free.try_get_with(event, ask).await
    }

    /// What is free now, which everybody else reads from here on.
    pub(crate) async fn refresh_free(&self, event: EventId) -> Result<Arc<Free>, ClientError> {
        let free = Arc::new(self.ask_free(event).await?);
        self.free.insert(event, Arc::clone(&free)).await;
        Ok(free)
    }

    pub(crate) async fn listing(&self, listing: Listing) -> Read<Page<Ticket>> {
        let mut list = self
            .api
            .tickets()
            .status(TicketFilter::Available)
            .limit(LISTING_ROWS);
        if !listing.words.is_empty() {
            list = list.matching(&listing.words);
        }
        if let Some(cursor) = &listing.cursor {
            list = list.after(cursor);
        }
        let ask = async { list.page().await.map(Arc::new) };
        self.listings.try_get_with(listing, ask).await
    }

    /// The map of the site, drawn at most once a minute.
    pub(crate) async fn sitemap(
        &self,
        draw: impl Future<Output = Result<String, ClientError>>,
    ) -> Result<Arc<String>, Failure> {
        let drawn = self
            .sitemap
            .try_get_with((), async { draw.await.map(Arc::new) })
            .await;
        drawn.map_err(|error| Failure::reading(&error, Sought::Page))
    }

    /// Forgets a ticket that this instance has just changed or reserved.
    pub(crate) async fn forget(&self, ticket: TicketId, event: Option<EventId>) {
        self.tickets.invalidate(&ticket).await;
        if let Some(event) = event {
            self.free.invalidate(&event).await;
        }
    }

    /// Forgets what is free of an event that turned out to be otherwise.
    pub(crate) async fn forget_event(&self, event: EventId) {
        self.free.invalidate(&event).await;
    }

    async fn ask_free(&self, event: EventId) -> Result<Free, ClientError> {
        let mut tickets = Vec::new();
        let mut list = self.api.available_tickets_of_event(event).limit(ROWS);
        let mut is_all = false;
        for _ in 0..ANSWERS {
            let Page { items, next } = list.clone().page().await?;
            tickets.extend(items);
            match next {
                Some(cursor) => list = list.after(&cursor),
                None => {
                    is_all = true;
                    break;
                }
            }
        }
        tickets.sort_by_key(|ticket| (ticket.price, ticket.id));
        Ok(Free { tickets, is_all })
    }
}

fn cache<K, V>() -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(MOST_KEPT)
        .time_to_live(FRESH)
        .build()
}
