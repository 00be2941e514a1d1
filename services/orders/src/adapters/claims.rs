//! The collection whose one unique index decides who holds a ticket.

use std::collections::HashSet;

use bigtix_contracts::events::{OrderState, Versioned};
use bigtix_contracts::internal::ClaimOutcome;
use bigtix_contracts::{OrderId, TicketId};
use bigtix_service::clock::wall;
use bigtix_service::mongo::{GroupedChanges, Mongo, MongoError, duplicate_key, from_bson_time, to_bson_time};
use bson::{Bson, Document, RawDocumentBuf, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::error::{Error, ErrorKind};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

use super::documents::{ClaimDocumentKind, ClaimRow, HeldRow, OrderDocument, oid};
use crate::domain::order::is_past;

/// Name of the collection.
pub(crate) const CLAIMS: &str = "claims";
/// Name of the index that is the whole safety argument.
const HELD_ONCE: &str = "held_once";

/// Name of the index that tells how many tickets a buyer holds.
pub(super) const HELD: &str = "held";

/// The most tickets of one search: a command has a largest size.
const ASKED_AT_ONCE: usize = 10_000;

/// Who holds a ticket.
#[derive(Debug, Clone)]
pub(crate) struct Holder {
    /// The order or claim.
    pub(crate) id: OrderId,
    /// What it is.
    pub(crate) kind: HolderKind,
    /// All the tickets it holds.
    pub(crate) tickets: Vec<TicketId>,
}

/// What holds a ticket.
#[derive(Debug, Clone)]
pub(crate) enum HolderKind {
    /// An order.
    Order(Box<Versioned<OrderState>>),
    /// An edit under way, or left behind and about to be settled.
    Edit,
    /// A withdrawal, for ever.
    Withdrawn,
}

/// What became of one order of an insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InsertFate {
    /// It holds its tickets.
    Placed,
    /// An order or claim holds one of them.
    Held,
    /// An order with this id exists already.
    Exists,
    /// Nobody knows.
    Unknown,
}

/// The claims.
#[derive(Clone)]
pub(crate) struct Claims {
    mongo: Mongo,
}

