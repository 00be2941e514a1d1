//! The bytes of a file back into documents, with as much doubt as bytes from a disk deserve.

use std::io::Write;
use std::mem;

use bson::RawDocumentBuf;
use flate2::write::GzDecoder;
use sha2::{Digest, Sha256};

use crate::manifest::CollectionData;
use crate::names::Sha256Hex;
use crate::packing::Tally;

/// How many bytes of a file are looked at in one go. Compressed bytes become about a thousand times as many at most.
pub(crate) const CHUNK: usize = 16 * 1024;
/// What MongoDB keeps, with room for what it adds.
const LARGEST_DOCUMENT: usize = 17 * 1024 * 1024;
const SMALLEST_DOCUMENT: usize = 5;

/// A file does not hold what this crate writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Damage {
    #[error("it cannot be decompressed")]
    Compression,
    #[error("it holds something that is no document")]
    Document,
    #[error("it ends within a document")]
    Truncated,
}

/// A file that is being read.
pub(crate) struct Unpacker {
    decoder: GzDecoder<Vec<u8>>,
    pending: Vec<u8>,
    content: Tally,
    file: Sha256,
}

impl Unpacker {
    pub(crate) fn new() -> Self {
        Self {
            decoder: GzDecoder::new(Vec::new()),
            pending: Vec::new(),
            content: Tally::default(),
            file: Sha256::new(),
        }
    }

    /// Takes the next bytes of the file, [`CHUNK`] of them at most, and gives back the documents that are complete.
    pub(crate) fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<RawDocumentBuf>, Damage> {
        self.file.update(bytes);
        self.decoder.write_all(bytes).map_err(|_| Damage::Compression)?;
        self.decoder.flush().map_err(|_| Damage::Compression)?;
        let plain = mem::take(self.decoder.get_mut());
        self.pending.extend_from_slice(&plain);
        self.complete()
    }

    /// What was in the file, and the digest of the file itself.
    pub(crate) fn finish(mut self) -> Result<(Vec<RawDocumentBuf>, CollectionData, Sha256Hex), Damage> {
        self.decoder.try_finish().map_err(|_| Damage::Compression)?;
        let plain = mem::take(self.decoder.get_mut());
        self.pending.extend_from_slice(&plain);
        let last = self.complete()?;
        let Self {
            decoder: _,
            pending,
            content,
            file,
        } = self;
        if !pending.is_empty() {
            return Err(Damage::Truncated);
        }
        Ok((last, content.data(), Sha256Hex::from_hasher(file)))
    }

    fn complete(&mut self) -> Result<Vec<RawDocumentBuf>, Damage> {
        let mut documents = Vec::new();
        let mut rest = self.pending.as_slice();
        while let Some(length) = rest.first_chunk::<4>() {
            let length = usize::try_from(i32::from_le_bytes(*length)).map_err(|_| Damage::Document)?;
            if !(SMALLEST_DOCUMENT..=LARGEST_DOCUMENT).contains(&length) {
                return Err(Damage::Document);
            }
            let Some((document, after)) = rest.split_at_checked(length) else {
                break;
            };
            let document = RawDocumentBuf::from_bytes(document.to_vec()).map_err(|_| Damage::Document)?;
            self.content.count(document.as_bytes());
            documents.push(document);
            rest = after;
        }
        let done = self.pending.len() - rest.len();
        self.pending.drain(..done);
        Ok(documents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::Packer;
    use bson::rawdoc;
    use proptest::prelude::*;

    fn packed(documents: &[RawDocumentBuf]) -> (Vec<u8>, CollectionData, Sha256Hex) {
        let mut packer = Packer::new();
        let mut file = Vec::new();
        for document in documents {
            file.extend(packer.pack(document.as_bytes()).unwrap().unwrap_or_default());
        }
        let (rest, data, digest) = packer.finish().unwrap();
        file.extend(rest);
        (file, data, digest)
    }

    fn unpacked(
        file: &[u8],
        chunk: usize,
    ) -> Result<(Vec<RawDocumentBuf>, CollectionData, Sha256Hex), Damage> {
        let mut unpacker = Unpacker::new();
        let mut documents = Vec::new();
        for chunk in file.chunks(chunk) {
            documents.extend(unpacker.unpack(chunk)?);
        }
        let (last, data, digest) = unpacker.finish()?;
        documents.extend(last);
        Ok((documents, data, digest))
    }

    fn some(count: i32) -> Vec<RawDocumentBuf> {
        (0..count)
            .map(|n| rawdoc! {"_id": n, "text": "x".repeat(usize::try_from(n).unwrap())})
            .collect()
    }

    proptest! {
        #[test]
        fn whatever_is_packed_comes_back(count in 0..300, chunk in 1_usize..CHUNK) {
            let documents = some(count);
            let (file, data, digest) = packed(&documents);
            prop_assert_eq!(data.documents, u64::try_from(count).unwrap());
            prop_assert_eq!(unpacked(&file, chunk).unwrap(), (documents, data, digest));
        }

        #[test]
        fn a_changed_or_missing_byte_is_noticed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let (file, data, digest) = packed(&some(100));
            let at = at.index(file.len());
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            prop_assert_ne!(unpacked(&changed, CHUNK).ok().map(|(_, _, found)| found), Some(digest.clone()));
            let shorter = unpacked(&file[..at], CHUNK).ok();
            prop_assert_ne!(shorter.map(|(_, found_data, found)| (found_data, found)), Some((data, digest)));
        }
    }

    #[test]
    fn lengths_that_no_document_has_are_refused() {
        for length in [-1_i32, 0, 4, i32::MAX] {
            let mut packer = Packer::new();
            packer.pack(&length.to_le_bytes()).unwrap();
            let (file, _, _) = packer.finish().unwrap();
            assert_eq!(unpacked(&file, CHUNK).unwrap_err(), Damage::Document, "{length}");
        }
        let mut packer = Packer::new();
        packer.pack(&[9, 0, 0, 0, 1]).unwrap();
        let (file, _, _) = packer.finish().unwrap();
        assert_eq!(unpacked(&file, CHUNK).unwrap_err(), Damage::Truncated);
    }
}
