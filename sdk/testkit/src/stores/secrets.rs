//! Credentials of one data folder: made once, kept in a file that only its owner reads.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The credentials of a data folder, by name. Each is 32 random bytes in hexadecimal digits.
pub struct Secrets {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Secrets {
    /// Opens `dir/secrets.json`; a folder without one has no credentials yet.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what this wrote.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join("secrets.json");
        let values = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { path, values })
    }

    /// The credential of this name, made now if there is none.
    pub fn get(&mut self, name: &str) -> String {
        self.values
            .entry(name.to_owned())
            .or_insert_with(|| hex::encode(rand::random::<[u8; 32]>()))
            .clone()
    }

    /// Writes all of them down. Nothing may be started with a credential that is not on the disk yet.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> io::Result<()> {
        write_private(&self.path, &serde_json::to_vec_pretty(&self.values)?)
    }
}

/// Replaces a file by one that only its owner reads (mode 0600), all at once.
pub fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    // A file left behind by a crash might have another mode, and the mode counts only for a file that is made now.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)?;
    file.write_all(contents)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

/// Makes a folder that only its owner enters (mode 0700), with its parents; one that exists gets that mode.
pub fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Secrets::open(dir.path()).unwrap();
        let redis = first.get("redis");
        assert_eq!(redis.len(), 64);
        assert_ne!(redis, first.get("nats"));
        first.save().unwrap();

        let mut again = Secrets::open(dir.path()).unwrap();
        assert_eq!(again.get("redis"), redis);
        let mode = fs::metadata(dir.path().join("secrets.json"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{again:?}").contains(&redis));
    }
}
