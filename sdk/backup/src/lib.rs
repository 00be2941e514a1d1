//! Backups of a shop: everything that its databases hold at one moment, as an archive, and back.
//!
//! An archive is a folder, or as many objects of a bucket, which standard tools can read too:
//!
//! ```text
//! auth/users.bson.gz      a collection's documents in the order of their ids, as mongodump writes them
//! ...
//! manifest.json           format, moment, versions of the services; count, bytes and SHA-256 of each collection
//! SHA256SUMS              digests of all files above, as `sha256sum` writes them; the last one to be written
//! ```
//!
//! [`backup`] reads a running shop and does not disturb it. [`Archive::check`] reads an archive from end to end.
//! [`begin_restore`] wants an archive that was checked and databases that nobody uses, marks them as half restored,
//! and [`Restore::finish`] takes the mark away once everything is there.

mod archive;
mod backup;
mod manifest;
mod names;
mod packing;
mod place;
mod restore;
mod shop;
mod snapshot;
mod unpacking;

pub use archive::{Archive, ArchiveError, Checked};
pub use backup::{BackupError, backup};
pub use manifest::{CollectionData, Manifest, ServiceData, Unreadable};
pub use names::{Name, NotAName, NotVersioned, Sha256Hex, Versioned};
pub use place::{Address, NotAnAddress, Objects, Place, PlaceError};
pub use restore::{Existing, Restore, RestoreError, begin_restore};
pub use shop::Shop;

/// A collection that was just written, read or restored.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Whose database it is in.
    pub service: &'a Name,
    /// Its name.
    pub collection: &'a Name,
    /// What it holds.
    pub data: &'a CollectionData,
}

/// Whoever wants to know how far the work is.
pub type Progress<'a> = &'a (dyn Fn(Step<'_>) + Send + Sync);
