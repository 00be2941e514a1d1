//! Timers as the store keeps them. A timer that fired is its own outbox.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::{Envelope, TimerState};
use bigtix_service::clock::wall;
use bigtix_service::mongo::{
    Mongo, MongoError, from_bson_time, only_duplicate_keys, to_bson_time, to_object_id,
};
use bigtix_service::outbox::ReadError;
use bson::oid::ObjectId;
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

    /// Arms timers that are not there yet; those that are, armed or fired, stay as they are.
    ///
    /// A timer that is there may be for fewer orders than the one that is called so now, since what arrives twice need not arrive
    /// in the same company. So each order gets a timer of its own then, and is woken twice at worst.
    pub(crate) async fn arm(&self, timers: &[TimerState]) -> Result<(), Error> {
        if self.insert(timers.iter().map(to_document)).await? == Inserted::All {
            return Ok(());
        }
        let alone = timers.iter().flat_map(|timer| {
            timer.orders().map(|order_id| TimerState {
                order_id,
                due_at: timer.due_at,
                also: Vec::new(),
            })
        });
        self.insert(alone.map(|timer| to_document(&timer)))
            .await
            .map(|_| ())
    }

    async fn insert(&self, timers: impl Iterator<Item = Document>) -> Result<Inserted, Error> {
        let inserted = self
            .mongo
            .collection(TIMERS)
            .insert_many(timers)
            .ordered(false)
            .await;
        match inserted {
            Ok(_) => Ok(Inserted::All),
            Err(error) if only_duplicate_keys(&error) => Ok(Inserted::ThoseThatWereNotThere),
            Err(error) => Err(error),
        }
    }

    /// Fires those of the timers called `names` that are due by the store's clock; returns how many.
    pub(crate) async fn fire(&self, names: &[OrderId]) -> Result<u64, Error> {
        let ids: Vec<_> = names.iter().map(|name| to_object_id(name.bytes())).collect();
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
    pub(crate) async fn armed(&self, until: Timestamp, limit: i64) -> Result<Vec<TimerState>, Error> {
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

#[derive(PartialEq, Eq)]
enum Inserted {
    All,
    ThoseThatWereNotThere,
}

fn to_document(timer: &TimerState) -> Document {
    let TimerState {
        order_id,
        due_at,
        also,
    } = timer;
    let mut document = doc! {"_id": to_object_id(order_id.bytes()), "dueAt": to_bson_time(*due_at), "fired": false, "version": 0_i64};
    if !also.is_empty() {
        let also = also.iter().map(|order| to_object_id(order.bytes()));
        document.insert("also", also.collect::<Vec<_>>());
    }
    document
}

fn read_timer(row: &Document) -> Result<TimerState, bson::error::Error> {
    let also = match row.get("also") {
        Some(orders) => bson::deserialize_from_bson::<Vec<ObjectId>>(orders.clone())?,
        None => Vec::new(),
    };
    Ok(TimerState {
        order_id: OrderId::from_bytes(row.get_object_id("_id")?.bytes()),
        due_at: from_bson_time(*row.get_datetime("dueAt")?),
        also: also
            .iter()
            .map(|order| OrderId::from_bytes(order.bytes()))
            .collect(),
    })
}

/// The event that a timer's document is.
pub(crate) fn read_event(document: &Document) -> Result<Envelope<TimerState>, ReadError> {
    let refused = |error: bson::error::Error| ReadError(error.to_string());
    let timer = read_timer(document).map_err(refused)?;
    let version = document.get_i64("version").map_err(refused)?;
    Ok(Envelope::new(timer, version, wall(), None))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bigtix_service::Secret;
    use bigtix_service::mongo::{MongoConfig, new_id};
    use bigtix_testkit::stores::shared;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_order_that_comes_again_in_other_company_keeps_nobody_from_a_timer() {
        let database = shared().database();
        let config = MongoConfig {
            uri: Secret::new(database.uri),
            database: database.name,
        };
        let timers = Timers::prepare(Mongo::connect(&config).await.unwrap())
            .await
            .unwrap();
        let [one, two, three] = [new_id(), new_id(), new_id()].map(OrderId::from_bytes);
        let timer = |also: &[OrderId]| TimerState {
            order_id: one,
            due_at: Timestamp::from_millisecond(1_000).unwrap(),
            also: also.to_vec(),
        };
        timers.arm(&[timer(&[two])]).await.unwrap();
        timers.arm(&[timer(&[three])]).await.unwrap();
        let armed = timers.armed(Timestamp::now(), 10).await.unwrap();
        assert_eq!(armed[0].due_at, timer(&[]).due_at);
        let woken: BTreeSet<OrderId> = armed.iter().flat_map(TimerState::orders).collect();
        assert_eq!(woken, [one, two, three].into());
    }
}
