//! The collection `payments`: one document per attempt to pay, which is also its own outbox.
//!
//! A document says where the payment stands, who works on it until when, and when the next look is due, by the store's
//! clock: an instance whose own is ahead would keep everybody from a payment for as long. The lease only saves work:
//! whoever changes a payment does so by comparing its version, so two workers cannot both change it.

mod document;

use std::time::Duration;

use bigtix_contracts::events::PaymentState;
use bigtix_contracts::{OrderId, PaymentId};
use bigtix_service::clock::StoreClock;
use bigtix_service::mongo::{
    GroupedChanges, GroupedInserts, InsertError, Mongo, MongoError, outcome_unknown, to_bson_time,
    to_object_id,
};
use bigtix_service::outbox::Outbox;
use bson::{Bson, Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::error::Error;
use mongodb::options::{IndexOptions, ReturnDocument};
use mongodb::{Collection, IndexModel};

use crate::domain::{Call, IntentId, Payment, pause_after};
use document::{PaymentDocument, changes};

const COLLECTION: &str = "payments";
const ONE_LIVE_PAYMENT: &str = "one_live_payment_per_order";

/// The payments; cheap to clone.
#[derive(Clone)]
pub(crate) struct Rows {
    collection: Collection<Document>,
    inserts: GroupedInserts,
    changes: GroupedChanges,
    clock: StoreClock,
    lease: Duration,
}

/// A payment, and when somebody is to look after it.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// The payment.
    pub payment: Payment,
    /// Until when somebody works on it.
    pub lease_until: Timestamp,
    /// When the next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
    /// How many attempts at the call that is due settled nothing.
    pub attempts: u32,
}

impl Row {
    /// Whether somebody works on it.
    pub(crate) fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until > now
    }
}

/// What became of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// It is there.
    New,
    /// Another payment for the order is live.
    OtherIsLive,
    /// A payment with this id is there already.
    SameId,
}

/// What is published of the collection.
pub(crate) fn outbox() -> Outbox<Document, PaymentState> {
    Outbox {
        collection: COLLECTION,
        filter: Document::new(),
        read: document::envelope,
    }
}

impl Rows {
    /// The collection of `mongo`, with its indexes. A worker has its payments for `lease`.
    ///
    /// # Errors
    /// The store's; without the unique index nothing may be paid.
    pub(crate) async fn prepare(
        mongo: &Mongo,
        clock: StoreClock,
        lease: Duration,
    ) -> Result<Self, MongoError> {
        let named = |name: &str| IndexOptions::builder().name(name.to_owned());
        let index =
            |keys: Document, options: IndexOptions| IndexModel::builder().keys(keys).options(options).build();
        let live = named(ONE_LIVE_PAYMENT)
            .unique(true)
            .partial_filter_expression(doc! {"live": true})
            .build();
        let due = named("due")
            .partial_filter_expression(doc! {"nextAttemptAt": {"$type": "date"}})
            .build();
        // A search for a string is known to lie within this; within `$type: "string"` it is not.
        let intent = named("intent")
            .partial_filter_expression(doc! {"intent": {"$gt": ""}})
            .build();
        let indexes = [
            index(doc! {"orderId": 1}, live),
            index(
                doc! {"orderId": 1, "createdAt": -1, "_id": -1},
                named("of_order").build(),
            ),
            index(doc! {"nextAttemptAt": 1}, due),
            index(doc! {"intent": 1}, intent),
        ];
        mongo.ensure_indexes(COLLECTION, &indexes).await?;
        Ok(Self {
            collection: mongo.collection(COLLECTION),
            inserts: GroupedInserts::new(mongo.clone(), COLLECTION),
            changes: GroupedChanges::new(mongo.clone(), COLLECTION),
            clock,
            lease,
        })
    }

    /// Inserts a payment that its inserter works on.
    ///
    /// # Errors
    /// The store's; after an unknown outcome the row may be there.
    pub(crate) async fn insert(
        &self,
        payment: &Payment,
        traceparent: Option<String>,
    ) -> Result<Inserted, Error> {
        let now = self.clock.now();
        let row = Row {
            payment: payment.clone(),
            lease_until: now + self.lease,
            next_attempt_at: Some(now),
            attempts: 0,
        };
        match self
            .inserts
            .insert(PaymentDocument::new(&row, traceparent).into_bson()?)
            .await
        {
            Ok(()) => Ok(Inserted::New),
            Err(InsertError::Duplicate(key)) if key.index == ONE_LIVE_PAYMENT => Ok(Inserted::OtherIsLive),
            Err(InsertError::Duplicate(_)) => Ok(Inserted::SameId),
            // Written or not, the id is new: reading it tells.
            Err(InsertError::Driver(error))
                if outcome_unknown(&error) && self.find(payment.id).await?.is_some() =>
            {
                Ok(Inserted::New)
            }
            Err(InsertError::Driver(error)) => Err(error),
        }
    }

