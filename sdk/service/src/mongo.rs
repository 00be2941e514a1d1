//! MongoDB: the log of record. Every write waits for a majority and its journal, every read is a majority read from the
//! primary; a server that is not a replica set member is refused, because it has neither.

mod bulk;
mod errors;
mod grouped;
pub mod partition;
pub mod restoring;

use std::time::Duration;

use bson::oid::ObjectId;
use bson::{Document, doc};
use futures::TryStreamExt;
use jiff::Timestamp;
use mongodb::options::{
    Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database, IndexModel};

pub use bulk::{BulkOutcome, Update, UpdateOne};
pub use errors::{DuplicateKey, MongoError, duplicate_key, only_duplicate_keys, outcome_unknown};
pub use grouped::{GroupedChanges, GroupedInserts, InsertError};

use crate::config::{Secret, Settings};

const SELECTION_TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(1);
const POOL_SIZE: u32 = 64;

/// Where a service keeps its documents.
#[derive(Debug, Clone)]
pub struct MongoConfig {
    /// `mongodb://user:password@host:port/?replicaSet=...`.
    pub uri: Secret,
    /// The service's own database.
    pub database: String,
}

impl MongoConfig {
    /// Reads `MONGODB_URI` and `MONGODB_DATABASE` (by default the service's name).
    pub fn read(settings: &mut Settings, service: &str) -> Self {
        Self {
            uri: settings.secret("MONGODB_URI", "where MongoDB is, credentials included"),
            database: settings.text("MONGODB_DATABASE", service, "the service's own database"),
        }
    }
}

/// A connection pool to the service's database.
#[derive(Debug, Clone)]
pub struct Mongo {
    database: Database,
}

impl Mongo {
    /// Connects and makes sure that the server can keep what it acknowledges.
    ///
    /// # Errors
    /// [`MongoError::Uri`] when the connection string is wrong, [`MongoError::NotAReplicaSet`],
    /// [`MongoError::HalfRestored`], or the driver's when no primary was found within 5 seconds.
    pub async fn connect(config: &MongoConfig) -> Result<Self, MongoError> {
        // The driver's message may repeat parts of the URI, and with it the password.
        let mut options = ClientOptions::parse(config.uri.expose())
            .await
            .map_err(|_| MongoError::Uri)?;
        options.app_name = Some(format!("bigtix-{}", config.database));
        options.server_selection_timeout = Some(SELECTION_TIMEOUT);
        options.connect_timeout = Some(CONNECT_TIMEOUT);
        options.max_pool_size = Some(POOL_SIZE);
        options.retry_reads = Some(true);
        options.retry_writes = Some(true);
        options.write_concern = Some(durable());
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        let database = Client::with_options(options)?.database(&config.database);
        let hello = database.run_command(doc! {"hello": 1}).await?;
        if hello.get_str("setName").is_err() {
            return Err(MongoError::NotAReplicaSet);
        }
        if let Some(archive) = restoring::from(&database).await? {
            return Err(MongoError::HalfRestored {
                database: config.database.clone(),
                archive,
            });
        }
        Ok(Self { database })
    }

    /// The service's database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// One of its collections.
    pub fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }

    /// Whether the primary answers within a second.
    pub async fn is_healthy(&self) -> bool {
        let ping = self.database.run_command(doc! {"ping": 1});
        matches!(
            tokio::time::timeout(HEALTH_TIMEOUT, ping.into_future()).await,
            Ok(Ok(_))
        )
    }

    /// Creates `indexes` and then looks whether the server has them, because they are what safety rests on.
    ///
    /// # Errors
    /// [`MongoError::Index`] naming the index that is missing or different, or the driver's.
    pub async fn ensure_indexes(&self, collection: &str, indexes: &[IndexModel]) -> Result<(), MongoError> {
        if indexes.is_empty() {
            return Ok(());
        }
        let target = self.collection(collection);
        let names = target.create_indexes(indexes.iter().cloned()).await?.index_names;
        let present: Vec<IndexModel> = target.list_indexes().await?.try_collect().await?;
        for (wanted, name) in indexes.iter().zip(names) {
            if !present.iter().any(|index| is_same_index(index, wanted, &name)) {
                return Err(MongoError::Index {
                    collection: collection.to_owned(),
                    index: name,
                });
            }
        }
        Ok(())
    }
}

/// What every write waits for: a majority, and its journal.
pub fn durable() -> WriteConcern {
    WriteConcern::builder()
        .w(Acknowledgment::Majority)
        .journal(true)
        .build()
}

fn is_same_index(present: &IndexModel, wanted: &IndexModel, name: &str) -> bool {
    let (have, want) = (
        present.options.clone().unwrap_or_default(),
        wanted.options.clone().unwrap_or_default(),
    );
    have.name.as_deref() == Some(name)
        && present.keys == wanted.keys
        && have.unique.unwrap_or(false) == want.unique.unwrap_or(false)
        && have.partial_filter_expression == want.partial_filter_expression
        && have.expire_after == want.expire_after
}

/// The store's form of an id's bytes.
pub fn to_object_id(bytes: [u8; 12]) -> ObjectId {
    ObjectId::from_bytes(bytes)
}

/// The bytes of a fresh id; ids made later sort later, to the second.
pub fn new_id() -> [u8; 12] {
    ObjectId::new().bytes()
}

/// The store's form of a time, which is precise to the millisecond.
pub fn to_bson_time(time: Timestamp) -> bson::DateTime {
    bson::DateTime::from_millis(time.as_millisecond())
}

/// The time that the store kept; one beyond jiff's years, which nothing of ours writes, becomes the last of them.
pub fn from_bson_time(time: bson::DateTime) -> Timestamp {
    Timestamp::from_millisecond(time.timestamp_millis()).unwrap_or(Timestamp::MAX)
}
