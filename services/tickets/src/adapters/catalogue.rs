//! The collection `events`: the catalogue.

use std::collections::BTreeMap;

use bigtix_contracts::EventId;
use bigtix_contracts::api::tickets::Event;
use bigtix_service::http::{Cursor, Page};
use bigtix_service::mongo::{Mongo, MongoError, duplicate_key, to_object_id};
use bson::{Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

use super::documents::{added_at, new_event, read_event};
use super::selection::{after, newest_first, rows, words_filter};

const EVENTS: &str = "events";

/// An event, and its place in the list.
pub(crate) struct Row {
    pub(crate) event: Event,
    pub(crate) place: Cursor,
}

/// All events.
#[derive(Clone)]
pub(crate) struct Catalogue {
    events: Collection<Document>,
}

impl Catalogue {
    /// Makes sure of the indexes.
    pub(crate) async fn prepare(mongo: &Mongo) -> Result<Self, MongoError> {
        let once = IndexOptions::builder()
            .unique(true)
            .name("one_import_per_event".to_owned())
            .partial_filter_expression(doc! {"tmEventId": {"$type": "string"}})
            .build();
        let indexes = [
            IndexModel::builder()
                .keys(doc! {"tmEventId": 1})
                .options(once)
                .build(),
            IndexModel::builder().keys(newest_first()).build(),
            IndexModel::builder().keys(doc! {"words": 1}).build(),
        ];
        mongo.ensure_indexes(EVENTS, &indexes).await?;
        Ok(Self {
            events: mongo.collection(EVENTS),
        })
    }

    /// One event.
    pub(crate) async fn find(&self, id: EventId) -> Result<Option<Event>, Error> {
        self.find_one(doc! {"_id": to_object_id(id.bytes())}).await
    }

    /// The event that was imported from the provider's.
    pub(crate) async fn find_imported(&self, tm_event_id: &str) -> Result<Option<Event>, Error> {
        self.find_one(doc! {"tmEventId": tm_event_id}).await
    }

    async fn find_one(&self, filter: Document) -> Result<Option<Event>, Error> {
        let document = self.events.find_one(filter).await?;
        document.as_ref().map(read).transpose()
    }

    /// Those of the events that exist.
    pub(crate) async fn find_all(
        &self,
        ids: impl IntoIterator<Item = EventId>,
    ) -> Result<BTreeMap<EventId, Event>, Error> {
        let ids: Vec<_> = ids.into_iter().map(|id| to_object_id(id.bytes())).collect();
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let documents: Vec<Document> = self
            .events
            .find(doc! {"_id": {"$in": ids}})
            .await?
            .try_collect()
            .await?;
        documents
            .iter()
            .map(|document| read(document).map(|event| (event.id, event)))
            .collect()
    }

    /// A page of the events that have all of the words, and one more.
    pub(crate) async fn list(&self, words: &[String], page: Page) -> Result<Vec<Row>, Error> {
        let found = self
            .events
            .find(after(words_filter(words), page))
            .sort(newest_first())
            .limit(rows(page));
        let documents: Vec<Document> = found.await?.try_collect().await?;
        documents.iter().map(read_row).collect()
    }

    /// Adds an event, or answers the one that has its id or was imported from the same.
    pub(crate) async fn add(&self, event: Event, now: Timestamp) -> Result<Event, Error> {
        match self.events.insert_one(new_event(&event, now)).await {
            Ok(_) => Ok(event),
            Err(error) if duplicate_key(&error).is_some() => {
                let mut same = vec![doc! {"_id": to_object_id(event.id.bytes())}];
                same.extend(event.tm_event_id.as_deref().map(|id| doc! {"tmEventId": id}));
                self.find_one(doc! {"$or": same}).await?.ok_or(error)
            }
            Err(error) => Err(error),
        }
    }
}

fn read(document: &Document) -> Result<Event, Error> {
    read_event(document).map_err(Error::custom)
}

fn read_row(document: &Document) -> Result<Row, Error> {
    let event = read(document)?;
    let millis = added_at(document).map_err(Error::custom)?.as_millisecond();
    Ok(Row {
        place: Cursor {
            millis,
            id: event.id.bytes(),
        },
        event,
    })
}