    /// The payment with this id.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn find(&self, id: PaymentId) -> Result<Option<Row>, Error> {
        self.one(doc! {"_id": to_object_id(id.bytes())}).await
    }

    /// The one payment that keeps others for the order from being begun.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn live_of(&self, order: OrderId) -> Result<Option<Row>, Error> {
        self.one(doc! {"orderId": to_object_id(order.bytes()), "live": true})
            .await
    }

    /// The payments that these intents of Stripe's are for, and those with these ids.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn of_intents(
        &self,
        intents: &[&IntentId],
        ids: &[PaymentId],
    ) -> Result<Vec<Row>, Error> {
        let intents: Vec<&str> = intents.iter().map(|intent| intent.0.as_str()).collect();
        let ids: Vec<_> = ids.iter().map(|id| to_object_id(id.bytes())).collect();
        let (by_intent, by_id) = tokio::try_join!(
            self.all(doc! {"intent": {"$in": intents, "$gt": ""}}),
            self.all(doc! {"_id": {"$in": ids}})
        )?;
        Ok(by_intent.into_iter().chain(by_id).collect())
    }

    /// The order's latest payment.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn latest_of(&self, order: OrderId) -> Result<Option<Row>, Error> {
        let newest_first = doc! {"createdAt": -1, "_id": -1};
        let found = self
            .collection
            .find_one(doc! {"orderId": to_object_id(order.bytes())})
            .sort(newest_first)
            .await?;
        found.map(read).transpose()
    }

    async fn all(&self, filter: Document) -> Result<Vec<Row>, Error> {
        let found: Vec<Document> = self.collection.find(filter).await?.try_collect().await?;
        found.into_iter().map(read).collect()
    }

    async fn one(&self, filter: Document) -> Result<Option<Row>, Error> {
        self.collection.find_one(filter).await?.map(read).transpose()
    }

    /// Puts `after` in the place of `before`, unless somebody else changed it: then `None`. The worker goes on having
    /// it while a call is due, and leaves it otherwise.
    ///
    /// # Errors
    /// The store's; after an unknown outcome it may have been stored.
    pub(crate) async fn save(&self, before: &Payment, after: &Payment) -> Result<Option<Payment>, Error> {
        let now = self.clock.now();
        let (lease_until, next) = match after.due(now) {
            None => (now, None),
            Some(call) if call.is_a_look() => (now, Some(now + pause_after(call, 0))),
            Some(_) => (now + self.lease, Some(now)),
        };
        let mut set = changes(after)?;
        set.extend(schedule(lease_until, next, 0));
        let version = before.version + 1;
        set.insert("version", version);
        let unchanged = doc! {"version": before.version};
        let stored = self
            .changes
            .set_if(to_object_id(before.id.bytes()), unchanged, set)
            .await?;
        Ok(stored.then(|| Payment {
            version,
            ..after.clone()
        }))
    }

    /// Takes the payment to work on it, unless somebody else has it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn claim(&self, id: PaymentId) -> Result<Option<Row>, Error> {
        let now = self.clock.now();
        let free = doc! {"_id": to_object_id(id.bytes()), "leaseUntil": {"$lte": to_bson_time(now)}};
        let take = doc! {"$set": {"leaseUntil": to_bson_time(now + self.lease)}};
        let taken = self
            .collection
            .find_one_and_update(free, take)
            .return_document(ReturnDocument::After)
            .await?;
        taken.map(read).transpose()
    }

    /// Leaves the payment until `call`, of which `attempts` settled nothing, is due again. A payment that was changed
    /// meanwhile is left as it is.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn leave(
        &self,
        payment: &Payment,
        call: Option<Call>,
        attempts: u32,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let next = call.map(|call| now + pause_after(call, attempts));
        let filter = doc! {"_id": to_object_id(payment.id.bytes()), "version": payment.version};
        self.collection
            .update_one(filter, doc! {"$set": schedule(now, next, attempts + 1)})
            .await
            .map(|_| ())
    }

    /// Payments that are due and that nobody works on, the longest due first.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn due(&self, limit: i64) -> Result<Vec<PaymentId>, Error> {
        let now = to_bson_time(self.clock.now());
        let filter = doc! {"nextAttemptAt": {"$type": "date", "$lte": now}, "leaseUntil": {"$lte": now}};
        let found = self
            .collection
            .find(filter)
            .sort(doc! {"nextAttemptAt": 1})
            .limit(limit)
            .projection(doc! {"_id": 1});
        let rows: Vec<Document> = found.await?.try_collect().await?;
        Ok(rows
            .iter()
            .filter_map(|row| row.get_object_id("_id").ok())
            .map(|id| PaymentId::from_bytes(id.bytes()))
            .collect())
    }
}

fn schedule(lease_until: Timestamp, next: Option<Timestamp>, attempts: u32) -> Document {
    let next = next.map_or(Bson::Null, |next| to_bson_time(next).into());
    doc! {"leaseUntil": to_bson_time(lease_until), "nextAttemptAt": next, "attempts": i64::from(attempts)}
}

fn read(document: Document) -> Result<Row, Error> {
    Ok(PaymentDocument::from_bson(document)?.read())
}
