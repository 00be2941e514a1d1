//! Group commit: writes of many callers in one command. A write that finds nothing under way is sent at once; those that
//! come meanwhile go together as soon as it is done, so that a crowd waits for one journal and not each for its own.

use std::collections::{HashMap, HashSet, VecDeque};

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures::TryStreamExt;
use futures::future::BoxFuture;
use mongodb::error::{Error, ErrorKind};
use tokio::sync::{mpsc, oneshot};

use super::errors::{DuplicateKey, duplicate_key_in};
use super::{Mongo, Update, UpdateOne};

/// The most writes of one command.
const CAP: usize = 200;
/// Writes that may wait; whoever comes then waits to be let in.
const QUEUE: usize = 1000;
/// Which attempt wrote a document last.
const ATTEMPT: &str = "attempt";

/// A write and who waits for it.
struct Waiting<W, A> {
    write: W,
    answer: oneshot::Sender<A>,
}

/// One line of writes, and a task that sends them; the task ends when nobody can add to the line any more.
struct Group<W, A> {
    line: mpsc::Sender<Waiting<W, A>>,
}

impl<W, A> Clone for Group<W, A> {
    fn clone(&self) -> Self {
        Self {
            line: self.line.clone(),
        }
    }
}

impl<W: Send + 'static, A: Send + 'static> Group<W, A> {
    /// No two writes of the same `key` go together; `send` gives one answer for each write, in their order.
    fn new(
        key: fn(&W) -> Option<ObjectId>,
        send: impl Fn(Vec<W>) -> BoxFuture<'static, Vec<A>> + Send + 'static,
    ) -> Self {
        let (line, mut arriving) = mpsc::channel::<Waiting<W, A>>(QUEUE);
        tokio::spawn(async move {
            let mut waiting: VecDeque<Waiting<W, A>> = VecDeque::new();
            loop {
                if waiting.is_empty() {
                    match arriving.recv().await {
                        Some(first) => waiting.push_back(first),
                        None => return,
                    }
                }
                while let Ok(next) = arriving.try_recv() {
                    waiting.push_back(next);
                }
                let (writes, answers) = take_batch(&mut waiting, key);
                for (answer, came) in answers.into_iter().zip(send(writes).await) {
                    // Whoever asked may have gone; the write is made all the same.
                    let _ = answer.send(came);
                }
            }
        });
        Self { line }
    }

    /// `None` when the task is gone, and nobody knows whether the write was made.
    async fn write(&self, write: W) -> Option<A> {
        let (answer, came) = oneshot::channel();
        self.line.send(Waiting { write, answer }).await.ok()?;
        came.await.ok()
    }
}

fn take_batch<W, A>(
    waiting: &mut VecDeque<Waiting<W, A>>,
    key: fn(&W) -> Option<ObjectId>,
) -> (Vec<W>, Vec<oneshot::Sender<A>>) {
    let mut keys = HashSet::new();
    let mut later = VecDeque::new();
    let (mut writes, mut answers) = (Vec::new(), Vec::new());
    while let Some(next) = waiting.pop_front() {
        if writes.len() == CAP || key(&next.write).is_some_and(|key| !keys.insert(key)) {
            later.push_back(next);
        } else {
            writes.push(next.write);
            answers.push(next.answer);
        }
    }
    *waiting = later;
    (writes, answers)
}

fn gone() -> Error {
    Error::custom("the writes to this collection have ended")
}

/// A change of one document under a condition.
#[derive(Debug, Clone)]
struct Change {
    id: ObjectId,
    condition: Document,
    set: Document,
}

/// Changes of documents of one collection, by compare-and-set; cheap to clone.
#[derive(Clone)]
pub struct GroupedChanges(Group<Change, Result<bool, Error>>);

impl GroupedChanges {
    /// Changes of `collection`; must be called within a tokio runtime.
    pub fn new(mongo: Mongo, collection: &'static str) -> Self {
        let send = move |changes| -> BoxFuture<'static, Vec<Result<bool, Error>>> {
            let mongo = mongo.clone();
            Box::pin(async move { send_changes(&mongo, collection, changes).await })
        };
        Self(Group::new(|change: &Change| Some(change.id), send))
    }

    /// Sets fields of the document `id` if it meets `condition`, and says whether it did. The condition must be one that
    /// the change itself ends, such as a version.
    ///
    /// # Errors
    /// The driver's; after an unknown outcome it may have been set.
    pub async fn set_if(&self, id: ObjectId, condition: Document, set: Document) -> Result<bool, Error> {
        let change = Change { id, condition, set };
        self.0.write(change).await.unwrap_or_else(|| Err(gone()))
    }
}

