//! What an archive says of itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::names::{Name, Sha256Hex};

/// The format that this crate writes, and the only one that it reads. It changes when older programs could not read an
/// archive any more.
pub(crate) const FORMAT: u32 = 1;
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const SUMS: &str = "SHA256SUMS";

/// What an archive holds. Nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Manifest {
    format: u32,
    /// The moment that it shows, by the store's clock. Whatever was answered before is in it.
    pub taken_at: Timestamp,
    /// The same moment as the store counts: seconds since 1970, and a number within the second.
    pub cluster_time: (u32, u32),
    /// What each service had.
    pub services: BTreeMap<Name, ServiceData>,
}

/// One service's database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceData {
    /// The version of the service that wrote it.
    pub version: Version,
    /// Its collections.
    pub collections: BTreeMap<Name, CollectionData>,
}

/// One collection, independent of how it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectionData {
    /// How many documents.
    pub documents: u64,
    /// How many bytes of BSON.
    pub bytes: u64,
    /// Of the documents' BSON in the order of their ids.
    pub sha256: Sha256Hex,
}

/// Why a program cannot make a shop of an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is of another time.
    #[error("it has format {found}, and this program reads format {FORMAT}")]
    Format {
        /// The archive's format.
        found: u32,
    },
    /// It has data of a service that is not known here.
    #[error("it has data of {service} {version}, a service that is not known here")]
    UnknownService {
        /// The service.
        service: Name,
        /// The version that wrote its data.
        version: Version,
    },
    /// A service's data may have a shape that its older versions do not understand.
    #[error("its data was written by {service} {theirs}, and {service} {ours} would have to read it")]
    Newer {
        /// The service.
        service: Name,
        /// The version that wrote its data.
        theirs: Version,
        /// The version that would have to read it.
        ours: Version,
    },
}

impl Manifest {
    pub(crate) fn new(cluster_time: (u32, u32), services: BTreeMap<Name, ServiceData>) -> Self {
        Self {
            format: FORMAT,
            taken_at: Timestamp::from_second(i64::from(cluster_time.0)).unwrap_or(Timestamp::MAX),
            cluster_time,
            services,
        }
    }

    /// Reads `manifest.json`.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, ManifestError> {
        // Another format may have other fields, and is to be refused for what it is.
        #[derive(Deserialize)]
        struct Any {
            format: u32,
        }
        let Any { format } = serde_json::from_slice(text)?;
        if format != FORMAT {
            return Err(Unreadable::Format { found: format }.into());
        }
        Ok(serde_json::from_slice(text)?)
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("a manifest is JSON");
        text.push(b'\n');
        text
    }

    /// Whether services of these versions understand the data. A service brings older data up to date by itself, and
    /// knows nothing of shapes that came after it.
    ///
    /// # Errors
    /// [`Unreadable`] for the first service that does not.
    pub fn readable_by(&self, known: &BTreeMap<Name, Version>) -> Result<(), Unreadable> {
        for (
            service,
            ServiceData {
                version,
                collections: _,
            },
        ) in &self.services
        {
            match known.get(service) {
                None => {
                    return Err(Unreadable::UnknownService {
                        service: service.clone(),
                        version: version.clone(),
                    });
                }
                Some(ours) if ours < version => {
                    return Err(Unreadable::Newer {
                        service: service.clone(),
                        theirs: version.clone(),
                        ours: ours.clone(),
                    });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Every collection, with the service that has it.
    pub fn collections(&self) -> impl Iterator<Item = (&Name, &Name, &CollectionData)> {
        self.services.iter().flat_map(|(service, data)| {
            let collections = data.collections.iter();
            collections.map(move |(collection, data)| (service, collection, data))
        })
    }

    /// How many documents there are in all.
    pub fn documents(&self) -> u64 {
        self.collections().map(|(_, _, data)| data.documents).sum()
    }

    /// How many bytes of BSON there are in all.
    pub fn bytes(&self) -> u64 {
        self.collections().map(|(_, _, data)| data.bytes).sum()
    }
}

/// The manifest cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ManifestError {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// Where an archive keeps a collection.
pub(crate) fn file_of(service: &Name, collection: &Name) -> String {
    format!("{service}/{collection}.bson.gz")
}

/// `SHA256SUMS` for these files.
pub(crate) fn sums(files: &BTreeMap<String, Sha256Hex>) -> String {
    let mut text = String::new();
    for (file, digest) in files {
        let _ = writeln!(text, "{digest}  {file}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::try_from(text.to_owned()).unwrap()
    }

    fn versions(version: &str) -> BTreeMap<Name, Version> {
        BTreeMap::from([(name("orders"), version.parse().unwrap())])
    }

    fn manifest() -> Manifest {
        let claims = CollectionData {
            documents: 2,
            bytes: 100,
            sha256: Sha256Hex::of(b""),
        };
        let orders = ServiceData {
            version: "1.2.3".parse().unwrap(),
            collections: BTreeMap::from([(name("claims"), claims)]),
        };
        Manifest::new((1_700_000_000, 7), BTreeMap::from([(name("orders"), orders)]))
    }

    #[test]
    fn it_is_read_as_it_was_written() {
        assert_eq!(Manifest::parse(&manifest().to_json()).unwrap(), manifest());
        assert_eq!(manifest().taken_at.to_string(), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn another_format_is_refused_for_what_it_is() {
        let refused = Manifest::parse(br#"{"format": 2, "else": []}"#).unwrap_err();
        assert!(matches!(
            refused,
            ManifestError::Unreadable(Unreadable::Format { found: 2 })
        ));
        let odd = String::from_utf8(manifest().to_json()).unwrap();
        for odd in [
            odd.replace("claims", "../claims"),
            odd.replace("takenAt", "taken"),
        ] {
            assert!(matches!(
                Manifest::parse(odd.as_bytes()),
                Err(ManifestError::Json(_))
            ));
        }
    }

    #[test]
    fn data_of_newer_or_unknown_services_is_refused() {
        assert_eq!(manifest().readable_by(&versions("1.2.3")), Ok(()));
        assert_eq!(manifest().readable_by(&versions("1.10.0")), Ok(()));
        let newer = manifest().readable_by(&versions("1.2.2")).unwrap_err();
        assert!(matches!(newer, Unreadable::Newer { .. }), "{newer}");
        let unknown = manifest().readable_by(&BTreeMap::new()).unwrap_err();
        assert!(matches!(unknown, Unreadable::UnknownService { .. }), "{unknown}");
    }

    #[test]
    fn sums_are_what_sha256sum_writes() {
        let files = BTreeMap::from([("a/b".to_owned(), Sha256Hex::of(b""))]);
        assert_eq!(
            sums(&files),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a/b\n"
        );
    }
}
