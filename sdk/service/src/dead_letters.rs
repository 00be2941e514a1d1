//! Messages that can never be handled, kept in the collection `dead_letters` until somebody decides about them.
//!
//! Replaying marks a letter; the consumer that buried it picks it up and handles it as if it had just come.

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::Collection;
use mongodb::error::Error;

use crate::mongo::{Mongo, from_bson_time, to_bson_time};

const COLLECTION: &str = "dead_letters";

/// A message that a consumer gave up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// `<consumer>/<message id>`.
    pub id: String,
    /// The consumer that buried it.
    pub consumer: String,
    /// Where it was published.
    pub subject: String,
    /// The message as it came.
    pub event: Vec<u8>,
    /// What was wrong with it, the last time.
    pub error: String,
    /// When that was.
    pub at: Timestamp,
    /// How often it failed.
    pub attempts: i64,
    /// Whether it waits for its consumer to try again.
    pub replay: bool,
}

impl DeadLetter {
    fn from_document(document: &Document) -> Self {
        let text = |name: &str| document.get_str(name).unwrap_or_default().to_owned();
        Self {
            id: text("_id"),
            consumer: text("consumer"),
            subject: text("subject"),
            event: match document.get("event") {
                Some(Bson::String(text)) => text.clone().into_bytes(),
                Some(Bson::Binary(binary)) => binary.bytes.clone(),
                _ => Vec::new(),
            },
            error: text("error"),
            at: document
                .get_datetime("at")
                .ok()
                .map(|at| from_bson_time(*at))
                .unwrap_or(Timestamp::UNIX_EPOCH),
            attempts: document
                .get("attempts")
                .and_then(|n| n.as_i64().or(n.as_i32().map(i64::from)))
                .unwrap_or_default(),
            replay: document.get_bool("replay").unwrap_or_default(),
        }
    }
}

fn collection(mongo: &Mongo) -> Collection<Document> {
    mongo.collection(COLLECTION)
}

/// All dead letters of the service, oldest first.
///
/// # Errors
/// The driver's.
pub async fn list(mongo: &Mongo) -> Result<Vec<DeadLetter>, Error> {
    let letters: Vec<Document> = collection(mongo)
        .find(doc! {})
        .sort(doc! {"at": 1, "_id": 1})
        .await?
        .try_collect()
        .await?;
    Ok(letters.iter().map(DeadLetter::from_document).collect())
}

/// Asks the letter's consumer to try again; `false` when there is no such letter.
///
/// # Errors
/// The driver's.
pub async fn replay(mongo: &Mongo, id: &str) -> Result<bool, Error> {
    let outcome = collection(mongo)
        .update_one(doc! {"_id": id}, doc! {"$set": {"replay": true}})
        .await?;
    Ok(outcome.matched_count == 1)
}

/// Asks for all of them to be tried again, and says how many there are.
///
/// # Errors
/// The driver's.
pub async fn replay_all(mongo: &Mongo) -> Result<u64, Error> {
    let outcome = collection(mongo)
        .update_many(doc! {}, doc! {"$set": {"replay": true}})
        .await?;
    Ok(outcome.matched_count)
}

/// Throws a letter away; `false` when there is no such letter.
///
/// # Errors
/// The driver's.
pub async fn discard(mongo: &Mongo, id: &str) -> Result<bool, Error> {
    Ok(collection(mongo)
        .delete_one(doc! {"_id": id})
        .await?
        .deleted_count
        == 1)
}

/// A message to be buried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remains<'a> {
    pub(crate) consumer: &'a str,
    pub(crate) message_id: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) event: &'a [u8],
    pub(crate) error: &'a str,
}

/// Keeps a message, once however often it comes.
pub(crate) async fn bury(mongo: &Mongo, remains: Remains<'_>) -> Result<(), Error> {
    let event = match std::str::from_utf8(remains.event) {
        Ok(text) => Bson::from(text),
        Err(_) => Bson::Binary(Binary {
            subtype: BinarySubtype::Generic,
            bytes: remains.event.to_vec(),
        }),
    };
    let update = doc! {
        "$setOnInsert": {"consumer": remains.consumer, "subject": remains.subject, "replay": false},
        "$set": {"event": event, "error": remains.error, "at": to_bson_time(Timestamp::now())},
        "$inc": {"attempts": 1_i64},
    };
    let id = format!("{}/{}", remains.consumer, remains.message_id);
    collection(mongo)
        .update_one(doc! {"_id": id}, update)
        .upsert(true)
        .await?;
    count(remains.consumer, 1);
    tracing::error!(
        consumer = remains.consumer,
        message = remains.message_id,
        error = remains.error,
        "message went to the dead letters"
    );
    Ok(())
}

/// Of a counter that begins with its first letter nobody could see that it grew.
pub(crate) fn count_from_nothing(consumer: &str) {
    count(consumer, 0);
}

fn count(consumer: &str, letters: u64) {
    metrics::counter!("bigtix_dead_letters_total", "consumer" => consumer.to_owned()).increment(letters);
}

/// What `consumer` was asked to try again, a few at a time.
pub(crate) async fn to_replay(mongo: &Mongo, consumer: &str) -> Result<Vec<DeadLetter>, Error> {
    let marked = doc! {"consumer": consumer, "replay": true};
    let letters: Vec<Document> = collection(mongo)
        .find(marked)
        .sort(doc! {"at": 1, "_id": 1})
        .limit(50)
        .await?
        .try_collect()
        .await?;
    Ok(letters.iter().map(DeadLetter::from_document).collect())
}

/// The letter failed again, and is left alone until somebody asks once more.
pub(crate) async fn failed_again(mongo: &Mongo, id: &str, error: &str) -> Result<(), Error> {
    let update = doc! {
        "$set": {"replay": false, "error": error, "at": to_bson_time(Timestamp::now())},
        "$inc": {"attempts": 1_i64},
    };
    collection(mongo).update_one(doc! {"_id": id}, update).await?;
    Ok(())
}
