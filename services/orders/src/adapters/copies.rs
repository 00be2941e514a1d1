//! The service's own copies of tickets.
//!
//! A copy in memory may be stale: prices are read once more from the store after the claim holds, and a claim can only
//! come after an edit's state is in the store's copy.

use std::collections::HashMap;
use std::sync::Arc;

use bigtix_contracts::TicketId;
use bigtix_contracts::events::{TicketState, Versioned};
use bigtix_contracts::internal::{ReadEventTickets, ReadTickets, TicketList, paths};
use bigtix_service::internal::{CallError, Peer};
use bigtix_service::mongo::{Mongo, MongoError, Update, UpdateOne, only_duplicate_keys};
use bson::{Bson, Document, doc};
use futures::TryStreamExt;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use mongodb::error::Error;

use super::documents::oid;

const COPIES: &str = "tickets";
/// How many copies are kept in memory, the latest; one takes less than a kilobyte. What was just listed is what is about
/// to be bought, so the newest are kept rather than those that were asked for most often.
const REMEMBERED: u64 = 100_000;

/// How many copies are stored in one command.
const CHUNK: usize = 1000;
/// How many tickets are asked for by their ids; of an event with more news all tickets are read.
const FEW: usize = 1_000;

type Copy = Arc<Versioned<TicketState>>;

/// Copies in memory, shared by all partitions: tickets of one are never asked for in another one.
pub(crate) type Memory = Cache<TicketId, Copy>;

/// An empty memory.
pub(crate) fn memory() -> Memory {
    Cache::builder()
        .max_capacity(REMEMBERED)
        .eviction_policy(EvictionPolicy::lru())
        .build()
}

/// Why a ticket could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// The tickets service failed.
    #[error(transparent)]
    Owner(#[from] CallError),
}

/// Copies of tickets, in the store and in memory.
#[derive(Clone)]
pub(crate) struct Copies {
    mongo: Mongo,
    owner: Peer,
    memory: Memory,
}

impl Copies {
    /// Prepares the collection.
    pub(crate) async fn prepare(mongo: Mongo, owner: Peer, memory: Memory) -> Result<Self, MongoError> {
        mongo.ensure_indexes(COPIES, &[]).await?;
        Ok(Self { mongo, owner, memory })
    }

    /// Those of `ids` that exist, as lately known; asks their owner for those never heard of.
    pub(crate) async fn read(&self, ids: &[TicketId]) -> Result<HashMap<TicketId, Copy>, CopyError> {
        let mut found: HashMap<TicketId, Copy> = ids
            .iter()
            .filter_map(|id| Some((*id, self.memory.get(id)?)))
            .collect();
        let missing = |found: &HashMap<TicketId, Copy>| -> Vec<TicketId> {
            ids.iter().filter(|id| !found.contains_key(id)).copied().collect()
        };
        let unknown_here = missing(&found);
        if unknown_here.is_empty() {
            return Ok(found);
        }
        found.extend(self.read_stored(&unknown_here).await?);
        let unknown = missing(&found);
        if !unknown.is_empty() {
            found.extend(self.ask(unknown).await?);
        }
        Ok(found)
    }

    /// Those of `ids` that the store has, as they are now.
    pub(crate) async fn read_stored(&self, ids: &[TicketId]) -> Result<HashMap<TicketId, Copy>, Error> {
        let oids: Vec<_> = ids.iter().map(|id| oid(id.bytes())).collect();
        let rows: Vec<Document> = self
            .mongo
            .collection(COPIES)
            .find(doc! {"_id": {"$in": oids}})
            .await?
            .try_collect()
            .await?;
        let copies: Result<Vec<Copy>, Error> = rows
            .into_iter()
            .map(|row| Ok(Arc::new(read_copy(&row)?)))
            .collect();
        Ok(self.remember(copies?))
    }

    /// The versions of `ids` as the store has them now.
    pub(crate) async fn read_versions(&self, ids: &[TicketId]) -> Result<HashMap<TicketId, i64>, Error> {
        let oids: Vec<_> = ids.iter().map(|id| oid(id.bytes())).collect();
        let rows = self
            .mongo
            .collection(COPIES)
            .find(doc! {"_id": {"$in": oids}})
            .projection(doc! {"version": 1})
            .await?;
        let pair = async |row: Document| {
            let id = row.get_object_id("_id").map_err(Error::custom)?;
            Ok((
                TicketId::from_bytes(id.bytes()),
                row.get_i64("version").map_err(Error::custom)?,
            ))
        };
        rows.and_then(pair).try_collect().await
    }

