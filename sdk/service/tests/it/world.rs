//! What the tests of messaging share: notes as aggregates, a copy of them, and a way to meddle with the stream.

use std::sync::{Arc, Mutex};

use async_nats::jetstream;
use bigtix_contracts::events::{Aggregate, Envelope};
use bigtix_service::Secret;
use bigtix_service::inbox::{HandlerError, Subscription};
use bigtix_service::mongo::{Mongo, MongoConfig, Update, UpdateOne};
use bigtix_service::nats::{Bus, NatsConfig};
use bigtix_service::outbox::{Outbox, ReadError, Relay};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::shared;
use bson::{Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The smallest aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) text: String,
}

impl Aggregate for Note {
    const PRODUCER: &'static str = "tickets";
    const KIND: &'static str = "note";

    fn id(&self) -> String {
        self.id.clone()
    }

    fn event_type(&self, _: i64) -> &'static str {
        "note.written"
    }
}

pub(crate) fn envelope(id: &str, version: i64) -> Envelope<Note> {
    let note = Note {
        id: id.to_owned(),
        text: format!("text {version}"),
    };
    Envelope::new(note, version, Timestamp::now(), None)
}

fn read(document: &Document) -> Result<Envelope<Note>, ReadError> {
    let missing = |error: bson::error::Error| ReadError(error.to_string());
    let note = Note {
        id: document.get_str("_id").map_err(missing)?.to_owned(),
        text: document.get_str("text").map_err(missing)?.to_owned(),
    };
    Ok(Envelope::new(
        note,
        document.get_i64("version").map_err(missing)?,
        Timestamp::now(),
        None,
    ))
}

