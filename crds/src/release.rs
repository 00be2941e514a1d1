//! The release catalog: which version of each service a release of the platform consists of.

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
}

impl TryFrom<ReleaseFile> for Release {
    type Error = CatalogError;

    fn try_from(file: ReleaseFile) -> Result<Self, Self::Error> {
        let mut services = BTreeMap::new();
        for (name, version) in file.services {
            let service = name.parse().map_err(|unknown| CatalogError::ServiceUnknown {
                release: file.version.clone(),
                unknown,
            })?;
            services.insert(service, version);
        }
        if services.is_empty() {
            return Err(CatalogError::Empty(file.version));
        }
        Ok(Self {
            version: file.version,
            services,
            reachable_from: file.reachable_from,
        })
    }
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

    /// The newest release that is not a pre-release.
    #[must_use]
    pub fn newest(&self) -> Option<&Release> {
        self.releases().rfind(|release| release.version.pre.is_empty())
    }
}
