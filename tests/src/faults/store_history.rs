//! What the store itself says that happened: every state of every claim, payment and ticket, in the order in which the
//! store committed them. It is read after the fact, from change streams, so that nothing is missed and nothing slowed.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use mongodb::Client;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Bson, Document, Timestamp, doc};
use mongodb::change_stream::event::{ChangeStreamEvent, OperationType};
use mongodb::options::{FullDocumentBeforeChangeType, FullDocumentType};

use super::history::Moment;

/// A collection whose every state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kept {
    /// Orders, edits and withdrawals.
    Claims,
    /// Payments.
    Payments,
    /// Tickets.
    Tickets,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Claims, Self::Payments, Self::Tickets];

    const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Claims => ("orders", "claims"),
            Self::Payments => ("payments", "payments"),
            Self::Tickets => ("tickets", "tickets"),
        }
    }
}

/// A document from one moment on; none when it was deleted.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// When the store committed it.
    pub at: Moment,
    /// Where.
    pub kept: Kept,
    /// Which document.
    pub id: ObjectId,
    /// What it said from then on.
    pub document: Option<Document>,
}

/// How long the store may be silent before all it has is read.
const SILENCE: Duration = Duration::from_secs(60);
const MARKS: &str = "faults";

/// The way to the store's own history.
pub struct StoreHistory {
    client: Client,
    since: Timestamp,
}

impl StoreHistory {
    /// From now on every state is kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn begin(admin_uri: &str) -> Result<Self> {
        let client = Client::with_uri_str(admin_uri)
            .await
            .context("the store's address")?;
        for kept in Kept::ALL {
            let (database, collection) = kept.place();
            let keep = doc! {"collMod": collection, "changeStreamPreAndPostImages": {"enabled": true}};
            client.database(database).run_command(keep).await?;
        }
        let hello = client.database("admin").run_command(doc! {"hello": 1}).await?;
        let since = hello.get_timestamp("operationTime").context("the store's time")?;
        Ok(Self { client, since })
    }

    /// The store, for final reads.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Every state since the beginning.
    ///
    /// # Errors
    /// The store's, or when it does not come to an end.
    pub async fn read(&self) -> Result<Vec<State>> {
        let mark = ObjectId::new();
        let marks = self.client.database(MARKS).collection::<Document>(MARKS);
        let places: BTreeMap<(&str, &str), Kept> =
            Kept::ALL.into_iter().map(|kept| (kept.place(), kept)).collect();
        let wanted: Vec<Document> = places
            .keys()
            .copied()
            .chain([(MARKS, MARKS)])
            .map(|(database, collection)| doc! {"ns": {"db": database, "coll": collection}})
            .collect();
        let mut changes = self
            .client
            .watch()
            .pipeline([doc! {"$match": {"$or": wanted}}])
            .start_at_operation_time(self.since)
            .full_document(FullDocumentType::WhenAvailable)
            .full_document_before_change(FullDocumentBeforeChangeType::Off)
            .await?;
        marks.insert_one(doc! {"_id": mark}).await?;
        let mut states = Vec::new();
        loop {
            let next = tokio::time::timeout(SILENCE, changes.try_next()).await;
            let Some(change) = next.context("the store is silent")?? else {
                bail!("the store's history ended early");
            };
            let Some(id) = id_of(&change) else { continue };
            if id == mark {
                return Ok(states);
            }
            let place = change
                .ns
                .as_ref()
                .and_then(|place| Some((place.db.as_str(), place.coll.as_deref()?)));
            let Some(kept) = place.and_then(|place| places.get(&place)) else {
                continue;
            };
            states.push(state(*kept, id, change)?);
        }
    }
}

fn id_of(change: &ChangeStreamEvent<Document>) -> Option<ObjectId> {
    match change.document_key.as_ref()?.get("_id")? {
        Bson::ObjectId(id) => Some(*id),
        _ => None,
    }
}

fn state(kept: Kept, id: ObjectId, change: ChangeStreamEvent<Document>) -> Result<State> {
    let at = change.wall_time.context("a change without a time")?;
    let document = match change.operation_type {
        OperationType::Delete => None,
        _ => Some(change.full_document.context("a change without its document")?),
    };
    Ok(State {
        at: Moment(at.timestamp_millis() * 1_000),
        kept,
        id,
        document,
    })
}
