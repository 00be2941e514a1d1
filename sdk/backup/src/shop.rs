//! The databases of a shop, as its administrator sees them.

use std::collections::BTreeMap;
use std::time::Duration;

use bigtix_service::Secret;
use bigtix_service::lease;
use bigtix_service::mongo::{MongoError, durable, partition};
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

    /// A service that spreads its documents over several databases: one of them is here, and others may be on other
    /// servers, which have no moment in common.
    pub(crate) async fn partitioned(&self) -> Result<Option<Name>, mongodb::error::Error> {
        for (service, database) in self.databases() {
            if partition::read(&database).await?.is_some() {
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

#[cfg(test)]
mod tests {
    use bigtix_service::mongo::partition::{Membership, enter};
    use bigtix_testkit::stores::shared;
    use bson::oid::ObjectId;
    use semver::Version;

    use super::*;
    use crate::{Address, Archive, BackupError, Existing, Place, RestoreError, backup, begin_restore};

    fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    #[tokio::test]
    async fn a_shop_of_several_partitions_is_neither_backed_up_nor_restored_into() {
        let database = shared().database();
        let databases = BTreeMap::from([(name("orders"), database.name)]);
        let shop = Shop::connect(&Secret::new(database.uri), databases)
            .await
            .unwrap();
        let versions = BTreeMap::from([(name("orders"), Version::new(1, 0, 0))]);
        let (_, orders) = shop.databases().next().unwrap();
        let claims: Collection<Document> = orders.collection("claims");
        claims.insert_one(doc! {"_id": 1}).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| Place::at(&Address::Folder(folder.path().join(name))).unwrap();
        backup(&shop, &versions, &place("whole"), &|_| {}).await.unwrap();

        let mark = Membership {
            whole: ObjectId::new(),
            number: 0,
            of: 2,
        };
        enter(&orders, mark).await.unwrap();
        let refused = backup(&shop, &versions, &place("part"), &|_| {}).await;
        assert!(matches!(refused, Err(BackupError::Partitioned(service)) if service == name("orders")));
        assert!(!folder.path().join("part").exists());

        let archive = Archive::open(place("whole")).await.unwrap();
        let archive = archive.check(&|_| {}).await.unwrap();
        let refused = begin_restore(&archive, &shop, Existing::Replace).await;
        assert!(matches!(refused, Err(RestoreError::Partitioned(_))));
        assert_eq!(claims.count_documents(doc! {}).await.unwrap(), 1);
    }
}
