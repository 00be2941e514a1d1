//! The collection `webhook_inbox`: what Stripe told, by its event's id, until it has been looked into.

use std::time::Duration;

use bigtix_contracts::PaymentId;
use bigtix_service::clock::StoreClock;
use bigtix_service::mongo::{GroupedInserts, InsertError, Mongo, MongoError, to_bson_time, to_object_id};
use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use futures::TryStreamExt;
use mongodb::error::Error;
use mongodb::options::{Hint, IndexOptions};
use mongodb::{Collection, IndexModel};

use crate::domain::IntentId;

const COLLECTION: &str = "webhook_inbox";
/// How long what was looked into is kept.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long one instance has an event.
const LEASE: Duration = Duration::from_secs(30);

/// An event of Stripe's, reduced to what it is about. What it says of that is not believed; Stripe is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Stripe's id of the event.
    pub id: String,
    /// Such as `payment_intent.succeeded`.
    pub kind: String,
    /// The intent that it is about.
    pub intent: Option<IntentId>,
    /// The payment that the intent's metadata names.
    pub payment: Option<PaymentId>,
    /// How often it was looked into without an end.
    pub attempts: u32,
}

/// The inbox; cheap to clone.
#[derive(Clone)]
pub(crate) struct WebhookInbox {
    collection: Collection<Document>,
    inserts: GroupedInserts,
    clock: StoreClock,
}

impl WebhookInbox {
    /// The collection of `mongo`, with its indexes.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn prepare(mongo: &Mongo, clock: StoreClock) -> Result<Self, MongoError> {
        let named = |name: &str| IndexOptions::builder().name(name.to_owned());
        let index =
            |keys: Document, options: IndexOptions| IndexModel::builder().keys(keys).options(options).build();
        let due = named("due")
            .partial_filter_expression(doc! {"dueAt": {"$type": "date"}})
            .build();
        let indexes = [
            index(doc! {"dueAt": 1}, due),
            index(doc! {"doneAt": 1}, named("kept").expire_after(KEPT).build()),
        ];
        mongo.ensure_indexes(COLLECTION, &indexes).await?;
        Ok(Self {
            collection: mongo.collection(COLLECTION),
            inserts: GroupedInserts::new(mongo.clone(), COLLECTION),
            clock,
        })
    }

    /// Keeps what Stripe told. An event that was told before is kept once.
    ///
    /// # Errors
    /// The store's: then Stripe must not be told that it was received.
    pub(crate) async fn keep(&self, notice: &Notice, body: &str) -> Result<(), Error> {
        let now = to_bson_time(self.clock.now());
        let payment = notice
            .payment
            .map_or(Bson::Null, |id| to_object_id(id.bytes()).into());
        let row = doc! {
            "_id": &notice.id, "kind": &notice.kind, "intent": notice.intent.as_ref().map(|id| id.0.clone()),
            "payment": payment, "body": body, "receivedAt": now, "dueAt": now, "doneAt": Bson::Null, "attempts": 0_i64,
        };
        match self.inserts.insert(row).await {
            Ok(()) | Err(InsertError::Duplicate(_)) => Ok(()),
            Err(InsertError::Driver(error)) => Err(error),
        }
    }

    /// Up to `most` events that are due, the longest due first; it is somebody else's turn again only after a while.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn take(&self, most: i64) -> Result<Vec<Notice>, Error> {
        let now = self.clock.now();
        let due = doc! {"$type": "date", "$lte": to_bson_time(now)};
        let found = self
            .collection
            .find(doc! {"dueAt": due.clone()})
            .sort(doc! {"dueAt": 1})
            .limit(most)
            .projection(doc! {"body": 0});
        let mut rows: Vec<Document> = found.await?.try_collect().await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        // Also those that cannot be read, so that they are not in the way of others.
        let ids: Vec<Bson> = rows.iter().filter_map(|row| row.get("_id").cloned()).collect();
        // Of two instances that found the same events each one has those that bear its stamp.
        let attempt = ObjectId::new();
        let take = doc! {"$set": {"dueAt": to_bson_time(now + LEASE), "attempt": attempt}, "$inc": {"attempts": 1_i64}};
        let taken = self
            .collection
            .update_many(doc! {"_id": {"$in": &ids}, "dueAt": due}, take)
            .hint(by_id())
            .await?
            .modified_count;
        if taken < ids.len() as u64 {
            let own = self
                .collection
                .find(doc! {"_id": {"$in": ids}, "attempt": attempt})
                .hint(by_id())
                .projection(doc! {"_id": 1});
            let own: Vec<Document> = own.await?.try_collect().await?;
            rows.retain(|row| own.iter().any(|own| own.get("_id") == row.get("_id")));
        }
        Ok(rows.iter().filter_map(read).collect())
    }

    /// These events have been looked into.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn done(&self, notices: &[Notice]) -> Result<(), Error> {
        let done = doc! {"dueAt": Bson::Null, "doneAt": to_bson_time(self.clock.now())};
        self.set(notices, done).await
    }

    /// These events are to be looked into again after `pause`.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn later(&self, notices: &[Notice], pause: Duration) -> Result<(), Error> {
        let due = doc! {"dueAt": to_bson_time(self.clock.now() + pause)};
        self.set(notices, due).await
    }

    async fn set(&self, notices: &[Notice], fields: Document) -> Result<(), Error> {
        if notices.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = notices.iter().map(|notice| notice.id.as_str()).collect();
        self.collection
            .update_many(doc! {"_id": {"$in": ids}}, doc! {"$set": fields})
            .await
            .map(|_| ())
    }
}

