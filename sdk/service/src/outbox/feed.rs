//! Where the relay's documents come from: a full scan if it has no position, then the change stream from a point before
//! the scan began.

use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, Document, Timestamp, doc};
use mongodb::change_stream::event::ResumeToken;
use mongodb::error::{Error, ErrorKind};
use mongodb::options::FullDocumentType;
use tokio::sync::mpsc::Sender;

use super::Source;
use crate::crowd::Pace;
use crate::mongo::Mongo;

/// How long the server waits for a change before it says that there is none.
const AWAIT: Duration = Duration::from_secs(1);
/// In a crowd, so many changes are passed on before a rest.
const PORTION: usize = 25;
const REST: Duration = Duration::from_millis(50);
const SCAN_BATCH: u32 = 500;

/// Codes that say that the change stream cannot go on from where it was: the oplog has moved past it, or the position
/// belongs to a collection that was dropped or replaced.
const POSITION_GONE: [i32; 9] = [136, 222, 260, 280, 286, 40585, 40615, 40649, 50811];

/// What the feed brings.
#[derive(Debug)]
pub(crate) enum Item {
    /// A document found by the scan.
    Scanned(Document),
    /// A document that was changed, and the position after the change.
    Changed(Document, ResumeToken),
    /// Nothing happened up to this position that matters.
    Position(ResumeToken),
}

enum Start {
    After(ResumeToken),
    At(Timestamp),
}

enum Tail {
    /// Nobody listens any more.
    Unheard,
    /// The change stream can tell no more, as when its collection was dropped.
    Ended,
}

/// Feeds until nobody listens. Without a token, or when the token is of no use any more, everything is scanned first.
///
/// # Errors
/// The driver's.
pub(crate) async fn feed(
    mongo: Mongo,
    source: Arc<Source>,
    token: Option<ResumeToken>,
    items: Sender<Item>,
) -> Result<(), Error> {
    let mut position = token;
    loop {
        let start = match position.take() {
            Some(token) => Start::After(token),
            None => match scan(&mongo, &source, &items).await? {
                Some(time) => Start::At(time),
                None => return Ok(()),
            },
        };
        match tail(&mongo, &source, start, &items).await {
            Ok(Tail::Unheard) => return Ok(()),
            Ok(Tail::Ended) => tracing::warn!(
                collection = source.collection,
                "the change stream ended; scanning"
            ),
            Err(error) if is_position_gone(&error) => {
                tracing::warn!(collection = source.collection, %error, "the change stream's history is gone; scanning");
            }
            Err(error) => return Err(error),
        }
    }
}

/// Sends every document and returns a time at which the scan had not begun; `None` when nobody listens.
///
/// The session makes the scan see at least everything up to that time, even what no majority had then.
async fn scan(mongo: &Mongo, source: &Source, items: &Sender<Item>) -> Result<Option<Timestamp>, Error> {
    let mut session = mongo
        .database()
        .client()
        .start_session()
        .causal_consistency(true)
        .await?;
    mongo
        .database()
        .run_command(doc! {"ping": 1})
        .session(&mut session)
        .await?;
    let time = session
        .operation_time()
        .ok_or_else(|| Error::custom("the server tells no operation time"))?;
    let collection = mongo.collection(source.collection);
    let mut documents = collection
        .find(source.filter.clone())
        .sort(doc! {"_id": 1})
        .batch_size(SCAN_BATCH)
        .session(&mut session)
        .await?;
    let mut count = 0_u64;
    while let Some(document) = documents.next(&mut session).await.transpose()? {
        if items.send(Item::Scanned(document)).await.is_err() {
            return Ok(None);
        }
        count += 1;
    }
    tracing::info!(collection = source.collection, count, "scanned");
    Ok(Some(time))
}

async fn tail(mongo: &Mongo, source: &Source, start: Start, items: &Sender<Item>) -> Result<Tail, Error> {
    let collection = mongo.collection(source.collection);
    let watch = collection
        .watch()
        .pipeline(pipeline(&source.filter))
        .full_document(FullDocumentType::UpdateLookup)
        .max_await_time(AWAIT);
    let watch = match start {
        Start::After(token) => watch.start_after(token),
        Start::At(time) => watch.start_at_operation_time(time),
    };
    let mut changes = watch.await?;
    let mut pace = Pace::new(PORTION, REST);
    while changes.is_alive() {
        let item = match changes.next_if_any().await? {
            Some(change) => Some(match change.full_document {
                Some(document) => Item::Changed(document, change.id),
                // It has been deleted since.
                None => Item::Position(change.id),
            }),
            None => changes.resume_token().map(Item::Position),
        };
        if let Some(item) = item
            && items.send(item).await.is_err()
        {
            return Ok(Tail::Unheard);
        }
        pace.step().await;
    }
    Ok(Tail::Ended)
}

/// Changes that made a new version. What touches a projection beside the state, and no version, is nobody's news.
fn pipeline(filter: &Document) -> [Document; 2] {
    let new_version = doc! {"$or": [
        {"operationType": {"$in": ["insert", "replace"]}},
        {"operationType": "update", "updateDescription.updatedFields.version": {"$exists": true}},
    ]};
    [
        doc! {"$match": {"$and": [new_version, within_full_document(filter)]}},
        doc! {"$project": {"updateDescription": 0}},
    ]
}

/// The filter of documents, as a filter of changes.
fn within_full_document(filter: &Document) -> Document {
    let inner = |condition: &Bson| match condition {
        Bson::Document(condition) => Bson::from(within_full_document(condition)),
        other => other.clone(),
    };
    let translated = filter
        .iter()
        .map(|(key, condition)| match (key.as_str(), condition) {
            ("$and" | "$or" | "$nor", Bson::Array(parts)) => {
                (key.clone(), Bson::Array(parts.iter().map(inner).collect()))
            }
            _ => (format!("fullDocument.{key}"), condition.clone()),
        });
    translated.collect()
}

fn is_position_gone(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => {
            POSITION_GONE.contains(&command.code) || error.contains_label("NonResumableChangeStreamError")
        }
        ErrorKind::MissingResumeToken => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outbox_filter_is_applied_to_the_full_document() {
        let filter = doc! {"kind": "order", "$or": [{"a": 1}, {"b": {"$gt": 2}}]};
        let expected = doc! {"fullDocument.kind": "order", "$or": [{"fullDocument.a": 1}, {"fullDocument.b": {"$gt": 2}}]};
        assert_eq!(within_full_document(&filter), expected);
    }
}
