//! The collection `tickets`: one document per ticket, and its own outbox.

use std::time::Duration;

use bigtix_contracts::api::tickets::TicketStatus;
use bigtix_contracts::events::TicketState;
use bigtix_contracts::{TicketId, UserId};
use bigtix_service::http::Page;
use bigtix_service::mongo::{DuplicateKey, Mongo, MongoError, duplicate_key, to_object_id};
use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{IndexOptions, ReturnDocument};
use mongodb::{Collection, IndexModel};
use serde::Deserialize;

use super::documents::{changed_fields, new_ticket, read_ticket, status_word};
use super::selection::{after, filter, newest_first, rows};
use crate::domain::selection::Selection;
use crate::domain::ticket::Ticket;

/// The name of the collection.
pub(crate) const TICKETS: &str = "tickets";
/// The index that keeps two open listings from having one serial number.
pub(crate) const SERIAL_INDEX: &str = "one_open_listing_per_serial_number";
/// How long several inserts may take together.
const BATCH_DEADLINE: Duration = Duration::from_secs(15);

/// Which version a ticket has.
#[derive(Debug, Deserialize)]
struct VersionRow {
    #[serde(rename = "_id")]
    id: ObjectId,
    version: i64,
}

/// Why tickets were not listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsertError {
    /// An open listing has the serial number of the one at this place.
    #[error("a serial number is taken")]
    SerialTaken { position: usize },
    /// Tickets with these ids are there already.
    #[error("the tickets exist")]
    Exists,
    /// It took too long; nobody knows whether they will be there.
    #[error("the outcome is unknown")]
    Unknown,
    #[error(transparent)]
    Store(Error),
}

/// All tickets.
#[derive(Clone)]
pub(crate) struct Tickets {
    pub(super) mongo: Mongo,
    pub(super) tickets: Collection<Document>,
}

impl Tickets {
    /// Makes sure of the indexes.
    pub(crate) async fn prepare(mongo: Mongo) -> Result<Self, MongoError> {
        let list = |keys: Document| IndexModel::builder().keys(keys).build();
        let serial = IndexOptions::builder()
            .unique(true)
            .name(SERIAL_INDEX.to_owned())
            .partial_filter_expression(doc! {"open": true})
            .build();
        let indexes = [
            IndexModel::builder()
                .keys(doc! {"serialNumber": 1})
                .options(serial)
                .build(),
            list(newest_first()),
            list(doc! {"status": 1, "createdAt": -1, "_id": -1}),
            list(doc! {"userId": 1, "createdAt": -1, "_id": -1}),
            list(doc! {"eventId": 1, "createdAt": -1, "_id": -1}),
            list(doc! {"serialNumber": 1, "createdAt": -1, "_id": -1}),
            // Not with the status: every hold would move an entry for each word.
            list(doc! {"words": 1}),
        ];
        mongo.ensure_indexes(TICKETS, &indexes).await?;
        Ok(Self {
            tickets: mongo.collection(TICKETS),
            mongo,
        })
    }

    /// One ticket.
    pub(crate) async fn find(&self, id: TicketId) -> Result<Option<Ticket>, Error> {
        let document = self
            .tickets
            .find_one(doc! {"_id": to_object_id(id.bytes())})
            .await?;
        document.as_ref().map(read).transpose()
    }

