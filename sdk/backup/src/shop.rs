//! The databases of a shop, as its administrator sees them.

use std::collections::BTreeMap;
use std::time::Duration;

use bigtix_service::Secret;
use bigtix_service::lease;
use bigtix_service::mongo::{MongoError, durable};
use bson::{Document, doc};
use mongodb::options::{ClientOptions, ReadConcern, ReadPreference, SelectionCriteria};
use mongodb::{Client, Collection, Database};

use crate::names::Name;

const SELECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// All databases of a shop on one replica set.
#[derive(Debug, Clone)]
pub struct Shop {
    client: Client,
    databases: BTreeMap<Name, String>,
}

impl Shop {
    /// Connects as somebody who may read, and for a restore write, each of `databases`: by service, the database.
    ///
    /// # Errors
    /// [`MongoError::Uri`] when the connection string is wrong, [`MongoError::NotAReplicaSet`], or the driver's when
    /// no primary was found within 10 seconds.
    pub async fn connect(uri: &Secret, databases: BTreeMap<Name, String>) -> Result<Self, MongoError> {
        // The driver's message may repeat parts of the URI, and with it the password.
        let mut options = ClientOptions::parse(uri.expose())
            .await
            .map_err(|_| MongoError::Uri)?;
        options.app_name = Some("bigtix-backup".to_owned());
        options.server_selection_timeout = Some(SELECTION_TIMEOUT);
        options.write_concern = Some(durable());
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        let client = Client::with_options(options)?;
        let hello = client.database("admin").run_command(doc! {"hello": 1}).await?;
        if hello.get_str("setName").is_err() {
            return Err(MongoError::NotAReplicaSet);
        }
        Ok(Self { client, databases })
    }

    /// A service that runs on its database, or did a few seconds ago and ended without a word.
    ///
    /// # Errors
    /// The driver's.
    pub async fn in_use(&self) -> Result<Option<Name>, MongoError> {
        for (service, database) in self.databases() {
            if lease::any_held(&database).await? {
                return Ok(Some(service.clone()));
            }
        }
        Ok(None)
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Every service with its database.
    pub(crate) fn databases(&self) -> impl Iterator<Item = (&Name, Database)> {
        let databases = self.databases.iter();
        databases.map(|(service, database)| (service, self.client.database(database)))
    }

    pub(crate) fn database(&self, service: &Name) -> Option<Database> {
        let database = self.databases.get(service)?;
        Some(self.client.database(database))
    }
}

/// The names of a database's own collections, in order.
pub(crate) async fn collections(database: &Database) -> Result<Vec<String>, mongodb::error::Error> {
    let mut names = database.list_collection_names().await?;
    names.retain(|name| !name.starts_with("system."));
    names.sort_unstable();
    Ok(names)
}

/// Whether there is any document.
pub(crate) async fn is_filled(collection: &Collection<Document>) -> Result<bool, mongodb::error::Error> {
    Ok(collection.find_one(doc! {}).await?.is_some())
}