    /// Every ticket of an event as its owner knows them now; `None` when there is no such event and no such ticket.
    ///
    /// Of tickets that are in memory their versions are enough, which cost their owner a tenth of the whole.
    pub(crate) async fn read_event(&self, event_id: &str) -> Result<Option<Vec<Copy>>, CopyError> {
        let list = self.call_for_event(event_id, true).await?;
        if !list.event_exists {
            return Ok(None);
        }
        // An owner of the release before answers with the tickets.
        let mut found: Vec<Copy> = self.keep(list.tickets).await?.into_values().collect();
        let mut news = Vec::new();
        for (id, version) in list.versions {
            match self.memory.get(&id) {
                Some(copy) if copy.version >= version => found.push(copy),
                Some(_) | None => news.push(id),
            }
        }
        if news.len() > FEW {
            let list = self.call_for_event(event_id, false).await?;
            return Ok(Some(self.keep(list.tickets).await?.into_values().collect()));
        }
        if !news.is_empty() {
            found.extend(self.ask(news).await?.into_values());
        }
        Ok(Some(found))
    }

    async fn call_for_event(&self, event_id: &str, versions_only: bool) -> Result<TicketList, CallError> {
        let question = ReadEventTickets {
            event_id: event_id.to_owned(),
            versions_only,
        };
        self.owner.call(paths::READ_EVENT_TICKETS, &question).await
    }

    /// Those of `ids` that exist, as their owner knows them now.
    async fn ask(&self, ids: Vec<TicketId>) -> Result<HashMap<TicketId, Copy>, CopyError> {
        let list: TicketList = self.owner.call(paths::READ_TICKETS, &ReadTickets { ids }).await?;
        Ok(self.keep(list.tickets).await?)
    }

    /// Stores what is newer than what is there, and answers with all of it.
    ///
    /// Most of an event's tickets are known, and an upsert that finds something as new costs the store much more than to
    /// look: it tries to insert, twice. So what is not there at all is inserted, too.
    pub(crate) async fn keep(
        &self,
        tickets: Vec<Versioned<TicketState>>,
    ) -> Result<HashMap<TicketId, Copy>, Error> {
        let tickets: Vec<Copy> = tickets.into_iter().map(Arc::new).collect();
        // What is in memory has been stored before.
        let is_known = |ticket: &Copy| {
            let known = self.memory.get(&ticket.state.id);
            known.is_some_and(|known| known.version >= ticket.version)
        };
        let mut news: Vec<&Copy> = tickets.iter().filter(|ticket| !is_known(ticket)).collect();
        if !news.is_empty() {
            let ids: Vec<TicketId> = news.iter().map(|ticket| ticket.state.id).collect();
            let stored = self.read_versions(&ids).await?;
            let is_stored = |ticket: &&Copy| stored.contains_key(&ticket.state.id);
            let (known, unknown): (Vec<&Copy>, Vec<&Copy>) = news.into_iter().partition(is_stored);
            news = self.insert(unknown).await?;
            let is_newer = |ticket: &&Copy| stored[&ticket.state.id] < ticket.version;
            news.extend(known.into_iter().filter(is_newer));
        }
        self.update(&news).await?;
        Ok(self.remember(tickets))
    }

    /// Stores copies of which there are none, and answers with those that may have been stored by somebody else meanwhile.
    async fn insert<'a>(&self, copies: Vec<&'a Copy>) -> Result<Vec<&'a Copy>, Error> {
        let mut met_others = Vec::new();
        for chunk in copies.chunks(CHUNK) {
            let documents = chunk
                .iter()
                .map(|copy| first(copy))
                .collect::<Result<Vec<_>, _>>()?;
            let inserted = self
                .mongo
                .collection(COPIES)
                .insert_many(documents)
                .ordered(false)
                .await;
            match inserted {
                Ok(_) => {}
                Err(error) if only_duplicate_keys(&error) => met_others.extend(chunk),
                Err(error) => return Err(error),
            }
        }
        Ok(met_others)
    }

    /// Stores each where what is there is older.
    async fn update(&self, copies: &[&Copy]) -> Result<(), Error> {
        for chunk in copies.chunks(CHUNK) {
            let updates = chunk.iter().map(|copy| newer(copy)).collect::<Result<_, _>>()?;
            let outcome = self.mongo.bulk_update(COPIES, updates).await?;
            if let Some((_, code, message)) = outcome.first_failure() {
                return Err(Error::custom(format!(
                    "a copy could not be stored: {code} {message}"
                )));
            }
        }
        Ok(())
    }

    fn remember(&self, copies: Vec<Copy>) -> HashMap<TicketId, Copy> {
        for copy in &copies {
            let known = self.memory.get(&copy.state.id);
            if known.is_none_or(|known| known.version < copy.version) {
                self.memory.insert(copy.state.id, copy.clone());
            }
        }
        copies.into_iter().map(|copy| (copy.state.id, copy)).collect()
    }
}

