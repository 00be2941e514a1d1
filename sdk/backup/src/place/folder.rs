//! An archive in a folder: its owner's alone, and on the disk when it is said to be.

use std::fmt;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tokio::fs;

use super::{PlaceError, io_error};

#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }

    /// Makes the folder; `false` when there is something in it.
    pub(super) async fn prepare(&self) -> Result<bool, PlaceError> {
        private_folder(&self.path).map_err(io_error(self))?;
        let mut entries = fs::read_dir(&self.path).await.map_err(io_error(self))?;
        Ok(entries.next_entry().await.map_err(io_error(self))?.is_none())
    }

    pub(super) async fn create(&self, file: &str) -> Result<fs::File, PlaceError> {
        let path = self.path.join(file);
        if let Some(parent) = path.parent() {
            private_folder(parent).map_err(io_error(parent.display()))?;
        }
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let created = fs::OpenOptions::from(options).open(&path).await;
        created.map_err(io_error(path.display()))
    }

    pub(super) async fn open(&self, file: &str) -> Result<fs::File, PlaceError> {
        let path = self.path.join(file);
        match fs::File::open(&path).await {
            Ok(file) => Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(PlaceError::Missing {
                file: path.display().to_string(),
            }),
            Err(error) => Err(io_error(path.display())(error)),
        }
    }

    /// Files are on the disk by themselves; that they are in their folders has to be as well.
    pub(super) async fn keep(&self) -> Result<(), PlaceError> {
        let mut entries = fs::read_dir(&self.path).await.map_err(io_error(self))?;
        while let Some(entry) = entries.next_entry().await.map_err(io_error(self))? {
            if entry.file_type().await.map_err(io_error(self))?.is_dir() {
                sync(&entry.path()).map_err(io_error(entry.path().display()))?;
            }
        }
        sync(&self.path).map_err(io_error(self))?;
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => {
                sync(parent).map_err(io_error(parent.display()))
            }
            Some(_) | None => Ok(()),
        }
    }

    pub(super) async fn discard(&self) -> Result<(), PlaceError> {
        match fs::remove_dir_all(&self.path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(self)(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Makes the folder with its parents. One that was there keeps its mode: it may be shared on purpose.
fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
