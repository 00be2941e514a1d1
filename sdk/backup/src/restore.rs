//! An archive back into databases that nobody uses.

use bigtix_service::mongo::restoring;
use bigtix_service::outbox;
use bson::{Document, RawDocumentBuf, doc};
use futures::TryStreamExt;
use mongodb::{Collection, Database};

use crate::archive::{ArchiveError, Checked};
use crate::manifest::CollectionData;
use crate::names::Name;
use crate::packing::Tally;
use crate::shop::{self, Shop};
use crate::{Progress, Step};

/// What services write by themselves, whether anybody has used the shop or not.
const HOUSEKEEPING: [&str; 3] = [
    restoring::COLLECTION,
    outbox::COLLECTION,
    bigtix_service::lease::COLLECTION,
];
/// So much goes to the store at once.
const MOST_DOCUMENTS: usize = 1000;
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// What is to become of data that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// There must be none.
    Refuse,
    /// It goes.
    Replace,
}

/// Why a shop is not restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// There is data, and nobody said that it may go. Nothing was changed.
    #[error("there is data already, in the collection {collection} of {service}")]
    Filled {
        /// Whose data.
        service: Name,
        /// Where the first of it was found.
        collection: String,
    },
    /// The archive has a service for which there is no database. Nothing was changed.
    #[error("the archive has data of {0}, for which there is no database")]
    NoDatabase(Name),
    /// One of the databases is no whole, and the others would stay as they are. Nothing was changed.
    #[error("{0} keeps its documents in several partitions here, and the archive has no partitions")]
    Partitioned(Name),
    /// The archive has changed since it was checked.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The store does not hold what was written to it.
    #[error("what {service} holds in {collection} after the restore is not what was restored")]
    Differs {
        /// Whose data.
        service: Name,
        /// Which of it.
        collection: Name,
    },
    /// The store does not answer, or refuses.
    #[error("mongod: {0}")]
    Store(#[from] mongodb::error::Error),
}

/// A restore that has begun: the databases are marked, and no service uses them until [`Restore::finish`] is done.
#[must_use = "the databases are marked as half restored until it is finished"]
pub struct Restore<'a> {
    archive: &'a Checked,
    shop: &'a Shop,
}

/// Marks the shop's databases as half restored. A mark that is there already says that nothing there is worth keeping.
///
/// No service may run, nor start: their streams and whatever else was made of the data has to be emptied by whoever
/// calls this, before [`Restore::finish`]. The relays publish everything anew.
///
/// # Errors
/// [`RestoreError::Filled`], [`RestoreError::NoDatabase`] and [`RestoreError::Partitioned`] before anything was changed; or the store's.
pub async fn begin_restore<'a>(
    archive: &'a Checked,
    shop: &'a Shop,
    existing: Existing,
) -> Result<Restore<'a>, RestoreError> {
    let unknown = archive.manifest().services.keys();
    if let Some(service) = unknown
        .into_iter()
        .find(|service| shop.database(service).is_none())
    {
        return Err(RestoreError::NoDatabase(service.clone()));
    }
    if let Some(service) = shop.partitioned().await? {
        return Err(RestoreError::Partitioned(service));
    }
    if existing == Existing::Refuse && !is_half_restored(shop).await? {
        refuse_data(shop).await?;
    }
    let from = archive.place().to_string();
    for (_, database) in shop.databases() {
        restoring::begin(&database, &from).await?;
    }
    Ok(Restore { archive, shop })
}

