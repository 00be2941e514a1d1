//! Where the relay's documents come from: a full scan if it has no position, then the change stream from a point before
//! the scan began.

use std::sync::Arc;
use std::time::Duration;

use bson::raw::RawBsonRef;
use bson::{Bson, Document, RawDocument, RawDocumentBuf, Timestamp, doc};
use futures::TryStreamExt;
use mongodb::error::{Error, ErrorKind};
use mongodb::raw_batch_cursor::{RawBatch, RawBatchCursor};
use tokio::sync::mpsc::Sender;

use super::Source;
use crate::crowd::is_crowded;
use crate::mongo::Mongo;

/// How long the server waits for a change before it says that there is none.
const AWAIT: Duration = Duration::from_secs(1);
/// In a crowd the server does not wait, since whatever anybody writes would wake it, and is asked again after a rest.
const AWAIT_IN_CROWD: Duration = Duration::from_millis(1);
const REST_IN_CROWD: Duration = Duration::from_millis(100);
/// A crowd is over when so many looks in a row have not seen it.
const CALM_LOOKS: u32 = 10;
const SCAN_BATCH: u32 = 500;
const CHANGES_BATCH: u32 = 1000;
/// Whoever gets so many at once is behind, and does not rest.
const FULL: usize = CHANGES_BATCH as usize;

/// Codes that say that the change stream cannot go on from where it was: the oplog has moved past it, or the position
/// belongs to a collection that was dropped or replaced.
const POSITION_GONE: [i32; 9] = [136, 222, 260, 280, 286, 40585, 40615, 40649, 50811];

/// Codes that say that the server has given up the cursor and nothing else.
const CURSOR_GONE: [i32; 2] = [43, 237];

/// A place among the changes, in the server's words: its resume token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Position(pub(crate) Document);

/// What the feed brings.
#[derive(Debug)]
pub(crate) enum Item {
    /// A document found by the scan.
    Scanned(RawDocumentBuf),
    /// A document that was changed.
    Changed(RawDocumentBuf),
    /// All changes up to this position have been brought.
    Passed(Position),
}

enum Start {
    After(Position),
    At(Timestamp),
}

enum Tail {
    /// Nobody listens any more.
    Unheard,
    /// The changes can tell no more, as when their collection was dropped.
    Ended,
    /// They can be had again from where it is: the connection broke, or a crowd came or went.
    Again,
}

/// The documents of one database, on their way to the relay.
pub(crate) struct Feed {
    mongo: Mongo,
    source: Arc<Source>,
    /// Where it goes on. Without it, or when it is of no use any more, everything is scanned first.
    start: Option<Start>,
    items: Sender<(usize, Item)>,
    /// What its items are marked with.
    database: usize,
}

impl Feed {
    /// A feed of the database with this number that goes on from `position`.
    pub(crate) fn new(
        mongo: Mongo,
        source: Arc<Source>,
        position: Option<Position>,
        items: Sender<(usize, Item)>,
        database: usize,
    ) -> Self {
        Self {
            mongo,
            source,
            start: position.map(Start::After),
            items,
            database,
        }
    }

