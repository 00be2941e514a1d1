//! Where an archive is kept.

mod folder;

use std::fmt;
use std::io;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncWriteExt};

use self::folder::Folder;

/// Where an archive is, or is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: Folder,
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
}

/// A file that is being written. It counts only once it was finished.
pub(crate) struct Sink {
    file: String,
    writer: tokio::fs::File,
}

/// A file that is being read.
pub(crate) type Source = Box<dyn AsyncRead + Send + Unpin>;

impl Place {
    /// A folder of this machine. It need not exist before a backup.
    pub fn folder(path: &Path) -> Self {
        Self {
            folder: Folder::new(path),
        }
    }

    /// Makes the place ready for a new archive.
    pub(crate) async fn prepare(&self) -> Result<(), PlaceError> {
        if self.folder.prepare().await? {
            Ok(())
        } else {
            Err(PlaceError::Taken { place: self.clone() })
        }
    }

    /// A new file of the archive.
    pub(crate) async fn create(&self, file: &str) -> Result<Sink, PlaceError> {
        self.folder.create(file).await
    }

    /// A file of the archive from its beginning.
    pub(crate) async fn open(&self, file: &str) -> Result<Source, PlaceError> {
        self.folder.open(file).await
    }

    /// Returns once everything survives a power cut.
    pub(crate) async fn keep(&self) -> Result<(), PlaceError> {
        self.folder.keep().await
    }

    /// Removes what a backup that failed has written.
    pub(crate) async fn discard(&self) -> Result<(), PlaceError> {
        self.folder.discard().await
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.folder.fmt(f)
    }
}

impl Sink {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), PlaceError> {
        let written = self.writer.write_all(bytes).await;
        written.map_err(io_error(&self.file))
    }

    /// Returns once the file is kept.
    pub(crate) async fn finish(mut self) -> Result<(), PlaceError> {
        self.writer.flush().await.map_err(io_error(&self.file))?;
        self.writer.sync_all().await.map_err(io_error(&self.file))
    }
}

fn io_error(file: impl fmt::Display) -> impl FnOnce(io::Error) -> PlaceError {
    let file = file.to_string();
    move |source| PlaceError::Io { file, source }
}
