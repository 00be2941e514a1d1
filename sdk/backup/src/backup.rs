//! A running shop into an archive.

use std::collections::BTreeMap;
use std::io;

use bigtix_service::mongo::restoring;
use bson::RawDocumentBuf;
use futures::TryStreamExt;
use mongodb::Cursor;
use semver::Version;

use crate::manifest::{CollectionData, MANIFEST, Manifest, SUMS, ServiceData, file_of, sums};
use crate::names::{Name, NotAName, Sha256Hex};
use crate::packing::Packer;
use crate::place::{Place, PlaceError, Sink};
use crate::shop::{self, Shop};
use crate::snapshot::{Snapshot, is_too_old};
use crate::{Progress, Step};

/// Says who works at this moment, which is nobody any more after a restore.
const LEASES: &str = bigtix_service::lease::COLLECTION;
/// How often another moment is tried when services are just making their collections.
const MOMENTS: usize = 20;

/// Why there is no backup. What was written of it is removed again.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The place cannot be written.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A database has what no service of ours makes.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// What is there is no shop.
    #[error("{service} is half restored from {archive}: restore it again first")]
    HalfRestored {
        /// Whose database.
        service: Name,
        /// What was being restored.
        archive: String,
    },
    /// One of its databases is no whole.
    #[error(
        "{0} keeps its documents in several partitions, which cannot be read at one moment: take snapshots of their \
         volumes, or use what your MongoDB offers"
    )]
    Partitioned(Name),
    /// Nobody said which version the service has.
    #[error("the version of {0} is not known")]
    Version(Name),
    /// Collections were made or changed all the time.
    #[error("the shop's services were changing their collections; try again once all of them have started")]
    Unsettled,
    /// Reading took longer than the store remembers.
    #[error(
        "reading took longer than the store remembers: give mongod a larger minSnapshotHistoryWindowInSeconds \
         (300 by default) and try again"
    )]
    TooSlow,
    /// The store does not answer.
    #[error("mongod: {0}")]
    Store(mongodb::error::Error),
    /// The compressor failed.
    #[error("compressing: {0}")]
    Compression(#[from] io::Error),
}

impl From<mongodb::error::Error> for BackupError {
    fn from(error: mongodb::error::Error) -> Self {
        if is_too_old(&error) {
            Self::TooSlow
        } else {
            Self::Store(error)
        }
    }
}

/// Writes everything that the shop's databases hold at one moment to `place`. The shop goes on meanwhile. A few
/// megabytes of memory are used, whatever the shop's size.
///
/// # Errors
/// [`BackupError`]; the place is empty again then, unless that fails too.
pub async fn backup(
    shop: &Shop,
    versions: &BTreeMap<Name, Version>,
    place: &Place,
    progress: Progress<'_>,
) -> Result<Manifest, BackupError> {
    if let Some(service) = shop.partitioned().await? {
        return Err(BackupError::Partitioned(service));
    }
    place.prepare().await?;
    let written = Backup {
        shop,
        place,
        progress,
    }
    .write(versions)
    .await;
    if written.is_err() {
        // Why it failed matters more than what is left; without its sums it is no archive.
        let _ = place.discard().await;
    }
    written
}

struct Backup<'a> {
    shop: &'a Shop,
    place: &'a Place,
    progress: Progress<'a>,
}

/// What there is to read, by service.
type Collections = BTreeMap<Name, Vec<Name>>;

impl Backup<'_> {
    async fn write(&self, versions: &BTreeMap<Name, Version>) -> Result<Manifest, BackupError> {
        let (snapshot, found) = self.settle().await?;
        let (mut services, mut files) = (BTreeMap::new(), BTreeMap::new());
        for (service, names) in found {
            let version = versions.get(&service).cloned();
            let version = version.ok_or_else(|| BackupError::Version(service.clone()))?;
            let mut collections = BTreeMap::new();
            for name in names {
                let (data, digest) = self.copy(snapshot, &service, &name).await?;
                files.insert(file_of(&service, &name), digest);
                collections.insert(name, data);
            }
            services.insert(service, ServiceData { version, collections });
        }
        let manifest = Manifest::new(snapshot.time(), services);
        let text = manifest.to_json();
        files.insert(MANIFEST.to_owned(), Sha256Hex::of(&text));
        self.file(MANIFEST, &text).await?;
        self.place.keep().await?;
        // From here on it is an archive.
        self.file(SUMS, sums(&files).as_bytes()).await?;
        self.place.keep().await?;
        Ok(manifest)
    }

    /// A moment at which every collection can be read, and the collections. They are listed after the moment, so that
    /// none is missing.
    async fn settle(&self) -> Result<(Snapshot, Collections), BackupError> {
        for _ in 0..MOMENTS {
            let snapshot = Snapshot::take(self.shop.client()).await?;
            if let Some(found) = self.look(snapshot).await? {
                return Ok((snapshot, found));
            }
        }
        Err(BackupError::Unsettled)
    }

    async fn look(&self, snapshot: Snapshot) -> Result<Option<Collections>, BackupError> {
        let mut found = Collections::new();
        for (service, database) in self.shop.databases() {
            if let Some(archive) = restoring::from(&database).await? {
                return Err(BackupError::HalfRestored {
                    service: service.clone(),
                    archive,
                });
            }
            let mut names = Vec::new();
            for name in shop::collections(&database).await? {
                if name == LEASES {
                    continue;
                }
                if !snapshot.shows(&database, &name).await? {
                    return Ok(None);
                }
                names.push(Name::try_from(name)?);
            }
            found.insert(service.clone(), names);
        }
        Ok(Some(found))
    }

    async fn copy(
        &self,
        snapshot: Snapshot,
        service: &Name,
        collection: &Name,
    ) -> Result<(CollectionData, Sha256Hex), BackupError> {
        let database = self.shop.database(service);
        let database = database.expect("a service that was just looked at");
        let documents = snapshot.read(&database, collection.as_str()).await?;
        let mut sink = self.place.create(&file_of(service, collection)).await?;
        let (data, digest) = match pack(documents, &mut sink).await {
            Ok(packed) => packed,
            Err(error) => {
                sink.abandon().await;
                return Err(error);
            }
        };
        sink.finish().await?;
        (self.progress)(Step {
            service,
            collection,
            data: &data,
        });
        Ok((data, digest))
    }

    async fn file(&self, name: &str, text: &[u8]) -> Result<(), PlaceError> {
        let mut sink = self.place.create(name).await?;
        sink.write(text).await?;
        sink.finish().await
    }
}

async fn pack(
    mut documents: Cursor<RawDocumentBuf>,
    sink: &mut Sink,
) -> Result<(CollectionData, Sha256Hex), BackupError> {
    let mut packer = Packer::new();
    while let Some(document) = documents.try_next().await? {
        if let Some(portion) = packer.pack(document.as_bytes())? {
            sink.write(&portion).await?;
        }
    }
    let (rest, data, digest) = packer.finish()?;
    sink.write(&rest).await?;
    Ok((data, digest))
}
