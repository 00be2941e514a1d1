//! A clock that one service is shown instead of this machine's, where libfaketime is installed.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Where Debian and its kin have it, for whatever processor.
const LIBRARIES: &str = "/usr/lib";
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// The clock, which is read anew at every look.
#[derive(Debug, Clone)]
pub struct MovableClock {
    library: PathBuf,
    file: PathBuf,
}

impl MovableClock {
    /// One that shows the right time, if this machine has what it takes.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn find(folder: &Path) -> io::Result<Option<Self>> {
        let Some(library) = library() else { return Ok(None) };
        let clock = Self {
            library,
            file: folder.join("clock"),
        };
        clock.set(0)?;
        Ok(Some(clock))
    }

    /// Whether this machine has what it takes.
    #[must_use]
    pub fn is_possible() -> bool {
        library().is_some()
    }

    /// The environment of the process that is shown this clock.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            // Timers and deadlines are no matter of the wall clock.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Shows so many seconds more or less than the right time.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn set(&self, seconds: i64) -> io::Result<()> {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{seconds:+}\n"))?;
        fs::rename(next, &self.file)
    }
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir(LIBRARIES).ok()?;
    folders
        .filter_map(Result::ok)
        .map(|folder| folder.path().join(LIBRARY))
        .find(|path| path.is_file())
}