/// So that the store need not find out each time that there is nothing better.
fn by_id() -> Hint {
    Hint::Name("_id_".to_owned())
}

fn read(row: &Document) -> Option<Notice> {
    Some(Notice {
        id: row.get_str("_id").ok()?.to_owned(),
        kind: row.get_str("kind").ok()?.to_owned(),
        intent: row.get_str("intent").ok().map(|id| IntentId(id.to_owned())),
        payment: row
            .get_object_id("payment")
            .ok()
            .map(|id| PaymentId::from_bytes(id.bytes())),
        attempts: row
            .get_i64("attempts")
            .ok()
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bigtix_service::Secret;
    use bigtix_service::mongo::MongoConfig;
    use bigtix_testkit::stores::shared;
    use futures::future::join_all;

    use super::*;

    const EVENTS: usize = 300;

    async fn inboxes() -> Vec<WebhookInbox> {
        let database = shared().database();
        let config = MongoConfig {
            uri: Secret::new(database.uri),
            database: database.name,
        };
        let mut inboxes = Vec::new();
        for _ in 0..4 {
            let mongo = Mongo::connect(&config).await.unwrap();
            let clock = StoreClock::learn(&mongo).await.unwrap();
            inboxes.push(WebhookInbox::prepare(&mongo, clock).await.unwrap());
        }
        inboxes
    }

    fn notice(number: usize) -> Notice {
        Notice {
            id: format!("evt_{number:03}"),
            kind: "payment_intent.succeeded".to_owned(),
            intent: Some(IntentId(format!("pi_{number}"))),
            payment: None,
            attempts: 0,
        }
    }

    /// Takes by twos, beside others, until all are `gone`; so many turns that nobody can have had all of them.
    async fn take_on(inbox: &WebhookInbox, gone: &AtomicUsize) -> Vec<Notice> {
        let mut taken = Vec::new();
        for _ in 0..10 * EVENTS {
            if gone.load(Ordering::Relaxed) >= EVENTS {
                break;
            }
            let more = inbox.take(2).await.unwrap();
            gone.fetch_add(more.len(), Ordering::Relaxed);
            taken.extend(more);
        }
        taken
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_instances_that_find_the_same_events_one_has_each() {
        let inboxes = inboxes().await;
        let events: Vec<Notice> = (0..EVENTS).map(notice).collect();
        // Each is told twice.
        let told = events
            .iter()
            .chain(&events)
            .map(|notice| inboxes[0].keep(notice, "{}"));
        for kept in join_all(told).await {
            kept.unwrap();
        }
        let gone = AtomicUsize::new(0);
        let taken = join_all(inboxes.iter().map(|inbox| take_on(inbox, &gone))).await;
        assert!(
            taken.iter().filter(|taken| !taken.is_empty()).count() > 1,
            "only one took any"
        );
        let mut taken: Vec<Notice> = taken.into_iter().flatten().collect();
        taken.sort_by(|one, other| one.id.cmp(&other.id));
        assert_eq!(taken, events);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_done_is_over_and_what_is_left_comes_again() {
        let inbox = inboxes().await.remove(0);
        for number in 0..3 {
            inbox.keep(&notice(number), "{}").await.unwrap();
        }
        let taken = inbox.take(50).await.unwrap();
        assert_eq!(taken.len(), 3);
        inbox.done(&taken[..1]).await.unwrap();
        inbox.later(&taken[1..2], Duration::ZERO).await.unwrap();
        inbox.later(&taken[2..], LEASE).await.unwrap();
        let again = Notice {
            attempts: 1,
            ..taken[1].clone()
        };
        let due = bigtix_testkit::eventually("the second event to be due again", async || {
            Some(inbox.take(50).await.unwrap()).filter(|due| !due.is_empty())
        });
        assert_eq!(due.await, [again]);
    }
}
