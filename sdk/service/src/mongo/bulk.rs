//! Many updates in one `update` command. The driver's own bulk write needs a newer server than we ask for.

use bson::{Document, doc, rawdoc};
use bson::{RawArrayBuf, RawDocumentBuf};
use mongodb::error::{Error, ErrorKind, WriteConcernError, WriteFailure};

use super::Mongo;
use super::errors::{duplicate_key_in, is_worth_repeating};

const MOST_UPDATES: usize = 1000;
/// The server takes commands of 16 MiB.
const MOST_BYTES: usize = 12 * 1024 * 1024;

/// An update of at most one document.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateOne {
    /// Which document, and under which condition.
    pub filter: Document,
    /// What to do with it.
    pub update: Update,
    /// Whether to insert it when nothing matches.
    pub upsert: bool,
}

/// What an update does.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// Update operators, or a whole document that replaces the old one.
    Document(Document),
    /// An aggregation pipeline.
    Pipeline(Vec<Document>),
}

/// What became of a bulk of updates. Indexes count from 0 in the order the updates were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BulkOutcome {
    /// How many found their document.
    pub matched: u64,
    /// How many changed it.
    pub modified: u64,
    /// Which inserted it.
    pub upserted: Vec<usize>,
    /// Which failed, with the server's code and message.
    pub errors: Vec<(usize, i32, String)>,
}

impl BulkOutcome {
    /// The first failure that is not a duplicate key. In an upsert of `{_id, version: {$lt: v}}` a duplicate key means
    /// that the store has that version or a higher one, which is no failure.
    pub fn first_failure(&self) -> Option<&(usize, i32, String)> {
        self.errors
            .iter()
            .find(|(_, code, message)| duplicate_key_in(*code, message).is_none())
    }

    /// Takes out the upserts that met a duplicate `_id`.
    fn take_raced(&mut self, updates: &[UpdateOne]) -> Vec<usize> {
        let raced = |(index, code, message): &(usize, i32, String)| {
            updates.get(*index).is_some_and(|update| update.upsert)
                && duplicate_key_in(*code, message).is_some_and(|duplicate| duplicate.index == "_id_")
        };
        self.errors
            .extract_if(.., |error| raced(error))
            .map(|(index, _, _)| index)
            .collect()
    }

    fn absorb(&mut self, offset: usize, reply: &Document) -> Result<(), Error> {
        let number = |name: &str| -> u64 {
            reply
                .get(name)
                .and_then(whole)
                .and_then(|n| u64::try_from(n).ok())
                .unwrap_or(0)
        };
        let list = |name: &str| {
            reply
                .get_array(name)
                .map(Vec::as_slice)
                .unwrap_or_default()
                .iter()
                .filter_map(|entry| entry.as_document())
        };
        let index = |entry: &Document| {
            entry
                .get("index")
                .and_then(whole)
                .and_then(|n| usize::try_from(n).ok())
                .map(|n| n + offset)
        };
        let upserted: Vec<usize> = list("upserted").filter_map(index).collect();
        // `n` counts what was inserted, too.
        self.matched += number("n").saturating_sub(upserted.len() as u64);
        self.modified += number("nModified");
        self.upserted.extend(upserted);
        for entry in list("writeErrors") {
            let code = entry
                .get("code")
                .and_then(whole)
                .and_then(|n| i32::try_from(n).ok())
                .unwrap_or_default();
            let message = entry.get_str("errmsg").unwrap_or_default().to_owned();
            self.errors.push((index(entry).unwrap_or(offset), code, message));
        }
        match reply.get_document("writeConcernError") {
            Ok(concern) => Err(concern_error(concern.clone())),
            Err(_) => Ok(()),
        }
    }
}

