//! The collection `intents`: changes of tickets that are under way. It makes the changes of one ticket wait for each
//! other, on all instances, and says what is left to settle when an instance dies in the middle of one.

use std::time::Duration;

use bigtix_contracts::internal::ClaimKind;
use bigtix_contracts::{OrderId, TicketId};
use bigtix_service::mongo::{Mongo, MongoError, duplicate_key, new_id, to_bson_time, to_object_id};
use bson::{Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::error::Error;
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

const INTENTS: &str = "intents";
/// The most that are settled at once.
const BATCH: i64 = 200;

/// A change that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) claim_id: OrderId,
    pub(crate) ticket_id: TicketId,
}

/// Changes that are under way.
#[derive(Clone)]
pub(crate) struct Intents {
    intents: Collection<Document>,
}

impl Intents {
    /// Makes sure that a ticket has one change under way at a time.
    pub(crate) async fn prepare(mongo: &Mongo) -> Result<Self, MongoError> {
        let unique = IndexOptions::builder()
            .unique(true)
            .name("one_change_at_a_time".to_owned())
            .build();
        let indexes = [
            IndexModel::builder()
                .keys(doc! {"ticketId": 1})
                .options(unique)
                .build(),
            IndexModel::builder().keys(doc! {"createdAt": 1}).build(),
        ];
        mongo.ensure_indexes(INTENTS, &indexes).await?;
        Ok(Self {
            intents: mongo.collection(INTENTS),
        })
    }

    /// Begins a change; `None` while another one of the same ticket is under way.
    pub(crate) async fn begin(
        &self,
        ticket_id: TicketId,
        kind: ClaimKind,
        now: Timestamp,
    ) -> Result<Option<Intent>, Error> {
        let claim_id = OrderId::from_bytes(new_id());
        let document = doc! {
            "_id": to_object_id(claim_id.bytes()),
            "ticketId": to_object_id(ticket_id.bytes()),
            "kind": match kind {
                ClaimKind::Edit => "edit",
                ClaimKind::Withdrawn => "withdrawn",
            },
            "createdAt": to_bson_time(now),
        };
        match self.intents.insert_one(document).await {
            Ok(_) => Ok(Some(Intent { claim_id, ticket_id })),
            Err(error) if duplicate_key(&error).is_some() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Nothing is left to settle.
    pub(crate) async fn end(&self, intent: Intent) -> Result<(), Error> {
        self.intents
            .delete_one(doc! {"_id": to_object_id(intent.claim_id.bytes())})
            .await?;
        Ok(())
    }

    /// Changes that have been under way for longer than `age`.
    pub(crate) async fn left_behind(&self, age: Duration, now: Timestamp) -> Result<Vec<Intent>, Error> {
        let before = now - jiff::SignedDuration::try_from(age).unwrap_or(jiff::SignedDuration::MAX);
        let old = doc! {"createdAt": {"$lt": to_bson_time(before)}};
        let found = self.intents.find(old).sort(doc! {"createdAt": 1}).limit(BATCH);
        let documents: Vec<Document> = found.await?.try_collect().await?;
        documents
            .iter()
            .map(|document| read(document).map_err(Error::from))
            .collect()
    }
}

fn read(document: &Document) -> Result<Intent, bson::error::Error> {
    Ok(Intent {
        claim_id: OrderId::from_bytes(document.get_object_id("_id")?.bytes()),
        ticket_id: TicketId::from_bytes(document.get_object_id("ticketId")?.bytes()),
    })
}
