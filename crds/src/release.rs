//! The release catalog: which version of each service a release of the platform consists of.

mod contractions;

pub use contractions::{Contraction, Contractions};

use crate::Service;
use semver::{Version, VersionReq};
use serde::Deserialize;
use std::collections::BTreeMap;

/// One file a release, built into the program.
const EMBEDDED: &[&str] = &[include_str!("../../releases/1.0.0.json")];

/// One release of the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The release's own version, what `spec.version` names.
    pub version: Version,
    services: BTreeMap<Service, Version>,
    digests: BTreeMap<Service, String>,
    contracting_migrations: BTreeMap<Service, Vec<String>>,
    reachable_from: VersionReq,
}

impl Release {
    /// Whether a shop at that release may go to this one, up or down, in one step.
    #[must_use]
    pub fn is_reachable_from(&self, other: &Version) -> bool {
        *other == self.version || self.reachable_from.matches(other)
    }

    /// The releases from which it can be reached, as a sentence names them.
    #[must_use]
    pub fn reachable_from(&self) -> &VersionReq {
        &self.reachable_from
    }

    /// The version of one service in this release; none when the release has no such service.
    #[must_use]
    pub fn service(&self, service: Service) -> Option<&Version> {
        self.services.get(&service)
    }

    /// The digest of that version's image, such as `sha256:...`; none when the release names its images by version alone.
    #[must_use]
    pub fn digest(&self, service: Service) -> Option<&str> {
        self.digests.get(&service).map(String::as_str)
    }
}

/// Why a release file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file is not of the expected form.
    #[error("the release file cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The file names no service.
    #[error("release {0} consists of nothing")]
    Empty(Version),
    /// The file names a service that does not exist.
    #[error("release {release}: {unknown}")]
    ServiceUnknown {
        /// The release that the file describes.
        release: Version,
        /// The name found.
        unknown: crate::UnknownService,
    },
    /// The file has a digest that is none, or of a service that the release has not.
    #[error(
        "release {release}: the digest of {service} has to be sha256: and 64 hexadecimal digits, and of one of its services"
    )]
    DigestMalformed {
        /// The release that the file describes.
        release: Version,
        /// What the digest should be of.
        service: Service,
    },
    /// The file has migrations of a service that the release has not.
    #[error("release {release} has contracting migrations of {service} and no {service}")]
    MigrationsOfNothing {
        /// The release that the file describes.
        release: Version,
        /// Whose data would be migrated.
        service: Service,
    },
    /// Two files describe the same release differently.
    #[error("release {0} is described twice, with different contents")]
    Contradiction(Version),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReleaseFile {
    version: Version,
    services: BTreeMap<String, Version>,
    /// Left out: any.
    #[serde(default)]
    reachable_from: VersionReq,
    #[serde(default)]
    digests: BTreeMap<String, String>,
    /// What the services' versions of this release are the first to do to their data, and no version before them can read.
    #[serde(default)]
    contracting_migrations: BTreeMap<String, Vec<String>>,
}

impl TryFrom<ReleaseFile> for Release {
    type Error = CatalogError;

    fn try_from(file: ReleaseFile) -> Result<Self, Self::Error> {
        let ReleaseFile {
            version,
            services,
            reachable_from,
            digests,
            contracting_migrations,
        } = file;
        let services = by_service(&version, services)?;
        let digests = by_service(&version, digests)?;
        let contracting_migrations = by_service(&version, contracting_migrations)?;
        if services.is_empty() {
            return Err(CatalogError::Empty(version));
        }
        let is_usable = |service: &Service, digest: &str| services.contains_key(service) && is_digest(digest);
        if let Some((service, _)) = digests
            .iter()
            .find(|(service, digest)| !is_usable(service, digest))
        {
            return Err(CatalogError::DigestMalformed {
                release: version,
                service: *service,
            });
        }
        let is_missing = |service: &&Service| !services.contains_key(*service);
        if let Some(service) = contracting_migrations.keys().find(is_missing) {
            return Err(CatalogError::MigrationsOfNothing {
                release: version,
                service: *service,
            });
        }
        Ok(Self {
            version,
            services,
            digests,
            contracting_migrations,
            reachable_from,
        })
    }
}

fn by_service<T>(
    release: &Version,
    named: BTreeMap<String, T>,
) -> Result<BTreeMap<Service, T>, CatalogError> {
    let service = |(name, value): (String, T)| match name.parse() {
        Ok(service) => Ok((service, value)),
        Err(unknown) => Err(CatalogError::ServiceUnknown {
            release: release.clone(),
            unknown,
        }),
    };
    named.into_iter().map(service).collect()
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.chars().all(|digit| digit.is_ascii_hexdigit()))
}

/// The known releases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    releases: BTreeMap<Version, Release>,
}

impl Catalog {
    /// The releases that are built into this program.
    #[must_use]
    pub fn embedded() -> Self {
        EMBEDDED.iter().fold(Self::default(), |catalog, text| {
            catalog
                .with(text)
                .expect("a test reads every release file that is built in")
        })
    }

    /// Adds one release from the text of its file, for releases newer than this program.
    ///
    /// # Errors
    /// When the text is malformed, names no service or an unknown one, or contradicts a known release.
    pub fn with(mut self, text: &str) -> Result<Self, CatalogError> {
        let release = Release::try_from(serde_json::from_str::<ReleaseFile>(text)?)?;
        if let Some(known) = self.releases.get(&release.version)
            && *known != release
        {
            return Err(CatalogError::Contradiction(release.version));
        }
        self.releases.insert(release.version.clone(), release);
        Ok(self)
    }

    /// The release of that version.
    #[must_use]
    pub fn release(&self, version: &Version) -> Option<&Release> {
        self.releases.get(version)
    }

    /// Every known release, oldest first.
    pub fn releases(&self) -> impl DoubleEndedIterator<Item = &Release> {
        self.releases.values()
    }

    /// What cannot be gone back from, in any of the known releases.
    #[must_use]
    pub fn contractions(&self) -> Contractions {
        let mut contractions = Contractions::default();
        for release in self.releases() {
            for (service, migrations) in &release.contracting_migrations {
                contractions.add(*service, &release.services[service], migrations);
            }
        }
        contractions
    }

    /// The newest release that is not a pre-release.
    #[must_use]
    pub fn newest(&self) -> Option<&Release> {
        self.releases().rfind(|release| release.version.pre.is_empty())
    }
}
