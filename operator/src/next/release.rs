//! What a release consists of: one build of each service.

use std::collections::BTreeMap;

use bigtix_crds::platform::Image;
use bigtix_crds::v1alpha1::{ReleasedService, VersionStatus};
use bigtix_crds::{Platform, Service, Version};

use crate::build::meta::digest;

/// What the pods of one service run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The version that it says it is.
    pub version: Version,
    /// The image.
    pub image: Image,
}

/// A release with the images that were chosen for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseSet {
    /// The release of the platform.
    pub version: Version,
    /// One build of each service that the release has.
    pub builds: BTreeMap<Service, Build>,
}

impl ReleaseSet {
    /// What the resource asks for.
    #[must_use]
    pub fn wanted(platform: &Platform) -> Self {
        let build = |(service, workload): (Service, &bigtix_crds::platform::Workload)| {
            let build = Build {
                version: workload.version.clone(),
                image: workload.image.clone(),
            };
            (service, build)
        };
        Self {
            version: platform.version.clone(),
            builds: platform.services.iter().map(build).collect(),
        }
    }

    /// What served users last, as the status has it; none before the first release is up.
    #[must_use]
    pub fn recorded(status: &VersionStatus) -> Option<Self> {
        let VersionStatus {
            current,
            target: _,
            previous: _,
            rejected: _,
            services,
        } = status;
        let build = |released: &ReleasedService| {
            let build = Build {
                version: released.version.parse().ok()?,
                image: Image::recorded(&released.image),
            };
            Some((released.name.parse().ok()?, build))
        };
        Some(Self {
            version: current.as_ref()?.parse().ok()?,
            builds: services.iter().map(build).collect::<Option<_>>()?,
        })
    }

    /// As the status keeps it.
    #[must_use]
    pub fn record(&self) -> Vec<ReleasedService> {
        self.builds
            .iter()
            .map(|(service, Build { version, image })| ReleasedService {
                name: service.to_string(),
                version: version.to_string(),
                image: image.to_string(),
            })
            .collect()
    }

    /// Tells it from every other: the release, and a digest of the images, because one of them can be changed alone.
    #[must_use]
    pub fn id(&self) -> String {
        let builds = self
            .builds
            .iter()
            .map(|(service, Build { version, image })| format!("{service}={version}@{image}\n"));
        format!("{}-{}", self.version, &digest(&builds.collect::<String>())[..8])
    }
}