impl Claims {
    /// Prepares the collection: its validator and its indexes, the unique one above all.
    pub(crate) async fn prepare(mongo: Mongo) -> Result<Self, MongoError> {
        let database = mongo.database();
        match database.create_collection(CLAIMS).validator(validator()).await {
            Ok(()) => {}
            Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(c) if c.code == 48) => {
                database
                    .run_command(doc! {"collMod": CLAIMS, "validator": validator()})
                    .await?;
            }
            Err(error) => return Err(error.into()),
        }
        let held_once = IndexOptions::builder()
            .name(HELD_ONCE.to_owned())
            .unique(true)
            .partial_filter_expression(doc! {"active": true})
            .build();
        let due = IndexOptions::builder()
            .name("due".to_owned())
            .partial_filter_expression(doc! {"status": "created"})
            .build();
        let held = IndexOptions::builder().name(HELD.to_owned()).build();
        let indexes = [
            IndexModel::builder()
                .keys(doc! {"ticketIds": 1})
                .options(held_once)
                .build(),
            IndexModel::builder()
                .keys(doc! {"expiresAt": 1})
                .options(due)
                .build(),
            IndexModel::builder()
                .keys(doc! {"userId": 1, "createdAt": -1, "_id": -1})
                .build(),
            IndexModel::builder()
                .keys(doc! {"userId": 1, "status": 1, "expiresAt": 1, "ticketCount": 1})
                .options(held)
                .build(),
        ];
        mongo.ensure_indexes(CLAIMS, &indexes).await?;
        Ok(Self { mongo })
    }

    /// The orders among the claims.
    pub(crate) fn orders(&self) -> Collection<OrderDocument> {
        self.mongo.database().collection(CLAIMS)
    }

    /// The orders, of which only what the index of held tickets has is read.
    pub(super) fn held(&self) -> Collection<HeldRow> {
        self.mongo.database().collection(CLAIMS)
    }

    /// The claims as the store sends them, of whatever kind.
    pub(super) fn raw(&self) -> Collection<RawDocumentBuf> {
        self.mongo.database().collection(CLAIMS)
    }

    /// Changes of orders, as many as wait in one command.
    pub(crate) fn changes(&self) -> GroupedChanges {
        GroupedChanges::new(self.mongo.clone(), CLAIMS)
    }

    fn documents(&self) -> Collection<Document> {
        self.mongo.collection(CLAIMS)
    }

    /// Inserts all of `orders` in one command; each gets its own fate.
    pub(crate) async fn insert(&self, orders: &[OrderDocument]) -> Vec<InsertFate> {
        match self.orders().insert_many(orders).ordered(false).await {
            Ok(_) => vec![InsertFate::Placed; orders.len()],
            Err(error) => fates(&error, orders.len()),
        }
    }

    /// Who holds any of `tickets` now.
    pub(crate) async fn holders(&self, tickets: &[TicketId]) -> Result<Vec<Holder>, Error> {
        let ids: Vec<_> = tickets.iter().map(|ticket| oid(ticket.bytes())).collect();
        let cursor = self
            .documents()
            .find(doc! {"ticketIds": {"$in": ids}, "active": true})
            .await?;
        cursor
            .and_then(async |document| Ok(read_holder(document)?))
            .try_collect()
            .await
    }

    /// Those of `tickets` that an order whose time is not over by `now` or a withdrawal holds.
    pub(crate) async fn held_among(
        &self,
        tickets: &[TicketId],
        now: Timestamp,
    ) -> Result<HashSet<TicketId>, Error> {
        let mut held = HashSet::new();
        for some in tickets.chunks(ASKED_AT_ONCE) {
            let ids: Vec<_> = some.iter().map(|ticket| oid(ticket.bytes())).collect();
            let mut rows = self
                .mongo
                .database()
                .collection::<ClaimRow>(CLAIMS)
                .find(doc! {"ticketIds": {"$in": ids}, "active": true})
                .projection(doc! {"_id": 0, "kind": 1, "ticketIds": 1, "status": 1, "expiresAt": 1})
                .await?;
            while let Some(row) = rows.try_next().await? {
                if holds(&row, now) {
                    held.extend(row.ticket_ids.iter().map(|id| TicketId::from_bytes(id.bytes())));
                }
            }
        }
        Ok(held)
    }

    /// Claims a ticket for its seller. Whatever it is for, it counts as an edit under way until its release says that it
    /// stays: until then nobody can tell whether the ticket will be for sale.
    pub(crate) async fn claim(&self, id: OrderId, ticket: TicketId) -> Result<ClaimOutcome, Error> {
        let claim = doc! {
            "_id": oid(id.bytes()), "kind": "edit", "active": true, "ticketIds": [oid(ticket.bytes())], "createdAt": to_bson_time(wall()),
        };
        match self.documents().insert_one(claim).await {
            Ok(_) => Ok(ClaimOutcome::Claimed),
            Err(error) => match duplicate_key(&error) {
                Some(duplicate) if duplicate.index == "_id_" => self.repeated_claim(id).await,
                Some(_) if self.is_active(id).await? => Ok(ClaimOutcome::Claimed),
                Some(_) => Ok(ClaimOutcome::Taken),
                None => Err(error),
            },
        }
    }

    async fn repeated_claim(&self, id: OrderId) -> Result<ClaimOutcome, Error> {
        Ok(if self.is_active(id).await? {
            ClaimOutcome::Claimed
        } else {
            ClaimOutcome::Released
        })
    }

    async fn is_active(&self, id: OrderId) -> Result<bool, Error> {
        Ok(self
            .documents()
            .find_one(doc! {"_id": oid(id.bytes()), "active": true})
            .await?
            .is_some())
    }

    /// Ends an edit's claim. One that has not arrived yet finds itself ended.
    pub(crate) async fn release(&self, id: OrderId, ticket: TicketId) -> Result<(), Error> {
        let ended = doc! {"$set": {"active": false}, "$setOnInsert": {"kind": "edit", "ticketIds": [oid(ticket.bytes())], "createdAt": to_bson_time(wall())}};
        self.documents()
            .update_one(doc! {"_id": oid(id.bytes())}, ended)
            .upsert(true)
            .await
            .map(|_| ())
    }

    /// Makes a claim stay for ever.
    pub(crate) async fn keep_as_withdrawn(&self, id: OrderId, ticket: TicketId) -> Result<(), Error> {
        let kept = doc! {"$set": {"kind": "withdrawn"}, "$setOnInsert": {"active": true, "ticketIds": [oid(ticket.bytes())], "createdAt": to_bson_time(wall())}};
        self.documents()
            .update_one(doc! {"_id": oid(id.bytes())}, kept)
            .upsert(true)
            .await
            .map(|_| ())
    }
}

/// Whether it keeps others from its tickets; an edit is soon over.
fn holds(row: &ClaimRow, now: Timestamp) -> bool {
    match row.kind {
        ClaimDocumentKind::Edit => false,
        ClaimDocumentKind::Withdrawn => true,
        ClaimDocumentKind::Order => match (row.status, row.expires_at) {
            (Some(status), Some(expires_at)) => !is_past(status, from_bson_time(expires_at), now),
            (None, _) | (_, None) => true,
        },
    }
}