fn fields(ticket: &Versioned<TicketState>) -> Result<Document, Error> {
    let state = serde_json::to_string(&ticket.state).map_err(Error::custom)?;
    Ok(doc! {"version": ticket.version, "state": state})
}

fn first(ticket: &Versioned<TicketState>) -> Result<Document, Error> {
    let mut document = doc! {"_id": oid(ticket.state.id.bytes())};
    document.extend(fields(ticket)?);
    Ok(document)
}

fn newer(ticket: &Versioned<TicketState>) -> Result<UpdateOne, Error> {
    Ok(UpdateOne {
        filter: doc! {"_id": oid(ticket.state.id.bytes()), "version": {"$lt": ticket.version}},
        update: Update::Document(doc! {"$set": fields(ticket)?}),
        upsert: true,
    })
}

fn read_copy(row: &Document) -> Result<Versioned<TicketState>, Error> {
    let state = row
        .get("state")
        .and_then(Bson::as_str)
        .ok_or_else(|| Error::custom("a copy without state"))?;
    Ok(Versioned {
        version: row.get_i64("version").map_err(Error::custom)?,
        state: serde_json::from_str(state).map_err(Error::custom)?,
    })
}

#[cfg(test)]
mod tests {
    use bigtix_service::Secret;
    use bigtix_service::http::keys::KeyRing;
    use bigtix_service::mongo::new_id;

    use super::*;
    use crate::adapters::claims::tests::store;
    use crate::domain::quote::tests::ticket;

    /// Instances of one service, each with a memory of its own.
    async fn instances() -> [Copies; 2] {
        let mongo = store().await;
        let keys = KeyRing::parse(&Secret::new("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")).unwrap();
        let owner = Peer::new("orders", "tickets", vec!["http://127.0.0.1:1".to_owned()], keys);
        let instance = || Copies::prepare(mongo.clone(), owner.clone(), memory());
        [instance().await.unwrap(), instance().await.unwrap()]
    }

    fn at_version(id: TicketId, version: i64) -> Versioned<TicketState> {
        let state = TicketState {
            id,
            title: format!("Title {version}"),
            ..ticket(1, 50).state
        };
        Versioned { version, state }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_newer_is_stored_whoever_remembers_what() {
        let [one, other] = instances().await;
        let ids: [TicketId; 3] = std::array::from_fn(|_| TicketId::from_bytes(new_id()));
        let at = |versions: [i64; 3]| -> Vec<_> {
            ids.iter()
                .zip(versions)
                .map(|(id, version)| at_version(*id, version))
                .collect()
        };
        one.keep(at([1, 1, 1])).await.unwrap();
        other.keep(at([1, 2, 1])).await.unwrap();
        // The one remembers version 1 of the second ticket, of which the store has the next.
        let kept = one.keep(at([1, 2, 3])).await.unwrap();
        assert_eq!(kept.len(), 3);
        // What is old is no news, whether it is remembered or only stored.
        other.keep(at([0, 1, 2])).await.unwrap();
        let stored = one.read_stored(&ids).await.unwrap();
        for (id, version) in ids.iter().zip([1, 2, 3]) {
            assert_eq!(stored[id].version, version);
            assert_eq!(stored[id].state.title, format!("Title {version}"));
            let known = one.read(&[*id]).await.unwrap();
            assert_eq!(known[id].version, version);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_two_who_store_a_first_copy_the_newer_stays() {
        let [one, other] = instances().await;
        for _ in 0..50 {
            let ids: [TicketId; 3] = std::array::from_fn(|_| TicketId::from_bytes(new_id()));
            let at = |version| ids.map(|id| at_version(id, version)).to_vec();
            let (older, newer) = tokio::join!(one.keep(at(1)), other.keep(at(2)));
            older.unwrap();
            newer.unwrap();
            let stored = one.read_stored(&ids).await.unwrap();
            assert!(stored.values().all(|copy| copy.version == 2), "{stored:?}");
            assert_eq!(stored.len(), 3);
        }
    }
}