async fn is_half_restored(shop: &Shop) -> Result<bool, RestoreError> {
    for (_, database) in shop.databases() {
        if restoring::from(&database).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn refuse_data(shop: &Shop) -> Result<(), RestoreError> {
    for (service, database) in shop.databases() {
        for collection in shop::collections(&database).await? {
            if HOUSEKEEPING.contains(&collection.as_str()) {
                continue;
            }
            if shop::is_filled(&database.collection(&collection)).await? {
                return Err(RestoreError::Filled {
                    service: service.clone(),
                    collection,
                });
            }
        }
    }
    Ok(())
}

impl Restore<'_> {
    /// Empties the databases, fills them from the archive, compares what they hold then, and takes the marks away.
    /// Indexes and rules are made by the services when they start.
    ///
    /// # Errors
    /// [`RestoreError`]. The marks stay, and another restore begins from the start.
    pub async fn finish(self, progress: Progress<'_>) -> Result<(), RestoreError> {
        for (_, database) in self.shop.databases() {
            empty(&database).await?;
        }
        for (service, collection, expected) in self.archive.manifest().collections() {
            let database = self.shop.database(service);
            let database = database.ok_or_else(|| RestoreError::NoDatabase(service.clone()))?;
            self.fill(&database, service, collection, expected).await?;
            progress(Step {
                service,
                collection,
                data: expected,
            });
        }
        for (_, database) in self.shop.databases() {
            restoring::end(&database).await?;
        }
        Ok(())
    }

    async fn fill(
        &self,
        database: &Database,
        service: &Name,
        name: &Name,
        expected: &CollectionData,
    ) -> Result<(), RestoreError> {
        let mut reading = self.archive.read(service, name).await?;
        let mut filling = Filling {
            collection: database.collection(name.as_str()),
            waiting: Vec::new(),
            bytes: 0,
            written: Tally::default(),
        };
        while let Some(documents) = reading.next().await? {
            for document in documents {
                filling.add(as_restored(name, document)?).await?;
            }
        }
        filling.flush().await?;
        reading.finish(expected)?;
        let Filling {
            collection,
            waiting: _,
            bytes: _,
            written,
        } = filling;
        if in_store(&collection).await? == written.data() {
            Ok(())
        } else {
            Err(RestoreError::Differs {
                service: service.clone(),
                collection: name.clone(),
            })
        }
    }
}

async fn empty(database: &Database) -> Result<(), RestoreError> {
    for collection in shop::collections(database).await? {
        if collection != restoring::COLLECTION {
            database.collection::<Document>(&collection).drop().await?;
        }
    }
    Ok(())
}

/// What of a document belongs to another time than the one it is restored in: where its relay stood on a stream.
fn as_restored(collection: &Name, document: RawDocumentBuf) -> Result<RawDocumentBuf, mongodb::error::Error> {
    if collection.as_str() != outbox::COLLECTION {
        return Ok(document);
    }
    let progress = Document::try_from(document.as_ref()).map_err(mongodb::error::Error::custom)?;
    let progress = outbox::without_its_stream(progress);
    RawDocumentBuf::try_from(&progress).map_err(mongodb::error::Error::custom)
}

/// A collection that is being filled.
struct Filling {
    collection: Collection<RawDocumentBuf>,
    waiting: Vec<RawDocumentBuf>,
    bytes: usize,
    written: Tally,
}

impl Filling {
    async fn add(&mut self, document: RawDocumentBuf) -> Result<(), mongodb::error::Error> {
        self.written.count(document.as_bytes());
        self.bytes += document.as_bytes().len();
        self.waiting.push(document);
        if self.waiting.len() < MOST_DOCUMENTS && self.bytes < MOST_BYTES {
            return Ok(());
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), mongodb::error::Error> {
        if !self.waiting.is_empty() {
            self.collection.insert_many(&self.waiting).await?;
        }
        self.waiting.clear();
        self.bytes = 0;
        Ok(())
    }
}

async fn in_store(collection: &Collection<RawDocumentBuf>) -> Result<CollectionData, mongodb::error::Error> {
    let mut tally = Tally::default();
    let mut documents = collection.find(doc! {}).sort(doc! {"_id": 1}).await?;
    while let Some(document) = documents.try_next().await? {
        tally.count(document.as_bytes());
    }
    Ok(tally.data())
}
