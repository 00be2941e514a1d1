//! What a release would publish, and what is refused: decided on what is known of the published release and the tree.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde::Serialize;

use super::changelog::{CHANGELOG, Due, Told};
use super::changes::{Change, few};
use super::{DEVELOPMENT, SERVICES};

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
    /// The file of the release, where it is not as it has to be.
    pub(super) stale: Vec<String>,
    /// What the project's changelog has of the release.
    pub(super) told: Told,
    pub(super) services: BTreeMap<String, Present>,
}

/// A service as it is.
#[derive(Debug)]
pub(super) struct Present {
    pub(super) version: Version,
    /// Since the baseline.
    pub(super) changes: Vec<Change>,
    /// Those since the baseline that touched what it is compiled from, newest first.
    pub(super) commits: Vec<Commit>,
    /// What its changelog has of its version.
    pub(super) told: Told,
}

/// What somebody who writes a changelog may want to be reminded of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Commit {
    /// As git abbreviates it.
    pub(super) id: String,
    pub(super) subject: String,
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
    /// The project's and those of the services; none where nothing can be compared.
    pub(super) changelogs: Vec<Chapter>,
    /// What `cargo xtask release` would change, by path from the root.
    pub(super) writes: Vec<String>,
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
    pub(super) commits: Vec<Commit>,
}

/// A changelog, as far as it is about the version under development.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Chapter {
    /// From the root.
    pub(super) path: String,
    pub(super) version: Version,
    pub(super) is_published: bool,
    /// Entries under Unreleased.
    pub(super) unreleased: usize,
    pub(super) due: Due,
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
        let changelogs = chapters(&comparison);
        let Comparison {
            baseline,
            release,
            reachable_from,
            stale,
            told: _,
            services,
        } = comparison;
        let moved = changelogs.iter().filter(|chapter| chapter.due == Due::Section);
        let mut plan = Self {
            is_reachable: None,
            services: merged(&baseline, services),
            writes: stale
                .into_iter()
                .chain(moved.map(|chapter| chapter.path.clone()))
                .collect(),
            changelogs,
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
        plan.refusals
            .extend(plan.changelogs.iter().filter_map(refused_chapter));
        plan
    }

    fn judge(&mut self, published: &Version) {
        let reachable = self.release == *published || self.reachable_from.matches(published);
        self.is_reachable = Some(reachable);
        if !reachable {
            self.notes.push(format!(
                "shops at {published} cannot come to {} in one step, because {DEVELOPMENT} has \"reachableFrom\": \"{}\"",
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
                commits: _,
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
fn merged(baseline: &Baseline, services: BTreeMap<String, Present>) -> Vec<Service> {
    let mut published = match baseline {
        Baseline::Release { services, .. } => services.clone(),
        Baseline::Nothing | Baseline::Unknown { .. } => BTreeMap::new(),
    };
    let present = services.into_iter().map(|(name, present)| {
        let Present {
            version,
            changes,
            commits,
            told: _,
        } = present;
        Service {
            published: published.remove(&name),
            version: Some(version),
            name,
            changes,
            commits,
        }
    });
    let mut all: Vec<Service> = present.collect();
    all.extend(published.into_iter().map(|(name, version)| Service {
        name,
        published: Some(version),
        version: None,
        changes: Vec::new(),
        commits: Vec::new(),
    }));
    all
}

/// What is due to a changelog depends on whether its version is published, so there are none where nobody can tell.
fn chapters(comparison: &Comparison) -> Vec<Chapter> {
    let none = BTreeMap::new();
    let (published, published_services) = match &comparison.baseline {
        Baseline::Release { version, services } => (Some(version), services),
        Baseline::Nothing => (None, &none),
        Baseline::Unknown { .. } => return Vec::new(),
    };
    let chapter = |path: String, version: &Version, published: Option<&Version>, told: Told| {
        let is_published = published == Some(version);
        Chapter {
            path,
            version: version.clone(),
            is_published,
            unreleased: told.unreleased,
            due: told.due(is_published),
        }
    };
    let whole = chapter(
        CHANGELOG.to_owned(),
        &comparison.release,
        published,
        comparison.told,
    );
    let services = comparison.services.iter().map(|(name, service)| {
        let path = format!("{SERVICES}/{name}/{CHANGELOG}");
        chapter(path, &service.version, published_services.get(name), service.told)
    });
    [whole].into_iter().chain(services).collect()
}

/// Whoever takes a version wants to read what is new in it.
fn refused_chapter(chapter: &Chapter) -> Option<Refusal> {
    let Chapter {
        path,
        version,
        is_published,
        unreleased: _,
        due,
    } = chapter;
    let (what, next) = match (due, is_published) {
        (Due::Entries, _) => (
            format!("{path} says nothing of {version}"),
            "write under Unreleased there what is new, in lines that begin with \"- \"; cargo xtask release plan offers the commits",
        ),
        (Due::Section, true) => (
            format!("{version} is published and {path} has no section of it"),
            "run cargo xtask release, commit what it writes, and tag that",
        ),
        (Due::Section, false) | (Due::Nothing, _) => return None,
    };
    Some(Refusal {
        what,
        next: next.to_owned(),
    })
}

/// A published version is never written over, so what changed would not reach anybody.
fn refused_version(service: &Service, published: &Version) -> Option<Refusal> {
    let Service {
        name,
        published: before,
        version,
        changes,
        commits: _,
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
        "give {SERVICES}/{name}/version.json a version greater than {before}, then run cargo xtask release"
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
        "give {DEVELOPMENT} a version greater than {published} and say from where it can be reached, then run cargo xtask release"
    );
    Some(Refusal { what, next })
}

#[cfg(test)]
mod tests;
