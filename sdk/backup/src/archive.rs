//! An archive that is there: reading it, and doubting it.

use std::collections::BTreeMap;

use bson::RawDocumentBuf;

use crate::manifest::{CollectionData, MANIFEST, Manifest, ManifestError, SUMS, Unreadable, file_of, sums};
use crate::names::{Name, Sha256Hex};
use crate::place::{Place, PlaceError, Source};
use crate::unpacking::{CHUNK, Damage, Unpacker};
use crate::{Progress, Step};

/// More than a manifest or its sums ever have.
const LARGEST_TEXT: usize = 16 * 1024 * 1024;

/// Why an archive is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// What is written last is not there.
    #[error("{place} is no finished backup: it has no {SUMS}, which is written last")]
    Unfinished {
        /// Where.
        place: Place,
    },
    /// A file is not what was written.
    #[error("{place} is damaged: {file}: {what}")]
    Damaged {
        /// Where.
        place: Place,
        /// Which file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// It is of another format.
    #[error("{place} cannot be read by this program: {why}")]
    Unreadable {
        /// Where.
        place: Place,
        /// Why.
        why: Box<Unreadable>,
    },
    /// It could not be read.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

/// An archive whose manifest is what was written.
#[derive(Debug)]
pub struct Archive {
    place: Place,
    manifest: Manifest,
    /// Of the manifest's file.
    digest: Sha256Hex,
    sums: Vec<u8>,
}

/// An archive that was read from end to end and is what was written.
#[derive(Debug)]
pub struct Checked(Archive);

impl Archive {
    /// Reads what the archive says of itself.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub async fn open(place: Place) -> Result<Self, ArchiveError> {
        let sums = match read_text(&place, SUMS).await {
            Err(PlaceError::Missing { file: _ }) => return Err(ArchiveError::Unfinished { place }),
            other => other?,
        };
        let text = match read_text(&place, MANIFEST).await {
            Err(PlaceError::Missing { file: _ }) => return Err(damaged(&place, MANIFEST, "it is missing")),
            other => other?,
        };
        let digest = Sha256Hex::of(&text);
        let line = sums_line(MANIFEST, &digest);
        if !sums
            .split_inclusive(|byte| *byte == b'\n')
            .any(|found| found == line)
        {
            return Err(damaged(
                &place,
                MANIFEST,
                format!("its digest is not the one in {SUMS}"),
            ));
        }
        match Manifest::parse(&text) {
            Ok(manifest) => Ok(Self {
                place,
                manifest,
                digest,
                sums,
            }),
            Err(ManifestError::Unreadable(why)) => Err(ArchiveError::Unreadable {
                place,
                why: Box::new(why),
            }),
            Err(ManifestError::Json(error)) => Err(damaged(&place, MANIFEST, error.to_string())),
        }
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads all of it and compares every count and digest.
    ///
    /// # Errors
    /// [`ArchiveError::Damaged`] for the first file that is not what was written.
    pub async fn check(self, progress: Progress<'_>) -> Result<Checked, ArchiveError> {
        let mut files = BTreeMap::from([(MANIFEST.to_owned(), self.digest.clone())]);
        for (service, collection, expected) in self.manifest.collections() {
            let mut reading = self.read(service, collection).await?;
            while reading.next().await?.is_some() {}
            files.insert(file_of(service, collection), reading.finish(expected)?);
            progress(Step {
                service,
                collection,
                data: expected,
            });
        }
        // Of a file that has the right content in other bytes, it is enough to know that somebody touched it.
        if sums(&files).as_bytes() != self.sums {
            return Err(damaged(
                &self.place,
                SUMS,
                "it does not fit the files: `sha256sum -c SHA256SUMS` says which",
            ));
        }
        Ok(Checked(self))
    }

    async fn read(&self, service: &Name, collection: &Name) -> Result<Reading<'_>, ArchiveError> {
        let file = file_of(service, collection);
        match self.place.open(&file).await {
            Ok(source) => Ok(Reading {
                place: &self.place,
                file,
                source,
                unpacker: Some(Unpacker::new()),
                found: None,
            }),
            Err(PlaceError::Missing { file: _ }) => Err(damaged(&self.place, &file, "it is missing")),
            Err(error) => Err(error.into()),
        }
    }
}

impl Checked {
    /// What it says of itself.
    pub fn manifest(&self) -> &Manifest {
        self.0.manifest()
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        self.0.place()
    }

    /// Its documents once more. Files can change behind our back, so the end of reading compares again.
    pub(crate) async fn read(&self, service: &Name, collection: &Name) -> Result<Reading<'_>, ArchiveError> {
        self.0.read(service, collection).await
    }
}

/// A collection's file that is being read.
pub(crate) struct Reading<'a> {
    place: &'a Place,
    file: String,
    source: Source,
    /// None once the file has ended.
    unpacker: Option<Unpacker>,
    found: Option<(CollectionData, Sha256Hex)>,
}

impl Reading<'_> {
    /// The next documents, perhaps none yet; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<RawDocumentBuf>>, ArchiveError> {
        let Some(mut unpacker) = self.unpacker.take() else {
            return Ok(None);
        };
        let mut chunk = vec![0; CHUNK];
        let length = self.source.read(&mut chunk).await?;
        let damage = |damage: Damage| damaged(self.place, &self.file, damage.to_string());
        if length == 0 {
            let (last, data, digest) = unpacker.finish().map_err(damage)?;
            self.found = Some((data, digest));
            return Ok(Some(last));
        }
        let documents = unpacker.unpack(&chunk[..length]).map_err(damage)?;
        self.unpacker = Some(unpacker);
        Ok(Some(documents))
    }

    /// Compares what was read to the end with what should have been there; the digest of the file.
    pub(crate) fn finish(self, expected: &CollectionData) -> Result<Sha256Hex, ArchiveError> {
        match self.found {
            Some((data, digest)) if data == *expected => Ok(digest),
            Some(_) => Err(damaged(
                self.place,
                &self.file,
                format!("it does not hold what {MANIFEST} says"),
            )),
            None => Err(damaged(self.place, &self.file, "it was not read to its end")),
        }
    }
}

fn damaged(place: &Place, file: &str, what: impl Into<String>) -> ArchiveError {
    ArchiveError::Damaged {
        place: place.clone(),
        file: file.to_owned(),
        what: what.into(),
    }
}

fn sums_line(file: &str, digest: &Sha256Hex) -> Vec<u8> {
    sums(&BTreeMap::from([(file.to_owned(), digest.clone())])).into_bytes()
}

async fn read_text(place: &Place, file: &str) -> Result<Vec<u8>, PlaceError> {
    let mut source = place.open(file).await?;
    let (mut text, mut chunk) = (Vec::new(), vec![0; CHUNK]);
    while text.len() < LARGEST_TEXT {
        match source.read(&mut chunk).await? {
            0 => break,
            length => text.extend_from_slice(&chunk[..length]),
        }
    }
    Ok(text)
}
