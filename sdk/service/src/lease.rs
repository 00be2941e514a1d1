//! At most one instance at a time does a thing. The lease only saves work: what is done under it must be harmless when
//! two do it, since a process may sleep between looking at its lease and acting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bson::oid::ObjectId;
use bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::ReturnDocument;
use mongodb::{Collection, Database};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::mongo::{Mongo, duplicate_key};

/// How long a lease lasts without being renewed, so how long others wait after a crash.
const LIFETIME: Duration = Duration::from_secs(4);
const RENEWAL: Duration = Duration::from_secs(1);
const RETRY: Duration = Duration::from_millis(250);

/// Where leases are kept. Nothing in it is worth keeping beyond the processes that hold them.
pub const COLLECTION: &str = "leases";

/// A document of the collection `leases`: `{_id: name, holder, until}`. All times are the primary's.
#[derive(Debug, Clone)]
pub struct Lease {
    leases: Collection<Document>,
    name: String,
    holder: ObjectId,
}

impl Lease {
    /// The lease called `name`, for a holder of its own: two values with the same name compete.
    pub fn new(mongo: &Mongo, name: impl Into<String>) -> Self {
        Self {
            leases: mongo.collection(COLLECTION),
            name: name.into(),
            holder: ObjectId::new(),
        }
    }

    /// Takes the lease if nobody else has it; `None` when somebody does.
    ///
    /// # Errors
    /// The driver's.
    pub async fn acquire(&self) -> Result<Option<Held>, Error> {
        let asked = Instant::now();
        if !self.claim().await? {
            return Ok(None);
        }
        let deadline = Arc::new(Mutex::new(asked + LIFETIME));
        let lost = CancellationToken::new();
        let renewal = tokio::spawn(renew(self.clone(), Arc::clone(&deadline), lost.clone()));
        Ok(Some(Held {
            lease: self.clone(),
            deadline,
            lost,
            renewal: AbortOnDropHandle::new(renewal),
        }))
    }

    /// One compare-and-set: whoever has it or finds it expired has it until `LIFETIME` from now.
    async fn claim(&self) -> Result<bool, Error> {
        let free = doc! {"$or": [
            {"$eq": ["$holder", self.holder]},
            {"$lte": [{"$ifNull": ["$until", bson::DateTime::MIN]}, "$$NOW"]},
        ]};
        let update = doc! {"$set": {
            "holder": {"$cond": [&free, self.holder, "$holder"]},
            "until": {"$cond": [&free, expiry(), "$until"]},
        }};
        let claimed = self
            .leases
            .find_one_and_update(doc! {"_id": &self.name}, vec![update])
            .upsert(true)
            .return_document(ReturnDocument::After)
            .await;
        match claimed {
            Ok(lease) => Ok(lease.is_some_and(|lease| {
                lease
                    .get_object_id("holder")
                    .is_ok_and(|holder| holder == self.holder)
            })),
            // Somebody else made the document between our look and our insert.
            Err(error) if duplicate_key(&error).is_some() => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn extend(&self) -> Result<bool, Error> {
        let mine = doc! {"_id": &self.name, "holder": self.holder};
        let update = vec![doc! {"$set": {"until": expiry()}}];
        Ok(self.leases.update_one(mine, update).await?.matched_count == 1)
    }

    async fn free(&self) -> Result<(), Error> {
        let mine = doc! {"_id": &self.name, "holder": self.holder};
        self.leases
            .update_one(mine, doc! {"$set": {"until": bson::DateTime::from_millis(0)}})
            .await?;
        Ok(())
    }
}

/// Whether anybody has a lease in the database, by the primary's clock: a service that runs has one all the time.
///
/// # Errors
/// The driver's.
pub async fn any_held(database: &Database) -> Result<bool, Error> {
    let held = doc! {"$expr": {"$gt": ["$until", "$$NOW"]}};
    let held = database.collection::<Document>(COLLECTION).find_one(held).await?;
    Ok(held.is_some())
}

fn expiry() -> Document {
    doc! {"$add": ["$$NOW", i64::try_from(LIFETIME.as_millis()).unwrap_or(i64::MAX)]}
}

/// A lease that is ours until it says otherwise. Dropping it lets it run out; [`Held::release`] frees it at once.
#[derive(Debug)]
pub struct Held {
    lease: Lease,
    deadline: Arc<Mutex<Instant>>,
    lost: CancellationToken,
    renewal: AbortOnDropHandle<()>,
}

impl Held {
    /// Cancelled once the lease could not be renewed in time or somebody else has it.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    /// Whether the lease is certain to be ours at this moment, by our own clock.
    pub fn is_valid(&self) -> bool {
        !self.lost.is_cancelled() && Instant::now() < read(&self.deadline)
    }

    /// Lets the next one have it.
    ///
    /// # Errors
    /// The driver's; the lease runs out by itself then.
    pub async fn release(self) -> Result<(), Error> {
        self.renewal.abort();
        self.lost.cancel();
        self.lease.free().await
    }
}

fn read(deadline: &Mutex<Instant>) -> Instant {
    *deadline.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn renew(lease: Lease, deadline: Arc<Mutex<Instant>>, lost: CancellationToken) {
    let mut wait = RENEWAL;
    loop {
        tokio::time::sleep(wait).await;
        // The lease counts from when we asked: the primary may have answered late.
        let asked = Instant::now();
        match tokio::time::timeout_at(read(&deadline), lease.extend()).await {
            Ok(Ok(true)) => {
                *deadline.lock().unwrap_or_else(PoisonError::into_inner) = asked + LIFETIME;
                wait = RENEWAL;
            }
            Ok(Ok(false)) | Err(_) => break,
            Ok(Err(error)) => {
                tracing::debug!(lease = lease.name, %error, "the lease could not be renewed yet");
                wait = RETRY;
            }
        }
    }
    tracing::info!(lease = lease.name, "the lease is lost");
    lost.cancel();
}
