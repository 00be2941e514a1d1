//! What a release would publish, and what is refused: decided on what is known of the published release and the tree.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde::Serialize;

use super::changes::{Change, few};

/// Images beside the services' that have the release's own version.
const OTHER_IMAGES: [&str; 2] = ["operator", "stripe-double"];

/// What there is to compare with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Baseline {
    /// The last release that was published, and the versions of its services.
    Release {
        version: Version,
        services: BTreeMap<String, Version>,
    },
    /// No release was ever published.
    Nothing,
    /// This clone cannot tell; why, as a sentence.
    Unknown { reason: String },
}

/// What a plan is made of.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) baseline: Baseline,
    /// The release under development.
    pub(super) release: Version,
    pub(super) reachable_from: VersionReq,
    /// The services as they are, and what changed in each since the baseline.
    pub(super) services: BTreeMap<String, (Version, Vec<Change>)>,
}

/// What changed since the last release and what the next one would publish.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plan {
    pub(super) baseline: Baseline,
    pub(super) release: Version,
    pub(super) reachable_from: VersionReq,
    /// Whether a shop may come from the published release in one step; none where there is no such release.
    pub(super) is_reachable: Option<bool>,
    pub(super) services: Vec<Service>,
    /// Images that are not published in that version.
    pub(super) publishes: Vec<Image>,
    /// Images that the release takes as they are published.
    pub(super) stays: Vec<Image>,
    pub(super) refusals: Vec<Refusal>,
    /// What is allowed and should be meant.
    pub(super) notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Service {
    pub(super) name: String,
    /// None of a service that is new.
    pub(super) published: Option<Version>,
    /// None of a service that the release has no more.
    pub(super) version: Option<Version>,
    pub(super) changes: Vec<Change>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Image {
    pub(super) name: String,
    pub(super) version: Version,
}

/// What cannot be published, and what to do about it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    pub(super) what: String,
    pub(super) next: String,
}

impl Plan {
    pub(super) fn of(comparison: Comparison) -> Self {
        let Comparison {
            baseline,
            release,
            reachable_from,
            services,
        } = comparison;
        let mut plan = Self {
            is_reachable: None,
            services: merged(&baseline, services),
            publishes: Vec::new(),
            stays: Vec::new(),
            refusals: Vec::new(),
            notes: Vec::new(),
            baseline,
            release,
            reachable_from,
        };
        match plan.baseline.clone() {
            Baseline::Release { version, .. } => plan.judge(&version),
            Baseline::Nothing => plan.list_images(None),
            Baseline::Unknown { .. } => {}
        }
        plan
    }

    fn judge(&mut self, published: &Version) {
        let reachable = self.release == *published || self.reachable_from.matches(published);
        self.is_reachable = Some(reachable);
        if !reachable {
            self.notes.push(format!(
                "shops at {published} cannot come to {} in one step, because services/release.json has \"reachableFrom\": \"{}\"",
                self.release, self.reachable_from
            ));
        }
        let mut refusals = Vec::new();
        for service in &self.services {
            refusals.extend(refused_version(service, published));
            if let Service {
                name,
                published: Some(before),
                version: Some(now),
                changes,
            } = service
                && changes.is_empty()
                && now > before
            {
                self.notes.push(format!(
                    "{name} goes from {before} to {now} although nothing that it is built from has changed"
                ));
            }
        }
        refusals.extend(refused_release(&self.services, published, &self.release));
        self.refusals = refusals;
        self.list_images(Some(published));
    }

    fn list_images(&mut self, published: Option<&Version>) {
        for service in &self.services {
            let Some(version) = service.version.clone() else {
                continue;
            };
            let image = Image {
                name: service.name.clone(),
                version,
            };
            match service.published.as_ref().map(|before| image.version.cmp(before)) {
                None | Some(Ordering::Greater) => self.publishes.push(image),
                Some(Ordering::Equal) => self.stays.push(image),
                // It is refused.
                Some(Ordering::Less) => {}
            }
        }
        for name in OTHER_IMAGES {
            let image = Image {
                name: name.to_owned(),
                version: self.release.clone(),
            };
            match published.map(|before| self.release.cmp(before)) {
                None | Some(Ordering::Greater) => self.publishes.push(image),
                Some(Ordering::Equal) => self.stays.push(image),
                Some(Ordering::Less) => {}
            }
        }
    }
}

/// The services of now and of then.
fn merged(baseline: &Baseline, services: BTreeMap<String, (Version, Vec<Change>)>) -> Vec<Service> {
    let mut published = match baseline {
        Baseline::Release { services, .. } => services.clone(),
        Baseline::Nothing | Baseline::Unknown { .. } => BTreeMap::new(),
    };
    let present = services.into_iter().map(|(name, (version, changes))| Service {
        published: published.remove(&name),
        version: Some(version),
        name,
        changes,
    });
    let mut all: Vec<Service> = present.collect();
    all.extend(published.into_iter().map(|(name, version)| Service {
        name,
        published: Some(version),
        version: None,
        changes: Vec::new(),
    }));
    all
}

/// A published version is never written over, so what changed would not reach anybody.
fn refused_version(service: &Service, published: &Version) -> Option<Refusal> {
    let Service {
        name,
        published: before,
        version,
        changes,
    } = service;
    let (before, now) = (before.as_ref()?, version.as_ref()?);
    let what = if now < before {
        format!("{name} has version {now}, which is lower than the {before} that v{published} published")
    } else if now == before && !changes.is_empty() {
        format!(
            "{name} has changed since v{published} and still has its version {now}: {}",
            few(changes)
        )
    } else {
        return None;
    };
    let next = format!(
        "give services/{name}/version.json a version greater than {before}, then run cargo xtask release"
    );
    Some(Refusal { what, next })
}

/// A release is a set of versions, and shops that run a published one have its set.
fn refused_release(services: &[Service], published: &Version, release: &Version) -> Option<Refusal> {
    let differing: Vec<&str> = services
        .iter()
        .filter(|service| service.published != service.version || !service.changes.is_empty())
        .map(|service| service.name.as_str())
        .collect();
    let what = if release > published {
        return None;
    } else if release < published {
        format!("the release has version {release}, which is lower than the published {published}")
    } else if differing.is_empty() {
        return None;
    } else {
        format!(
            "release {release} is published as it was, and the tree differs in {}",
            few(&differing)
        )
    };
    let next = format!(
        "give services/release.json a version greater than {published} and say from where it can be reached, then run cargo xtask release"
    );
    Some(Refusal { what, next })
}

#[cfg(test)]
mod tests;