async fn send_changes(mongo: &Mongo, collection: &str, changes: Vec<Change>) -> Vec<Result<bool, Error>> {
    let attempt = ObjectId::new();
    let ids: Vec<ObjectId> = changes.iter().map(|change| change.id).collect();
    let update = |change: Change| {
        let Change {
            id,
            condition,
            mut set,
        } = change;
        let mut filter = doc! {"_id": id};
        filter.extend(condition);
        set.insert(ATTEMPT, attempt);
        UpdateOne {
            filter,
            update: Update::Document(doc! {"$set": set}),
            upsert: false,
        }
    };
    let outcome = match mongo
        .bulk_update(collection, changes.into_iter().map(update).collect())
        .await
    {
        Ok(outcome) => outcome,
        Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
    };
    if outcome.matched == ids.len() as u64 {
        return ids.iter().map(|_| Ok(true)).collect();
    }
    // The server tells how many met their condition, not which.
    let made = match attempted(mongo, collection, &ids, attempt).await {
        Ok(made) => made,
        Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut refused: HashMap<usize, Error> = outcome
        .errors
        .into_iter()
        .map(|(index, code, message)| (index, Error::custom(format!("{code} {message}"))))
        .collect();
    let fate = |(index, id): (usize, &ObjectId)| match refused.remove(&index) {
        Some(error) => Err(error),
        None => Ok(made.contains(id)),
    };
    ids.iter().enumerate().map(fate).collect()
}

/// Which of `ids` the attempt changed. One that somebody else has changed since looks as if it had not met its
/// condition, which it does not any more.
async fn attempted(
    mongo: &Mongo,
    collection: &str,
    ids: &[ObjectId],
    attempt: ObjectId,
) -> Result<HashSet<ObjectId>, Error> {
    let made = mongo
        .collection(collection)
        .find(doc! {"_id": {"$in": ids}, ATTEMPT: attempt})
        .projection(doc! {"_id": 1})
        .await?;
    made.and_then(async |row| row.get_object_id("_id").map_err(Error::custom))
        .try_collect()
        .await
}

/// Why a document was not inserted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InsertError {
    /// A unique index refused it.
    #[error("the index {} refused the document", .0.index)]
    Duplicate(DuplicateKey),
    /// The driver's; after an unknown outcome it may be there.
    #[error(transparent)]
    Driver(#[from] Error),
}

/// Inserts of documents into one collection; cheap to clone.
#[derive(Clone)]
pub struct GroupedInserts(Group<Document, Result<(), InsertError>>);

impl GroupedInserts {
    /// Inserts into `collection`; must be called within a tokio runtime.
    pub fn new(mongo: Mongo, collection: &'static str) -> Self {
        let send = move |documents: Vec<Document>| -> BoxFuture<'static, Vec<Result<(), InsertError>>> {
            let mongo = mongo.clone();
            Box::pin(async move {
                let inserted = mongo
                    .collection(collection)
                    .insert_many(&documents)
                    .ordered(false)
                    .await;
                fates(inserted.map(drop), documents.len())
            })
        };
        Self(Group::new(|_| None, send))
    }

    /// Inserts the document.
    ///
    /// # Errors
    /// [`InsertError`].
    pub async fn insert(&self, document: Document) -> Result<(), InsertError> {
        let inserted = self.0.write(document).await;
        inserted.unwrap_or_else(|| Err(gone().into()))
    }
}

/// What an outcome says of each of `count` documents. A write concern error leaves every one in doubt that did not fail.
fn fates(inserted: Result<(), Error>, count: usize) -> Vec<Result<(), InsertError>> {
    let Err(error) = inserted else {
        return (0..count).map(|_| Ok(())).collect();
    };
    let in_doubt = || Err(InsertError::Driver(error.clone()));
    let ErrorKind::InsertMany(failed) = error.kind.as_ref() else {
        return (0..count).map(|_| in_doubt()).collect();
    };
    let refused: HashMap<usize, Option<DuplicateKey>> = failed
        .write_errors
        .iter()
        .flatten()
        .map(|write| (write.index, duplicate_key_in(write.code, &write.message)))
        .collect();
    let fate = |index| match refused.get(&index) {
        Some(Some(key)) => Err(InsertError::Duplicate(key.clone())),
        Some(None) => in_doubt(),
        None if failed.write_concern_error.is_some() => in_doubt(),
        None => Ok(()),
    };
    (0..count).map(fate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_comes_while_a_command_is_under_way_goes_together_and_no_key_twice() {
        let (batches, mut seen) = mpsc::unbounded_channel::<Vec<u8>>();
        let (go, gate) = mpsc::channel::<()>(8);
        let gate = std::sync::Arc::new(tokio::sync::Mutex::new(gate));
        let send = move |writes: Vec<(u8, u8)>| -> BoxFuture<'static, Vec<u8>> {
            batches
                .send(writes.iter().map(|(_, name)| *name).collect())
                .unwrap();
            let gate = std::sync::Arc::clone(&gate);
            Box::pin(async move {
                gate.lock().await.recv().await;
                writes.iter().map(|(_, name)| *name).collect()
            })
        };
        let key = |(key, _): &(u8, u8)| Some(ObjectId::from_bytes([*key; 12]));
        let group = Group::new(key, send);
        let ask = |key, name| {
            let group = group.clone();
            tokio::spawn(async move { group.write((key, name)).await })
        };
        let first = ask(1, b'a');
        assert_eq!(seen.recv().await.unwrap(), b"a");
        let mut rest = Vec::new();
        for (key, name) in [(1, b'b'), (2, b'c'), (1, b'd')] {
            rest.push(ask(key, name));
            // One after the other, so that their order is known.
            tokio::task::yield_now().await;
        }
        for _ in 0..3 {
            go.send(()).await.unwrap();
        }
        assert_eq!(seen.recv().await.unwrap(), b"bc");
        assert_eq!(seen.recv().await.unwrap(), b"d");
        assert_eq!(first.await.unwrap(), Some(b'a'));
        for (ask, name) in rest.into_iter().zip(*b"bcd") {
            assert_eq!(ask.await.unwrap(), Some(name));
        }
    }
}
