//! Where an archive is kept.

mod address;
mod bucket;
mod folder;

use std::fmt;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use self::address::{Address, NotAnAddress, Objects};
use self::bucket::{Bucket, Download, Upload};
use self::folder::Folder;

/// Where an archive is, or is to be.
#[derive(Debug, Clone)]
pub struct Place {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Folder(Folder),
    Bucket(Bucket),
}

/// A place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// There is something already.
    #[error("{place} holds something already: name another place, or remove it")]
    Taken {
        /// The place.
        place: Place,
    },
    /// The archive has no such file.
    #[error("{file} is not there")]
    Missing {
        /// Where it was looked for.
        file: String,
    },
    /// What the system said.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What it said.
        source: io::Error,
    },
    /// What the object store said, or that it said nothing.
    #[error("{file}: {said}")]
    Store {
        /// The object.
        file: String,
        /// In one line, without what may be secret.
        said: String,
    },
}

/// A file that is being written. It counts only once it was finished; one that is not to be finished is abandoned.
pub(crate) struct Sink {
    file: String,
    writer: Writer,
}

enum Writer {
    File(tokio::fs::File),
    Object(Upload),
}

/// A file that is being read.
pub(crate) struct Source {
    file: String,
    reader: Reader,
}

enum Reader {
    File(tokio::fs::File),
    Object(Download),
}

impl Place {
    /// The place with this address. A folder need not exist before a backup, a bucket has to. Where an object store is
    /// and who may use it stands in the environment, in the variables of AWS: `AWS_ENDPOINT_URL`, `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, or those of a machine's or pod's own role.
    ///
    /// # Errors
    /// [`PlaceError::Store`] when these variables contradict each other. The store is not asked yet.
    pub fn at(address: &Address) -> Result<Self, PlaceError> {
        let kind = match address {
            Address::Folder(path) => Kind::Folder(Folder::new(path)),
            Address::Objects(objects) => Kind::Bucket(Bucket::from_environment(objects)?),
        };
        Ok(Self { kind })
    }

    /// Makes the place ready for a new archive.
    pub(crate) async fn prepare(&self) -> Result<(), PlaceError> {
        let is_free = match &self.kind {
            Kind::Folder(folder) => folder.prepare().await?,
            Kind::Bucket(bucket) => bucket.is_empty().await?,
        };
        if is_free {
            Ok(())
        } else {
            Err(PlaceError::Taken { place: self.clone() })
        }
    }

    /// A new file of the archive.
    pub(crate) async fn create(&self, file: &str) -> Result<Sink, PlaceError> {
        let writer = match &self.kind {
            Kind::Folder(folder) => Writer::File(folder.create(file).await?),
            Kind::Bucket(bucket) => Writer::Object(bucket.create(file)),
        };
        Ok(Sink {
            file: self.full(file),
            writer,
        })
    }

    /// A file of the archive from its beginning.
    pub(crate) async fn open(&self, file: &str) -> Result<Source, PlaceError> {
        let reader = match &self.kind {
            Kind::Folder(folder) => Reader::File(folder.open(file).await?),
            Kind::Bucket(bucket) => Reader::Object(bucket.open(file).await?),
        };
        Ok(Source {
            file: self.full(file),
            reader,
        })
    }

    /// Returns once everything survives a power cut.
    pub(crate) async fn keep(&self) -> Result<(), PlaceError> {
        match &self.kind {
            Kind::Folder(folder) => folder.keep().await,
            // A store that has answered keeps the object.
            Kind::Bucket(_) => Ok(()),
        }
    }

    /// Removes what a backup that failed has written.
    pub(crate) async fn discard(&self) -> Result<(), PlaceError> {
        match &self.kind {
            Kind::Folder(folder) => folder.discard().await,
            Kind::Bucket(bucket) => bucket.discard().await,
        }
    }

    /// Removes whatever is there. The place is free afterwards, as it is when nothing was there.
    ///
    /// # Errors
    /// [`PlaceError`]; some of it may be gone then.
    pub async fn remove(&self) -> Result<(), PlaceError> {
        self.discard().await
    }

    fn full(&self, file: &str) -> String {
        format!("{self}/{file}")
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Folder(folder) => folder.fmt(f),
            Kind::Bucket(bucket) => bucket.fmt(f),
        }
    }
}

impl Sink {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), PlaceError> {
        match &mut self.writer {
            Writer::File(file) => file.write_all(bytes).await.map_err(io_error(&self.file)),
            Writer::Object(upload) => upload.write(bytes).await,
        }
    }

    /// Returns once the file is kept.
    pub(crate) async fn finish(self) -> Result<(), PlaceError> {
        match self.writer {
            Writer::File(mut file) => {
                file.flush().await.map_err(io_error(&self.file))?;
                file.sync_all().await.map_err(io_error(&self.file))
            }
            Writer::Object(upload) => upload.finish().await,
        }
    }

    /// Gives up what has been written, where nobody would see it otherwise.
    pub(crate) async fn abandon(self) {
        match self.writer {
            // It goes with its folder.
            Writer::File(_) => {}
            Writer::Object(upload) => upload.abandon().await,
        }
    }
}

impl Source {
    /// The next bytes into `chunk`; how many, and 0 at the end.
    pub(crate) async fn read(&mut self, chunk: &mut [u8]) -> Result<usize, PlaceError> {
        match &mut self.reader {
            Reader::File(file) => file.read(chunk).await.map_err(io_error(&self.file)),
            Reader::Object(download) => download.read(chunk).await,
        }
    }
}

fn io_error(file: impl fmt::Display) -> impl FnOnce(io::Error) -> PlaceError {
    let file = file.to_string();
    move |source| PlaceError::Io { file, source }
}