impl Mongo {
    /// Sends `updates` as unordered `update` commands of up to 1,000 each, acknowledged by a majority.
    ///
    /// Of two upserts that race to insert one document the loser meets a duplicate key although its filter may match
    /// what the winner inserted; it is sent once more, so that a duplicate key in the outcome means what it says.
    ///
    /// A command is sent once more when its connection broke or the primary changed, so the updates must be idempotent;
    /// the outcome is then that of the second time.
    ///
    /// # Errors
    /// The driver's, when a command as a whole failed; earlier ones of the same bulk may have been applied. What single
    /// updates met stands in [`BulkOutcome::errors`].
    pub async fn bulk_update(&self, collection: &str, updates: Vec<UpdateOne>) -> Result<BulkOutcome, Error> {
        let mut outcome = self.send_all(collection, &updates).await?;
        let raced: Vec<usize> = outcome.take_raced(&updates);
        if !raced.is_empty() {
            let again: Vec<UpdateOne> = raced.iter().map(|index| updates[*index].clone()).collect();
            let again = self.send_all(collection, &again).await?;
            outcome.matched += again.matched;
            outcome.modified += again.modified;
            outcome
                .upserted
                .extend(again.upserted.iter().map(|index| raced[*index]));
            let errors = again.errors.into_iter();
            outcome
                .errors
                .extend(errors.map(|(index, code, message)| (raced[index], code, message)));
        }
        Ok(outcome)
    }

    async fn send_all(&self, collection: &str, updates: &[UpdateOne]) -> Result<BulkOutcome, Error> {
        let mut outcome = BulkOutcome::default();
        let mut offset = 0;
        for (count, statements) in chunks(updates)? {
            let command = rawdoc! {
                "update": collection,
                "ordered": false,
                "writeConcern": {"w": "majority", "j": true},
                "updates": statements,
            };
            let mut attempt = self.send(&command).await;
            if attempt.as_ref().is_err_and(is_worth_repeating) {
                attempt = self.send(&command).await;
            }
            outcome.absorb(offset, &attempt?)?;
            offset += count;
        }
        Ok(outcome)
    }

    async fn send(&self, command: &RawDocumentBuf) -> Result<Document, Error> {
        let reply = self.database().run_raw_command(command.clone()).await?;
        match reply.get_document("writeConcernError") {
            Ok(concern)
                if INTERRUPTED_CONCERNS
                    .contains(&concern.get("code").and_then(whole).unwrap_or_default()) =>
            {
                Err(concern_error(concern.clone()))
            }
            _ => Ok(reply),
        }
    }
}

/// Write concern errors that a new primary may not give.
const INTERRUPTED_CONCERNS: [i64; 4] = [91, 189, 11600, 11602];

fn chunks(updates: &[UpdateOne]) -> Result<Vec<(usize, RawArrayBuf)>, Error> {
    let mut chunks = Vec::new();
    let (mut statements, mut count, mut bytes) = (RawArrayBuf::new(), 0, 0);
    for UpdateOne {
        filter,
        update,
        upsert,
    } in updates
    {
        let update = match update {
            Update::Document(document) => bson::Bson::from(document.clone()),
            Update::Pipeline(stages) => bson::Bson::from(stages.clone()),
        };
        let statement = RawDocumentBuf::try_from(
            &doc! {"q": filter.clone(), "u": update, "upsert": *upsert, "multi": false},
        )?;
        let size = statement.as_bytes().len();
        if count == MOST_UPDATES || (count > 0 && bytes + size > MOST_BYTES) {
            chunks.push((count, std::mem::take(&mut statements)));
            (count, bytes) = (0, 0);
        }
        statements.push(statement);
        count += 1;
        bytes += size;
    }
    if count > 0 {
        chunks.push((count, statements));
    }
    Ok(chunks)
}

fn concern_error(concern: Document) -> Error {
    match bson::deserialize_from_document::<WriteConcernError>(concern) {
        Ok(error) => ErrorKind::Write(WriteFailure::WriteConcernError(error)).into(),
        Err(error) => Error::from(error),
    }
}

fn whole(number: &bson::Bson) -> Option<i64> {
    match number {
        bson::Bson::Int32(n) => Some(i64::from(*n)),
        bson::Bson::Int64(n) => Some(*n),
        bson::Bson::Double(n) => Some(*n as i64),
        _ => None,
    }
}
