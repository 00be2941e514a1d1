//! What nats-server keeps on its disk, taken away or replaced behind its back.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{process, signal};

/// The folder with the streams, and where an older state of it is put aside.
pub(super) struct BusStore {
    streams: PathBuf,
    older: PathBuf,
}

impl BusStore {
    pub(super) fn of(data: &Path) -> Self {
        Self {
            streams: data.join("nats"),
            older: data.join("nats-older"),
        }
    }

    /// It comes back with nothing.
    pub(super) fn wipe(&self, server: u32) -> Result<()> {
        signal(Some(server), Signal::STOP);
        let emptied = empty(&self.streams);
        signal(Some(server), Signal::KILL);
        emptied.context("emptying the bus' store")
    }

    /// Puts a copy of what it has now aside.
    pub(super) fn remember(&self, server: u32) -> Result<()> {
        process(server).context("nats-server's process")?;
        signal(Some(server), Signal::STOP);
        let copied = forget(&self.older).and_then(|()| copy(&self.streams, &self.older));
        signal(Some(server), Signal::CONT);
        copied.context("copying the bus' store")
    }

    /// It comes back with what it had then.
    pub(super) fn bring_back(&self, server: u32) -> Result<()> {
        signal(Some(server), Signal::STOP);
        let replaced = empty(&self.streams).and_then(|()| copy(&self.older, &self.streams));
        signal(Some(server), Signal::KILL);
        replaced.context("replacing the bus' store")
    }
}

fn forget(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_brought_back_whole() {
        let data = tempfile::tempdir().unwrap();
        let store = BusStore::of(data.path());
        let file = store.streams.join("jetstream/orders/1.blk");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "then").unwrap();
        copy(&store.streams, &store.older).unwrap();
        fs::write(&file, "now").unwrap();
        fs::write(store.streams.join("new"), "now").unwrap();
        empty(&store.streams).unwrap();
        copy(&store.older, &store.streams).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "then");
        assert!(!store.streams.join("new").exists());
    }
}
