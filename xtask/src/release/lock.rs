//! What `Cargo.lock` pins, compared with what it pinned before.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

/// A crate in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Locked {
    pub(super) name: String,
    pub(super) version: String,
}

/// A dependency that is another one than it was.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) name: String,
    pub(super) version: String,
    /// The version that went away for it, where there was one. The same version: it is from elsewhere, or is compiled
    /// with other dependencies.
    pub(super) before: Option<String>,
}

/// A lock file.
#[derive(Debug, Default)]
pub(super) struct Lock {
    entries: BTreeMap<Locked, Entry>,
}

#[derive(Debug)]
struct Entry {
    source: Option<String>,
    checksum: Option<String>,
    dependencies: BTreeSet<Locked>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    package: Vec<FileEntry>,
}

#[derive(Deserialize)]
struct FileEntry {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Lock {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let File { package } = toml::from_str(text).context("Cargo.lock")?;
        let mut versions: BTreeMap<String, String> = BTreeMap::new();
        for entry in &package {
            versions.insert(entry.name.clone(), entry.version.clone());
        }
        // The file says a version only of a name that is there in several.
        let locked = |dependency: &String| {
            let mut words = dependency.split(' ');
            let name = words.next().unwrap_or_default();
            let version = words.next().or_else(|| versions.get(name).map(String::as_str));
            Locked {
                name: name.to_owned(),
                version: version.unwrap_or_default().to_owned(),
            }
        };
        let entries = package.iter().map(|entry| {
            let id = Locked {
                name: entry.name.clone(),
                version: entry.version.clone(),
            };
            let entry = Entry {
                source: entry.source.clone(),
                checksum: entry.checksum.clone(),
                dependencies: entry.dependencies.iter().map(locked).collect(),
            };
            (id, entry)
        });
        Ok(Self {
            entries: entries.collect(),
        })
    }

    /// Those of the dependencies that an earlier lock pinned differently.
    pub(super) fn moved_since(&self, earlier: &Self, dependencies: &BTreeSet<Locked>) -> Vec<Moved> {
        let is_same = |id: &Locked| match (earlier.entries.get(id), self.entries.get(id)) {
            (Some(before), Some(now)) => {
                // An edge that leads out of these dependencies is one of another platform or feature.
                let mut edges = now.dependencies.intersection(dependencies);
                before.source == now.source
                    && before.checksum == now.checksum
                    && edges.all(|edge| before.dependencies.contains(edge))
            }
            _ => false,
        };
        let moved = dependencies.iter().filter(|id| !is_same(id));
        moved
            .map(|id| Moved {
                name: id.name.clone(),
                version: id.version.clone(),
                before: self.version_before(earlier, id),
            })
            .collect()
    }

    fn version_before(&self, earlier: &Self, id: &Locked) -> Option<String> {
        if earlier.entries.contains_key(id) {
            return Some(id.version.clone());
        }
        let went_away = |other: &&Locked| other.name == id.name && !self.entries.contains_key(*other);
        earlier
            .entries
            .keys()
            .rfind(went_away)
            .map(|other| other.version.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(entries: &[(&str, &str, &str, &[&str])]) -> Lock {
        let mut text = "version = 4\n".to_owned();
        for (name, version, checksum, dependencies) in entries {
            text += &format!(
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"registry\"\n\
                 checksum = \"{checksum}\"\ndependencies = {dependencies:?}\n"
            );
        }
        Lock::parse(&text).unwrap()
    }

    fn moved(now: &Lock, before: &Lock, dependencies: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        let dependencies = dependencies.iter().map(|(name, version)| Locked {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
        });
        let moved = now.moved_since(before, &dependencies.collect());
        moved
            .into_iter()
            .map(|moved| (format!("{} {}", moved.name, moved.version), moved.before))
            .collect()
    }

    #[test]
    fn only_what_the_program_is_compiled_with_counts() {
        let before = lock(&[("bus", "1.0.0", "a", &[]), ("mock", "1.0.0", "b", &[])]);
        let now = lock(&[("bus", "1.0.0", "a", &[]), ("mock", "2.0.0", "c", &[])]);
        assert_eq!(moved(&now, &before, &[("bus", "1.0.0")]), []);
    }

    #[test]
    fn another_version_says_which_one_it_was() {
        let before = lock(&[("bus", "1.0.0", "a", &[]), ("bus", "2.0.0", "b", &[])]);
        let now = lock(&[
            ("bus", "1.0.0", "a", &[]),
            ("bus", "2.1.0", "c", &[]),
            ("new", "0.1.0", "d", &[]),
        ]);
        assert_eq!(
            moved(
                &now,
                &before,
                &[("bus", "1.0.0"), ("bus", "2.1.0"), ("new", "0.1.0")]
            ),
            [
                ("bus 2.1.0".to_owned(), Some("2.0.0".to_owned())),
                ("new 0.1.0".to_owned(), None)
            ]
        );
    }

    #[test]
    fn the_same_version_from_elsewhere_counts() {
        let before = lock(&[("bus", "1.0.0", "a", &[])]);
        let now = lock(&[("bus", "1.0.0", "b", &[])]);
        let expected = [("bus 1.0.0".to_owned(), Some("1.0.0".to_owned()))];
        assert_eq!(moved(&now, &before, &[("bus", "1.0.0")]), expected);
    }

    #[test]
    fn the_same_version_with_another_dependency_counts_where_it_is_compiled_in() {
        let before = lock(&[
            ("bus", "1.0.0", "a", &["rand 1.0.0"]),
            ("rand", "1.0.0", "b", &[]),
            ("rand", "2.0.0", "c", &[]),
        ]);
        let now = lock(&[("bus", "1.0.0", "a", &["rand"]), ("rand", "2.0.0", "c", &[])]);
        let both = [("bus", "1.0.0"), ("rand", "2.0.0")];
        assert_eq!(
            moved(&now, &before, &both),
            [("bus 1.0.0".to_owned(), Some("1.0.0".to_owned()))]
        );
        assert_eq!(moved(&now, &before, &both[..1]), []);
    }

    #[test]
    fn a_name_without_a_version_is_the_only_one() {
        let several: &[(&str, &str, &str, &[&str])] = &[
            ("bus", "1.0.0", "a", &["rand 2.0.0"]),
            ("rand", "1.0.0", "b", &[]),
            ("rand", "2.0.0", "c", &[]),
        ];
        let now = lock(&[("bus", "1.0.0", "a", &["rand"]), ("rand", "2.0.0", "c", &[])]);
        let both = [("bus", "1.0.0"), ("rand", "2.0.0")];
        assert_eq!(moved(&now, &lock(several), &both), []);
    }
}
