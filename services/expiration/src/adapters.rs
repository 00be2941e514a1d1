//! Timers as the store keeps them. A timer that fired is its own outbox.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::{Envelope, TimerState};
use bigtix_service::clock::wall;
use bigtix_service::mongo::{
    Mongo, MongoError, from_bson_time, only_duplicate_keys, to_bson_time, to_object_id,
};
use bigtix_service::outbox::ReadError;
use bson::{Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::IndexModel;
use mongodb::error::Error;
use mongodb::options::IndexOptions;

/// Name of the collection.
pub(crate) const TIMERS: &str = "timers";
/// How long a timer that fired is kept; longer than any outage that its event must survive.
const KEPT: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 60 * 60);

/// The timers.
#[derive(Clone)]
pub(crate) struct Timers {
    mongo: Mongo,
}

impl Timers {
    /// Prepares the collection.
    pub(crate) async fn prepare(mongo: Mongo) -> Result<Self, MongoError> {
        let armed = IndexOptions::builder()
            .name("armed".to_owned())
            .partial_filter_expression(doc! {"fired": false})
            .build();
        let kept = IndexOptions::builder()
            .name("kept".to_owned())
            .expire_after(KEPT)
            .build();
        let indexes = [
            IndexModel::builder()
                .keys(doc! {"dueAt": 1})
                .options(armed)
                .build(),
            IndexModel::builder()
                .keys(doc! {"firedAt": 1})
                .options(kept)
                .build(),
        ];
        mongo.ensure_indexes(TIMERS, &indexes).await?;
        Ok(Self { mongo })
    }

    /// Arms timers that are not there yet. They are inserted, because an upsert of each would cost the store twice as much,
    /// and those that are there, armed or fired, stay as they are.
    pub(crate) async fn arm(&self, timers: &[(OrderId, Timestamp)]) -> Result<(), Error> {
        let armed = |(order, due_at): &(OrderId, Timestamp)| {
            doc! {"_id": to_object_id(order.bytes()), "dueAt": to_bson_time(*due_at), "fired": false, "version": 0_i64}
        };
        let inserted = self
            .mongo
            .collection(TIMERS)
            .insert_many(timers.iter().map(armed))
            .ordered(false)
            .await;
        match inserted {
            Err(error) if !only_duplicate_keys(&error) => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Forgets timers that nobody waits for any more.
    pub(crate) async fn disarm(&self, orders: &[OrderId]) -> Result<(), Error> {
        let ids: Vec<_> = orders.iter().map(|order| to_object_id(order.bytes())).collect();
        self.mongo
            .collection(TIMERS)
            .delete_many(doc! {"_id": {"$in": ids}})
            .await
            .map(|_| ())
    }

    /// Fires those of `orders` whose timer is due by the store's clock; returns how many.
    pub(crate) async fn fire(&self, orders: &[OrderId]) -> Result<u64, Error> {
        let ids: Vec<_> = orders.iter().map(|order| to_object_id(order.bytes())).collect();
        let due = doc! {"_id": {"$in": ids}, "fired": false, "$expr": {"$lte": ["$dueAt", "$$NOW"]}};
        let fire =
            doc! {"$set": {"fired": true, "firedAt": "$$NOW", "version": {"$add": ["$version", 1_i64]}}};
        Ok(self
            .mongo
            .collection(TIMERS)
            .update_many(due, vec![fire])
            .await?
            .modified_count)
    }

    /// Armed timers that fall due until `until`, in that order, at most `limit`.
    pub(crate) async fn armed(
        &self,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<(OrderId, Timestamp)>, Error> {
        let timers = self.mongo.collection(TIMERS);
        let armed = timers
            .find(doc! {"fired": false, "dueAt": {"$lte": to_bson_time(until)}})
            .sort(doc! {"dueAt": 1})
            .limit(limit)
            .await?;
        let rows: Vec<Document> = armed.try_collect().await?;
        rows.iter()
            .map(|row| read_timer(row).map_err(Error::custom))
            .collect()
    }
}

fn read_timer(row: &Document) -> Result<(OrderId, Timestamp), bson::error::Error> {
    let id = OrderId::from_bytes(row.get_object_id("_id")?.bytes());
    Ok((id, from_bson_time(*row.get_datetime("dueAt")?)))
}

/// The event that a timer's document is.
pub(crate) fn read_event(document: &Document) -> Result<Envelope<TimerState>, ReadError> {
    let refused = |error: bson::error::Error| ReadError(error.to_string());
    let (order_id, due_at) = read_timer(document).map_err(refused)?;
    let version = document.get_i64("version").map_err(refused)?;
    Ok(Envelope::new(
        TimerState { order_id, due_at },
        version,
        wall(),
        None,
    ))
}