fn read_holder(document: Document) -> Result<Holder, Error> {
    let id = document.get_object_id("_id").map_err(Error::custom)?;
    let ids = document.get_array("ticketIds").map_err(Error::custom)?;
    let tickets = ids
        .iter()
        .filter_map(Bson::as_object_id)
        .map(|id| TicketId::from_bytes(id.bytes()))
        .collect();
    let kind: ClaimDocumentKind =
        bson::deserialize_from_bson(document.get("kind").cloned().unwrap_or(Bson::Null))
            .map_err(Error::custom)?;
    let kind = match kind {
        ClaimDocumentKind::Edit => HolderKind::Edit,
        ClaimDocumentKind::Withdrawn => HolderKind::Withdrawn,
        ClaimDocumentKind::Order => {
            let order: OrderDocument = bson::deserialize_from_document(document).map_err(Error::custom)?;
            HolderKind::Order(Box::new(order.into_order()))
        }
    };
    Ok(Holder {
        id: OrderId::from_bytes(id.bytes()),
        kind,
        tickets,
    })
}

/// What an error says of each of `count` documents. A write concern error leaves every one in doubt that did not fail.
fn fates(error: &Error, count: usize) -> Vec<InsertFate> {
    let ErrorKind::InsertMany(failed) = error.kind.as_ref() else {
        return vec![InsertFate::Unknown; count];
    };
    let in_doubt = failed.write_concern_error.is_some();
    let mut fates = vec![
        if in_doubt {
            InsertFate::Unknown
        } else {
            InsertFate::Placed
        };
        count
    ];
    for refused in failed.write_errors.iter().flatten() {
        let fate = match refused.code {
            11000 if refused.message.contains(HELD_ONCE) => InsertFate::Held,
            11000 => InsertFate::Exists,
            _ => InsertFate::Unknown,
        };
        if let Some(slot) = fates.get_mut(refused.index) {
            *slot = fate;
        }
    }
    fates
}

/// The shape that keeps the index's argument sound: one to twenty different ids, and `active` as the status says.
fn validator() -> Document {
    let holds = doc! {"$or": [
        {"$in": ["$status", ["created", "awaiting:payment", "complete"]]},
        {"$and": [{"$eq": ["$status", "refunded"]}, {"$ne": ["$relisted", true]}]},
    ]};
    doc! {
        "$jsonSchema": {
            "required": ["kind", "active", "ticketIds"],
            "properties": {
                "kind": {"enum": ["order", "edit", "withdrawn"]},
                "active": {"bsonType": "bool"},
                "ticketIds": {"bsonType": "array", "minItems": 1, "maxItems": 20, "uniqueItems": true, "items": {"bsonType": "objectId"}},
            },
        },
        "$expr": {"$or": [{"$ne": ["$kind", "order"]}, {"$eq": ["$active", holds]}]},
    }
}

#[cfg(test)]
pub(super) mod tests {
    use bigtix_contracts::events::Turn;
    use bigtix_service::Settings;
    use bigtix_service::clock::StoreClock;
    use bigtix_service::mongo::{MongoConfig, new_id};
    use bigtix_testkit::stores::shared;
    use jiff::Timestamp;

    use super::*;
    use crate::adapters::Orders;
    use crate::domain::order::Command;
    use crate::domain::order::tests::created;

    /// A database of its own.
    pub(in crate::adapters) async fn store() -> Mongo {
        let database = shared().database();
        let values = [("MONGODB_URI", database.uri), ("MONGODB_DATABASE", database.name)];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        let config = MongoConfig::read(&mut Settings::from_map(values.into()), "orders");
        Mongo::connect(&config).await.unwrap()
    }

    /// An order of this ticket whose time is never over.
    pub(in crate::adapters) fn order(ticket: TicketId) -> OrderState {
        let mut order = created();
        order.id = OrderId::from_bytes(new_id());
        // Whoever places it may have any clock.
        order.expires_at = Timestamp::MAX;
        order.tickets[0].id = ticket;
        order
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn each_order_of_a_ticket_gets_a_later_turn_and_keeps_it() {
        let mongo = store().await;
        let claims = Claims::prepare(mongo.clone()).await.unwrap();
        let orders = Orders::new(claims.clone(), StoreClock::learn(&mongo).await.unwrap());
        let ticket = TicketId::from_bytes(new_id());
        let mut turns: Vec<Turn> = Vec::new();
        for _ in 0..5 {
            let order = order(ticket);
            let document = OrderDocument::to_insert(&order, None);
            assert_eq!(claims.insert(&[document]).await, [InsertFate::Placed]);
            let placed = orders.find(order.id).await.unwrap().unwrap();
            orders.apply(order.id, Command::Cancel).await.unwrap();
            let cancelled = orders.find(order.id).await.unwrap().unwrap();
            assert_eq!(cancelled.state.turn, placed.state.turn);
            turns.extend(placed.state.turn);
        }
        assert_eq!(turns.len(), 5);
        assert!(turns.is_sorted_by(|earlier, later| earlier < later), "{turns:?}");
    }
}
