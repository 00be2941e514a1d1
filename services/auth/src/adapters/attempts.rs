//! The collection `attempts`: which sign-ins failed lately, per counter. It is shared by all instances, and its times
//! are the primary's.
//!
//! An attempt is written down before the password is looked at, so that many at once cannot outrun the limit. As long as
//! its outcome is open it takes a place like a failure, but those who come then wait for it rather than being refused.

use std::time::Duration;

use bigtix_service::mongo::{Mongo, MongoError, duplicate_key};
use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use mongodb::error::Error;
use mongodb::options::{IndexOptions, ReturnDocument};
use mongodb::{Collection, IndexModel};

use crate::domain::attempts::Counter;

const ATTEMPTS: &str = "attempts";
/// An attempt whose outcome is open for longer than this has died with its process.
const OPEN_MILLIS: i64 = 30_000;

/// Whether an attempt may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Yes.
    Admitted,
    /// Not before others have come to an end.
    Wait,
    /// Too many have failed.
    Refused {
        /// When the oldest failure is forgotten.
        retry_after: Duration,
    },
}

/// Counts failures.
#[derive(Clone)]
pub(crate) struct Attempts {
    attempts: Collection<Document>,
    window_millis: i64,
}

impl Attempts {
    /// Makes sure that counters without recent failures vanish.
    pub(crate) async fn prepare(mongo: &Mongo, window: Duration) -> Result<Self, MongoError> {
        let options = IndexOptions::builder()
            .expire_after(Duration::ZERO)
            .name("expiry".to_owned())
            .build();
        let index = IndexModel::builder()
            .keys(doc! {"expiresAt": 1})
            .options(options)
            .build();
        mongo.ensure_indexes(ATTEMPTS, &[index]).await?;
        Ok(Self {
            attempts: mongo.collection(ATTEMPTS),
            window_millis: i64::try_from(window.as_millis()).unwrap_or(i64::MAX),
        })
    }

    /// Writes the attempt down if the counter's limit allows it.
    pub(crate) async fn admit(&self, counter: &Counter, attempt: ObjectId) -> Result<Admission, Error> {
        let limit = i64::try_from(counter.limit).unwrap_or(i64::MAX);
        let recent = doc! {"$filter": {
            "input": {"$ifNull": ["$tries", []]},
            "as": "try",
            "cond": {"$gt": ["$$try.at", {"$subtract": ["$$NOW", self.window_millis]}]},
        }};
        let this = doc! {"id": attempt, "at": "$$NOW", "open": true};
        let fits = doc! {"$lt": [{"$size": "$tries"}, limit]};
        let update = vec![
            doc! {"$set": {"tries": recent}},
            doc! {"$set": {
                "tries": {"$cond": [fits, {"$concatArrays": ["$tries", [this]]}, "$tries"]},
                "now": "$$NOW",
                "expiresAt": {"$add": ["$$NOW", self.window_millis]},
            }},
        ];
        loop {
            let updated = self
                .attempts
                .find_one_and_update(doc! {"_id": &counter.key}, update.clone())
                .upsert(true)
                .return_document(ReturnDocument::After)
                .await;
            match updated {
                Ok(document) => return Ok(self.read(&document.unwrap_or_default(), attempt)),
                // Somebody else wrote the counter's first attempt between our look and our insert.
                Err(error) if duplicate_key(&error).is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn read(&self, document: &Document, attempt: ObjectId) -> Admission {
        let tries = document.get_array("tries").map(Vec::as_slice).unwrap_or_default();
        let tries: Vec<&Document> = tries.iter().filter_map(Bson::as_document).collect();
        let at = |entry: &Document| {
            entry
                .get_datetime("at")
                .map(|at| at.timestamp_millis())
                .unwrap_or_default()
        };
        let now = document
            .get_datetime("now")
            .map(|now| now.timestamp_millis())
            .unwrap_or_default();
        if tries
            .iter()
            .any(|entry| entry.get_object_id("id").ok() == Some(attempt))
        {
            return Admission::Admitted;
        }
        if tries
            .iter()
            .any(|entry| entry.get_bool("open").unwrap_or(false) && now - at(entry) < OPEN_MILLIS)
        {
            return Admission::Wait;
        }
        let oldest = tries.iter().map(|entry| at(entry)).min().unwrap_or(now);
        let wait = u64::try_from(oldest + self.window_millis - now).unwrap_or_default();
        // Whole seconds, rounded up: who comes back then must not be too early.
        Admission::Refused {
            retry_after: Duration::from_secs(wait.div_ceil(1000).max(1)),
        }
    }

    /// The attempt has failed: it counts.
    pub(crate) async fn note_failure(&self, counter: &Counter, attempt: ObjectId) -> Result<(), Error> {
        let this = doc! {"_id": &counter.key, "tries.id": attempt};
        self.attempts
            .update_one(this, doc! {"$set": {"tries.$.open": false}})
            .await?;
        Ok(())
    }

    /// The attempt does not count.
    pub(crate) async fn forget(&self, counter: &Counter, attempt: ObjectId) -> Result<(), Error> {
        let update = doc! {"$pull": {"tries": {"id": attempt}}};
        self.attempts
            .update_one(doc! {"_id": &counter.key}, update)
            .await?;
        Ok(())
    }

    /// No failure counts any more.
    pub(crate) async fn clear(&self, counter: &Counter) -> Result<(), Error> {
        self.attempts.delete_one(doc! {"_id": &counter.key}).await?;
        Ok(())
    }
}
