//! A small disk for the database alone, which can be filled.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, iter};

/// What mongod takes for its journal, and as much again.
const SIZE: &str = "size=900m,mode=0700";
const FILLER: &str = "filler";
const PORTION: usize = 1 << 20;

/// A mounted memory file system; unmounted when dropped.
#[derive(Debug)]
pub struct SmallDisk {
    place: PathBuf,
}

impl SmallDisk {
    /// Mounts one, where that is allowed.
    #[must_use]
    pub fn mount(place: &Path) -> Option<Self> {
        fs::create_dir_all(place).ok()?;
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "bigtix-faults"])
            .arg(place)
            .output()
            .ok()?;
        mount.status.success().then(|| Self { place: place.into() })
    }

    /// Whether that is allowed here.
    #[must_use]
    pub fn is_possible() -> bool {
        tempfile::tempdir().is_ok_and(|folder| Self::mount(folder.path()).is_some())
    }

    /// Gives it up, and leaves what is on it where it was.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub fn keep(self) -> io::Result<()> {
        let place = self.place.clone();
        let aside = place.with_extension("kept");
        let copied = Command::new("cp").arg("-a").arg(&place).arg(&aside).status()?;
        drop(self);
        if !copied.success() {
            return Err(io::Error::other(format!("{} cannot be copied", place.display())));
        }
        fs::remove_dir(&place)?;
        fs::rename(aside, place)
    }

    /// Leaves no room.
    ///
    /// # Errors
    /// The file system's, other than that it is full.
    pub fn fill(&self) -> io::Result<()> {
        let mut file = fs::File::create(self.place.join(FILLER))?;
        let portion = vec![0; PORTION];
        for _ in iter::repeat_n((), usize::MAX) {
            match file.write_all(&portion) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Leaves room again.
    ///
    /// # Errors
    /// The file system's.
    pub fn clear(&self) -> io::Result<()> {
        match fs::remove_file(self.place.join(FILLER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What still uses it keeps it until it ends.
        let _ = Command::new("umount").arg("-l").arg(&self.place).output();
    }
}
