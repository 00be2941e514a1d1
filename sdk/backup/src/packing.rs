//! Documents into the bytes of a file: compressed, counted and digested as they go by.

use std::io::{self, Write};
use std::mem;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::manifest::CollectionData;
use crate::names::Sha256Hex;

/// So much is put together before it is written.
const PORTION: usize = 64 * 1024;

/// Counts and digests documents.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    documents: u64,
    bytes: u64,
    hasher: Sha256,
}

impl Tally {
    pub(crate) fn count(&mut self, document: &[u8]) {
        self.documents += 1;
        self.bytes += document.len() as u64;
        self.hasher.update(document);
    }

    pub(crate) fn data(self) -> CollectionData {
        let Self {
            documents,
            bytes,
            hasher,
        } = self;
        CollectionData {
            documents,
            bytes,
            sha256: Sha256Hex::from_hasher(hasher),
        }
    }
}

/// A file that is being made. What it gives back has to be written, in order.
pub(crate) struct Packer {
    encoder: GzEncoder<Vec<u8>>,
    content: Tally,
    file: Sha256,
}

impl Packer {
    pub(crate) fn new() -> Self {
        Self {
            encoder: GzEncoder::new(Vec::new(), Compression::default()),
            content: Tally::default(),
            file: Sha256::new(),
        }
    }

    /// Takes the BSON of one document in; gives back bytes of the file once there are many.
    pub(crate) fn pack(&mut self, document: &[u8]) -> io::Result<Option<Vec<u8>>> {
        self.content.count(document);
        self.encoder.write_all(document)?;
        if self.encoder.get_ref().len() < PORTION {
            return Ok(None);
        }
        let portion = mem::take(self.encoder.get_mut());
        self.file.update(&portion);
        Ok(Some(portion))
    }

    /// The file's last bytes, what is in it, and the digest of the file itself.
    pub(crate) fn finish(self) -> io::Result<(Vec<u8>, CollectionData, Sha256Hex)> {
        let Self {
            encoder,
            content,
            mut file,
        } = self;
        let rest = encoder.finish()?;
        file.update(&rest);
        Ok((rest, content.data(), Sha256Hex::from_hasher(file)))
    }
}