/// A task that can be told to stop, or killed.
pub(crate) struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// A database and a prefix of one test's own.
pub(crate) struct World {
    pub(crate) mongo: Mongo,
    pub(crate) config: MongoConfig,
    nats_url: String,
    pub(crate) prefix: String,
    jetstream: OnceCell<jetstream::Context>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let stores = shared();
        let database = stores.database();
        Self::at(
            &database.uri,
            &database.name,
            &stores.nats_url(),
            &stores.prefix(),
        )
        .await
    }

    pub(crate) async fn at(mongodb_uri: &str, database: &str, nats_url: &str, prefix: &str) -> Self {
        let config = MongoConfig {
            uri: Secret::new(mongodb_uri),
            database: database.to_owned(),
        };
        let mongo = Mongo::connect(&config).await.unwrap();
        Self {
            mongo,
            config,
            nats_url: nats_url.to_owned(),
            prefix: prefix.to_owned(),
            jetstream: OnceCell::new(),
        }
    }

    pub(crate) async fn bus(&self) -> Bus {
        self.bus_as(&self.nats_url).await
    }

    pub(crate) async fn bus_as(&self, url: &str) -> Bus {
        let config = NatsConfig {
            url: Secret::new(url),
            prefix: self.prefix.clone(),
            replicas: 1,
        };
        Bus::connect(&config, "test").await.unwrap()
    }

    /// JetStream without the kit, to do what no service does.
    pub(crate) async fn jetstream(&self) -> jetstream::Context {
        let connect = || async {
            let server: async_nats::ServerAddr = self.nats_url.parse().unwrap();
            let (user, password) = (
                server.username().unwrap().to_owned(),
                server.password().unwrap().to_owned(),
            );
            let options = async_nats::ConnectOptions::new()
                .retry_on_initial_connect()
                .user_and_password(user, password);
            jetstream::new(options.connect(server).await.unwrap())
        };
        self.jetstream.get_or_init(connect).await.clone()
    }

    pub(crate) fn stream_name(&self) -> String {
        format!("{}tickets", self.prefix.replace('.', "_"))
    }

    pub(crate) fn consumer_name(&self, consumer: &str) -> String {
        format!("{}{consumer}", self.prefix.replace('.', "_"))
    }

    pub(crate) fn subject(&self, id: &str) -> String {
        format!("{}tickets.note.{id}", self.prefix)
    }

    /// Writes the next version of a note, as a service would.
    pub(crate) async fn write(&self, id: &str) -> i64 {
        let next = doc! {"$add": [{"$ifNull": ["$version", -1_i64]}, 1_i64]};
        let update = vec![
            doc! {"$set": {"kind": "note", "version": next}},
            doc! {"$set": {"text": {"$concat": ["text ", {"$toString": "$version"}]}}},
        ];
        let notes = self.mongo.collection("notes");
        let after = notes
            .find_one_and_update(doc! {"_id": id}, update)
            .upsert(true)
            .return_document(mongodb::options::ReturnDocument::After)
            .await
            .unwrap()
            .unwrap();
        after.get_i64("version").unwrap()
    }

    pub(crate) fn outbox() -> Outbox<Document, Note> {
        Outbox {
            collection: "notes",
            filter: doc! {"kind": "note"},
            read,
        }
    }

    /// Starts a relay with connections of its own, as another instance would have.
    pub(crate) async fn relay(&self) -> Running {
        self.relay_on(self.bus().await).await
    }

    pub(crate) async fn relay_on(&self, bus: Bus) -> Running {
        Self::run(Self::outbox().relay(Mongo::connect(&self.config).await.unwrap(), bus))
    }

    /// Starts a relay of the notes of this database and another one.
    pub(crate) async fn relay_with(&self, other: &World) -> Running {
        let relay = Self::outbox().relay(self.mongo.clone(), self.bus().await);
        Self::run(relay.and_from([other.mongo.clone()]))
    }

    fn run(relay: Relay) -> Running {
        let stop = CancellationToken::new();
        Running {
            task: tokio::spawn(relay.run(stop.clone())),
            stop,
        }
    }

    pub(crate) async fn start(&self, subscription: Subscription) -> Running {
        self.start_on(self.bus().await, subscription).await
    }

    pub(crate) async fn start_on(&self, bus: Bus, subscription: Subscription) -> Running {
        let stop = CancellationToken::new();
        Running {
            task: tokio::spawn(subscription.run(self.mongo.clone(), bus, stop.clone())),
            stop,
        }
    }

    /// Starts a consumer that keeps a copy of the notes in the collection `consumer`.
    pub(crate) async fn copy(&self, consumer: &'static str) -> Running {
        self.start(Subscription::new(consumer, copying(self.mongo.clone(), consumer)))
            .await
    }

    /// Ids, versions and texts of a collection.
    pub(crate) async fn contents(&self, collection: &str) -> Vec<(String, i64, String)> {
        let found: Result<Vec<Document>, _> = async {
            self.mongo
                .collection(collection)
                .find(doc! {})
                .sort(doc! {"_id": 1})
                .await?
                .try_collect()
                .await
        }
        .await;
        let entry = |document: Document| {
            let text = |name| document.get_str(name).unwrap_or_default().to_owned();
            (
                text("_id"),
                document.get_i64("version").unwrap_or(-1),
                text("text"),
            )
        };
        found.unwrap_or_default().into_iter().map(entry).collect()
    }

    /// Waits until the copy says what the notes say.
    pub(crate) async fn copied(&self, copy: &str) {
        let expected = self.contents("notes").await;
        eventually(&format!("{copy} to be like the notes"), async || {
            (self.contents(copy).await == expected).then_some(())
        })
        .await;
    }

    /// The version of the last message about a note.
    pub(crate) async fn on_stream(&self, id: &str) -> Option<i64> {
        let stream = self.jetstream().await.get_stream(self.stream_name()).await.ok()?;
        let message = stream
            .get_last_raw_message_by_subject(&self.subject(id))
            .await
            .ok()?;
        let envelope: Envelope<Note> = serde_json::from_slice(&message.payload).ok()?;
        Some(envelope.version)
    }

    pub(crate) async fn published(&self, id: &str, version: i64) {
        eventually(&format!("{id} at version {version} on the stream"), async || {
            (self.on_stream(id).await? >= version).then_some(())
        })
        .await;
    }

    /// What the relay stored of its progress.
    pub(crate) async fn progress(&self) -> Document {
        self.mongo
            .collection("relay")
            .find_one(doc! {})
            .await
            .unwrap()
            .unwrap_or_default()
    }

    /// The progress, once the relay has stored a position in it: it has not while it publishes what it found at its start.
    pub(crate) async fn stored_position(&self) -> Document {
        eventually("a stored position", async || {
            Some(self.progress().await).filter(|progress| progress.contains_key("token"))
        })
        .await
    }

    /// Until when some instance has the relay's lease.
    pub(crate) async fn lease_ends(&self) -> Option<bson::DateTime> {
        let lease = self.mongo.collection("leases").find_one(doc! {}).await.unwrap();
        lease?.get_datetime("until").ok().copied()
    }

    pub(crate) async fn epoch(&self) -> i64 {
        self.progress().await.get_i64("epoch").unwrap_or_default()
    }
}

/// A handler that applies what is newer than what it has.
pub(crate) fn copying(
    mongo: Mongo,
    collection: &'static str,
) -> impl Fn(Vec<Envelope<Note>>) -> futures::future::BoxFuture<'static, Result<(), HandlerError>>
+ Send
+ Sync
+ 'static {
    move |events| {
        let mongo = mongo.clone();
        Box::pin(async move {
            let updates = events.into_iter().map(|event| UpdateOne {
                filter: doc! {"_id": event.data.id, "version": {"$lt": event.version}},
                update: Update::Document(doc! {"$set": {"version": event.version, "text": event.data.text}}),
                upsert: true,
            });
            let outcome = mongo.bulk_update(collection, updates.collect()).await?;
            match outcome.first_failure() {
                None => Ok(()),
                Some((_, _, message)) => Err(HandlerError::Transient(message.clone())),
            }
        })
    }
}

/// What a handler saw, in order.
pub(crate) type Seen = Arc<Mutex<Vec<(String, i64)>>>;

pub(crate) fn note_down(seen: &Seen, events: &[Envelope<Note>]) {
    seen.lock()
        .unwrap()
        .extend(events.iter().map(|event| (event.data.id.clone(), event.version)));
}