    /// Those of the tickets that exist, in no particular order.
    pub(crate) async fn find_all(&self, ids: &[TicketId]) -> Result<Vec<Ticket>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| to_object_id(id.bytes())).collect();
        let documents: Vec<Document> = self
            .tickets
            .find(doc! {"_id": {"$in": ids}})
            .await?
            .try_collect()
            .await?;
        documents.iter().map(read).collect()
    }

    /// A page of a list, and one more.
    pub(crate) async fn list(&self, selection: &Selection, page: Page) -> Result<Vec<Ticket>, Error> {
        let found = self
            .tickets
            .find(after(filter(selection), page))
            .sort(newest_first())
            .limit(rows(page));
        let documents: Vec<Document> = found.await?.try_collect().await?;
        documents.iter().map(read).collect()
    }

    /// Every ticket of an event that is not withdrawn.
    pub(crate) async fn of_event(&self, event_id: &str) -> Result<Vec<Ticket>, Error> {
        let mut found = self.tickets.find(offered(event_id)).await?;
        let mut tickets = Vec::new();
        while let Some(document) = found.try_next().await? {
            tickets.push(read(&document)?);
        }
        Ok(tickets)
    }

    /// The versions of the same tickets.
    pub(crate) async fn versions_of_event(&self, event_id: &str) -> Result<Vec<(TicketId, i64)>, Error> {
        let found = self
            .tickets
            .clone_with_type::<VersionRow>()
            .find(offered(event_id))
            .projection(doc! {"version": 1})
            .await?;
        let version = async |row: VersionRow| Ok((TicketId::from_bytes(row.id.bytes()), row.version));
        found.and_then(version).try_collect().await
    }

    /// Whether any ticket names the event.
    pub(crate) async fn names_event(&self, event_id: &str) -> Result<bool, Error> {
        let found = self
            .tickets
            .find_one(doc! {"eventId": event_id})
            .projection(doc! {"_id": 1})
            .await?;
        Ok(found.is_some())
    }

    /// The newest ticket with this serial number.
    pub(crate) async fn find_by_serial(&self, serial_number: &str) -> Result<Option<Ticket>, Error> {
        let document = self
            .tickets
            .find_one(doc! {"serialNumber": serial_number})
            .sort(newest_first())
            .await?;
        document.as_ref().map(read).transpose()
    }

    /// Who has the open listing with this serial number.
    pub(crate) async fn seller_of_open(&self, serial_number: &str) -> Result<Option<UserId>, Error> {
        let open = doc! {"serialNumber": serial_number, "open": true};
        let document = self.tickets.find_one(open).await?;
        document
            .as_ref()
            .map(|document| read(document).map(|ticket| ticket.state.user_id))
            .transpose()
    }

    /// Lists tickets, all or none.
    pub(crate) async fn insert(
        &self,
        states: &[TicketState],
        trace: Option<&str>,
    ) -> Result<(), InsertError> {
        let documents: Vec<Document> = states.iter().map(|state| new_ticket(state, trace)).collect();
        let inserted = match documents.as_slice() {
            [] => Ok(()),
            [document] => self.tickets.insert_one(document).await.map(|_| ()),
            _ => match tokio::time::timeout(BATCH_DEADLINE, self.insert_together(documents)).await {
                Ok(outcome) => outcome,
                Err(_) => return Err(InsertError::Unknown),
            },
        };
        inserted.map_err(refused)
    }

    /// Not the way of anything that is in a hurry, so a transaction will do.
    async fn insert_together(&self, documents: Vec<Document>) -> Result<(), Error> {
        let mut session = self.mongo.database().client().start_session().await?;
        let tickets = self.tickets.clone();
        let insert = async move |session: &mut mongodb::ClientSession| {
            tickets
                .insert_many(documents.clone())
                .session(session)
                .await
                .map(|_| ())
        };
        session.start_transaction().and_run2(insert).await
    }

    /// Makes `next` the state of the ticket if it still is at `version`. Answers the ticket after that; `None` when it
    /// has moved on.
    pub(crate) async fn replace(
        &self,
        version: i64,
        next: &TicketState,
        now: Timestamp,
        trace: Option<&str>,
    ) -> Result<Option<Ticket>, Error> {
        let mut set = changed_fields(next, now, trace);
        if next.withdrawn {
            set.extend(doc! {
                "withdrawn": true,
                "status": status_word(TicketStatus::Withdrawn),
                "orderId": Bson::Null,
                "open": false,
            });
        }
        self.compare_and_set(next.id, version, set).await
    }

    /// Raises the version and changes nothing else, so that nobody who read `version` can write any more.
    pub(crate) async fn fence(
        &self,
        id: TicketId,
        version: i64,
        now: Timestamp,
    ) -> Result<Option<Ticket>, Error> {
        self.compare_and_set(
            id,
            version,
            doc! {"updatedAt": bigtix_service::mongo::to_bson_time(now)},
        )
        .await
    }

    async fn compare_and_set(
        &self,
        id: TicketId,
        version: i64,
        set: Document,
    ) -> Result<Option<Ticket>, Error> {
        let at_version = doc! {"_id": to_object_id(id.bytes()), "version": version, "withdrawn": false};
        let update = doc! {"$set": set, "$inc": {"version": 1_i64}};
        let updated = self
            .tickets
            .find_one_and_update(at_version, update)
            .return_document(ReturnDocument::After);
        updated.await?.as_ref().map(read).transpose()
    }
}

/// Which tickets belong to an event.
fn offered(event_id: &str) -> Document {
    doc! {"eventId": event_id, "withdrawn": false}
}

pub(super) fn read(document: &Document) -> Result<Ticket, Error> {
    read_ticket(document).map_err(Error::custom)
}

fn refused(error: Error) -> InsertError {
    match duplicate_key(&error) {
        Some(DuplicateKey { index }) if index == SERIAL_INDEX => InsertError::SerialTaken {
            position: first_refused(&error),
        },
        Some(_) => InsertError::Exists,
        None => InsertError::Store(error),
    }
}

/// Which of several inserts was refused.
fn first_refused(error: &Error) -> usize {
    match error.kind.as_ref() {
        ErrorKind::InsertMany(many) => many
            .write_errors
            .iter()
            .flatten()
            .map(|error| error.index)
            .min()
            .unwrap_or_default(),
        _ => 0,
    }
}