    /// Feeds until nobody listens. After an error it can be run again, and goes on where it was.
    ///
    /// # Errors
    /// The driver's.
    pub(crate) async fn run(&mut self) -> Result<(), Error> {
        let collection = self.source.collection;
        loop {
            let start = match self.start.take() {
                Some(start) => start,
                None => match self.scan().await? {
                    Some(time) => Start::At(time),
                    None => return Ok(()),
                },
            };
            match self.tail(start).await {
                Ok(Tail::Unheard) => return Ok(()),
                Ok(Tail::Ended) => {
                    tracing::warn!(collection, "the change stream ended; scanning");
                    self.start = None;
                }
                Ok(Tail::Again) => {}
                Err(error) if is_position_gone(&error) => {
                    tracing::warn!(collection, %error, "the change stream's history is gone; scanning");
                    self.start = None;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether anybody took it.
    async fn bring(&self, item: Item) -> bool {
        self.items.send((self.database, item)).await.is_ok()
    }

    /// Sends every document and returns a time at which the scan had not begun; `None` when nobody listens.
    ///
    /// The session makes the scan see at least everything up to that time, even what no majority had then.
    async fn scan(&self) -> Result<Option<Timestamp>, Error> {
        let (database, collection) = (self.mongo.database(), self.source.collection);
        let mut session = database.client().start_session().causal_consistency(true).await?;
        database
            .run_command(doc! {"ping": 1})
            .session(&mut session)
            .await?;
        let time = session
            .operation_time()
            .ok_or_else(|| Error::custom("the server tells no operation time"))?;
        let mut documents = database
            .collection::<RawDocumentBuf>(collection)
            .find(self.source.filter.clone())
            .sort(doc! {"_id": 1})
            .batch_size(SCAN_BATCH)
            .session(&mut session)
            .await?;
        let mut count = 0_u64;
        while let Some(document) = documents.next(&mut session).await.transpose()? {
            if !self.bring(Item::Scanned(document)).await {
                return Ok(None);
            }
            count += 1;
        }
        tracing::info!(collection, count, "scanned");
        Ok(Some(time))
    }

    async fn tail(&mut self, start: Start) -> Result<Tail, Error> {
        let in_crowd = is_crowded();
        let opened = changes(&self.mongo, &self.source, &start, in_crowd).await;
        self.start = Some(start);
        let mut changes = opened?;
        let mut calm_looks = 0;
        loop {
            let batch = match changes.try_next().await {
                Ok(Some(batch)) => batch,
                Ok(None) => return Ok(Tail::Ended),
                Err(error) if is_interruption(&error) => {
                    tracing::debug!(collection = self.source.collection, %error, "the change stream broke");
                    return Ok(Tail::Again);
                }
                Err(error) => return Err(error),
            };
            let items = read(&batch)?;
            let is_behind = items.len() > FULL;
            for item in items {
                if let Item::Passed(position) = &item {
                    self.start = Some(Start::After(position.clone()));
                }
                if !self.bring(item).await {
                    return Ok(Tail::Unheard);
                }
            }
            calm_looks = if is_crowded() { 0 } else { calm_looks + 1 };
            match (in_crowd, calm_looks) {
                (false, 1..) => {}
                (true, 0..CALM_LOOKS) if is_behind => {}
                (true, 0..CALM_LOOKS) => tokio::time::sleep(REST_IN_CROWD).await,
                (false, 0) | (true, CALM_LOOKS..) => return Ok(Tail::Again),
            }
        }
    }
}

/// The driver's own change stream makes a document of every part of each change, of which one is wanted.
async fn changes(
    mongo: &Mongo,
    source: &Source,
    start: &Start,
    in_crowd: bool,
) -> Result<RawBatchCursor, Error> {
    let start = match start {
        Start::After(Position(token)) => doc! {"startAfter": token.clone()},
        Start::At(time) => doc! {"startAtOperationTime": *time},
    };
    let mut stream = doc! {"fullDocument": "updateLookup"};
    stream.extend(start);
    mongo
        .collection(source.collection)
        .aggregate(pipeline(stream, &source.filter))
        .max_await_time(if in_crowd { AWAIT_IN_CROWD } else { AWAIT })
        .batch_size(CHANGES_BATCH)
        .batch()
        .await
}

/// The documents of a batch, and the position after it.
fn read(batch: &RawBatch) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    for change in batch.doc_slices()? {
        let change = change?
            .as_document()
            .ok_or_else(|| Error::custom("a change is no document"))?;
        // What has been deleted since has none.
        if let Some(RawBsonRef::Document(document)) = change.get("fullDocument")? {
            items.push(Item::Changed(document.to_owned()));
        }
    }
    let cursor: &RawDocument = batch
        .as_raw_document()
        .get_document("cursor")
        .map_err(Error::custom)?;
    let position = cursor
        .get_document("postBatchResumeToken")
        .map_err(Error::custom)?;
    items.push(Item::Passed(Position(position.try_into()?)));
    Ok(items)
}

/// Changes that made a new version. What touches a projection beside the state, and no version, is nobody's news.
fn pipeline(stream: Document, filter: &Document) -> [Document; 3] {
    let new_version = doc! {"$or": [
        {"operationType": {"$in": ["insert", "replace"]}},
        {"operationType": "update", "updateDescription.updatedFields.version": {"$exists": true}},
    ]};
    [
        doc! {"$changeStream": stream},
        doc! {"$match": {"$and": [new_version, within_full_document(filter)]}},
        doc! {"$project": {"fullDocument": 1}},
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
        _ => false,
    }
}

/// Whether the changes may be had again at once.
fn is_interruption(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. } => true,
        ErrorKind::Command(command) => {
            CURSOR_GONE.contains(&command.code) || error.contains_label("ResumableChangeStreamError")
        }
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
