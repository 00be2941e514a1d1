//! Which versions of services change data so that the versions before them can no longer read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use semver::Version;

use crate::Service;

/// Every contracting migration of the releases that are known, by the version that is the first to make it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contractions {
    made: BTreeMap<Service, BTreeMap<Version, BTreeSet<String>>>,
}

/// One version of a service that cannot be gone back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contraction<'a> {
    /// The service whose data it is.
    pub service: Service,
    /// The first version that makes it.
    pub version: &'a Version,
    /// What is done to the data, by name.
    pub migrations: &'a BTreeSet<String>,
}

impl Contractions {
    /// Adds what one version of a service makes.
    pub(crate) fn add(&mut self, service: Service, version: &Version, migrations: &[String]) {
        let made = self.made.entry(service).or_default();
        made.entry(version.clone())
            .or_default()
            .extend(migrations.iter().cloned());
    }

    /// The last one that lies between two versions of a service: after `older`, and made by `newer` at the latest.
    #[must_use]
    pub fn between(&self, service: Service, older: &Version, newer: &Version) -> Option<Contraction<'_>> {
        let made = self.made.get(&service)?.iter();
        let (version, migrations) = made
            .rev()
            .find(|(version, _)| *version > older && *version <= newer)?;
        Some(Contraction {
            service,
            version,
            migrations,
        })
    }
}

impl fmt::Display for Contraction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            version,
            migrations,
        } = self;
        let migrations: Vec<_> = migrations.iter().map(String::as_str).collect();
        write!(
            f,
            "{service} {version} makes of its data what no version before it can read ({})",
            migrations.join(", ")
        )
    }
}
