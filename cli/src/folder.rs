//! The data folder: one version, one owner at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use bigtix_testkit::stores::{private_folder, write_private};

/// What this program writes and reads. It changes when older programs could not read the folder any more.
const VERSION: &str = "1";

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    #[error(
        "{} holds data of version {found}, and this bigtix reads version {VERSION}: use the bigtix that made it, \
         or name another folder with --data", dir.display()
    )]
    OtherVersion { dir: PathBuf, found: String },
    #[error("{} is not empty and was not made by bigtix: name another folder with --data", dir.display())]
    Foreign { dir: PathBuf },
    #[error(
        "BigTix runs on {} already (pid {pid}): stop it with `bigtix down --data {}`, or name another folder \
         with --data", dir.display(), dir.display()
    )]
    Running { dir: PathBuf, pid: u32 },
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A folder that is this process's own until it is dropped.
#[derive(Debug)]
pub(crate) struct DataFolder {
    dir: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Takes the folder for this process; makes it if there is none.
    pub(crate) fn take(dir: &Path) -> Result<Self, FolderError> {
        let dir = prepare(dir)?;
        let path = lock_path(&dir);
        let failed = |source| FolderError::Io {
            path: path.clone(),
            source,
        };
        let mut lock = open_lock(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let pid = read_pid(&mut lock).unwrap_or_default();
                return Err(FolderError::Running { dir, pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        lock.set_len(0).and_then(|()| lock.rewind()).map_err(failed)?;
        writeln!(lock, "{}", std::process::id()).map_err(failed)?;
        Ok(Self { dir, _lock: lock })
    }

    /// Its absolute path.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Makes the folder and its `logs` if there are none, and refuses one that this program cannot use.
pub(crate) fn prepare(dir: &Path) -> Result<PathBuf, FolderError> {
    let failed = |source| FolderError::Io {
        path: dir.into(),
        source,
    };
    let dir = std::path::absolute(dir).map_err(failed)?;
    let version = dir.join("version");
    match fs::read_to_string(&version) {
        Ok(found) if found.trim() == VERSION => {}
        Ok(found) => {
            return Err(FolderError::OtherVersion {
                dir,
                found: found.trim().to_owned(),
            });
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let is_empty = match fs::read_dir(&dir) {
                Ok(mut entries) => entries.next().is_none(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(source) => return Err(failed(source)),
            };
            if !is_empty {
                return Err(FolderError::Foreign { dir });
            }
            private_folder(&dir).map_err(failed)?;
            write_private(&version, format!("{VERSION}\n").as_bytes()).map_err(failed)?;
        }
        Err(source) => return Err(failed(source)),
    }
    private_folder(&dir)
        .and_then(|()| private_folder(&dir.join("logs")))
        .map_err(failed)?;
    Ok(dir)
}

/// The process that has taken the folder, if one has.
pub(crate) fn owner(dir: &Path) -> io::Result<Option<u32>> {
    let mut lock = match OpenOptions::new().read(true).open(lock_path(dir)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => read_pid(&mut lock).map(Some),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn lock_path(dir: &Path) -> PathBuf {
    dir.join("lock")
}

fn open_lock(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

fn read_pid(lock: &mut File) -> io::Result<u32> {
    let mut text = String::new();
    lock.rewind()?;
    lock.read_to_string(&mut text)?;
    text.trim()
        .parse()
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "the lock file names no process"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("data");
        let first = DataFolder::take(&dir).unwrap();
        assert_eq!(owner(&dir).unwrap(), Some(std::process::id()));
        let refused = DataFolder::take(&dir).unwrap_err();
        assert!(
            matches!(&refused, FolderError::Running { pid, .. } if *pid == std::process::id()),
            "{refused}"
        );
        assert!(refused.to_string().contains("bigtix down --data"), "{refused}");
        drop(first);
        assert_eq!(owner(&dir).unwrap(), None);
        DataFolder::take(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_of_another_version_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        DataFolder::take(dir.path()).unwrap();
        fs::write(dir.path().join("version"), "7\n").unwrap();
        let refused = DataFolder::take(dir.path()).unwrap_err();
        assert!(
            matches!(&refused, FolderError::OtherVersion { found, .. } if found == "7"),
            "{refused}"
        );
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("letter.txt"), "dear").unwrap();
        assert!(matches!(
            DataFolder::take(dir.path()),
            Err(FolderError::Foreign { .. })
        ));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
