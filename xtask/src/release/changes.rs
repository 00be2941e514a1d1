//! Which of the files that differ from the published ones can make another program, and how that is said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::Result;
use serde::Serialize;

use super::closure::Closure;
use super::lock::{Lock, Moved};
use super::settings;

const LOCK: &str = "Cargo.lock";
/// So many are named; the others are counted.
const FEW: usize = 3;

/// A reason why a program is another one than was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Change {
    /// Files of the service's own folder, by their paths in it.
    Folder { path: String, files: Vec<String> },
    /// Files of a crate of the workspace, by their paths in its folder.
    Crate {
        name: String,
        path: String,
        files: Vec<String>,
    },
    /// How programs are compiled.
    Setting { what: String },
    /// Another version; where `before` is the same, it is from elsewhere or has other dependencies.
    Dependency {
        name: String,
        version: String,
        before: Option<String>,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { path, files } => write!(formatter, "{path} ({})", few(files)),
            Self::Crate { name, path: _, files } => write!(formatter, "crate {name} ({})", few(files)),
            Self::Setting { what } => formatter.write_str(what),
            Self::Dependency {
                name,
                version,
                before,
            } => match before {
                None => write!(formatter, "{name} {version}, which is new"),
                Some(before) if before == version => {
                    write!(
                        formatter,
                        "{name} {version} from elsewhere or with other dependencies"
                    )
                }
                Some(before) => write!(formatter, "{name} {version} instead of {before}"),
            },
        }
    }
}

/// The first few, and how many more there are.
pub(super) fn few<T: ToString>(all: &[T]) -> String {
    let mut words: Vec<String> = all.iter().take(FEW).map(T::to_string).collect();
    let more = all.len() - words.len();
    if more > 0 {
        return format!("{} and {more} more", words.join(", "));
    }
    match (words.pop(), words.is_empty()) {
        (Some(only), true) => only,
        (Some(last), false) => format!("{} and {last}", words.join(", ")),
        (None, _) => String::new(),
    }
}

/// What a file was and is, where it is one that is read; `None` where there is none.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) before: Option<String>,
    pub(super) now: Option<String>,
}

/// Whether it takes the texts of a file to say what its change means.
pub(super) fn is_read(path: &str) -> bool {
    let is_setting = matches!(path, settings::TOOLCHAIN | settings::DOCKERFILE | settings::CARGO);
    is_setting || path == LOCK || path.rsplit('/').next() == Some("Cargo.toml")
}

/// The files that differ, by path from the workspace's root, and to which crates they belong.
#[derive(Debug)]
pub(super) struct Differences {
    files: BTreeMap<String, Texts>,
    /// Of all crates of the workspace; one can lie in another's.
    folders: BTreeSet<String>,
    /// Before and now, where they differ.
    locks: Option<(Lock, Lock)>,
}

impl Differences {
    /// # Errors
    ///
    /// If a lock file is none.
    pub(super) fn new(files: BTreeMap<String, Texts>, folders: BTreeSet<String>) -> Result<Self> {
        let parsed = |text: &Option<String>| text.as_deref().map_or(Ok(Lock::default()), Lock::parse);
        let locks = match files.get(LOCK) {
            Some(Texts { before, now }) => Some((parsed(before)?, parsed(now)?)),
            None => None,
        };
        Ok(Self {
            files,
            folders,
            locks,
        })
    }

    /// What makes the program with this closure another one: its folder first, then what it shares with others.
    pub(super) fn of(&self, closure: &Closure) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut crates = Vec::new();
        for (folder, name) in &closure.crates {
            let files = self.files_in(folder);
            if files.is_empty() {
                continue;
            }
            let path = folder.clone();
            if *folder == closure.folder {
                changes.push(Change::Folder { path, files });
            } else {
                let name = name.clone();
                crates.push(Change::Crate { name, path, files });
            }
        }
        changes.append(&mut crates);
        for (path, Texts { before, now }) in &self.files {
            let differing = settings::differing(path, before.as_deref(), now.as_deref(), closure);
            changes.extend(differing.into_iter().map(|what| Change::Setting { what }));
        }
        if let Some((before, now)) = &self.locks {
            let moved = now.moved_since(before, &closure.dependencies);
            changes.extend(moved.into_iter().map(|moved| {
                let Moved {
                    name,
                    version,
                    before,
                } = moved;
                Change::Dependency {
                    name,
                    version,
                    before,
                }
            }));
        }
        changes
    }

    /// Whether one of these files, by path from the workspace's root, counts of a crate that is compiled in.
    pub(super) fn are_of(&self, closure: &Closure, files: &[String]) -> bool {
        files.iter().any(|path| {
            self.owner(path).is_some_and(|folder| {
                let file = path[folder.len()..].trim_start_matches('/');
                closure.crates.contains_key(folder) && can_change_a_program(file)
            })
        })
    }

    /// The files that count of the crate in a folder, by their paths in it.
    fn files_in(&self, folder: &str) -> Vec<String> {
        let inside = format!("{folder}/");
        let mut found = Vec::new();
        for (path, Texts { before, now }) in self.files.range(inside.clone()..) {
            let Some(file) = path.strip_prefix(&inside) else {
                break;
            };
            let is_unchanged_manifest =
                file == "Cargo.toml" && settings::is_same_manifest(before.as_deref(), now.as_deref());
            if self.owner(path) == Some(folder) && can_change_a_program(file) && !is_unchanged_manifest {
                found.push(file.to_owned());
            }
        }
        found
    }

    /// The innermost crate that the file lies in.
    fn owner(&self, path: &str) -> Option<&str> {
        let holds = |folder: &&String| {
            path.strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let folders = self.folders.iter().filter(holds);
        folders.max_by_key(|folder| folder.len()).map(String::as_str)
    }
}

/// Whether a file of a crate, by its path in the crate's folder, can end up in the program. Tests are told as `tidy`
/// tells them. What nobody thought of counts.
fn can_change_a_program(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').collect();
    match parts.as_slice() {
        // `fixtures` is what `tests` read, and `browser` tests pages in one.
        ["tests" | "benches" | "examples" | "fixtures" | "browser", _, ..] => false,
        ["version.json"] => false,
        ["src", below @ ..] if below.iter().any(|part| matches!(*part, "tests" | "tests.rs")) => false,
        [.., name] => !name.ends_with(".md") && *name != ".gitignore",
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::lock::Locked;
    use super::*;

    fn orders() -> Closure {
        let own = ("services/orders".to_owned(), "bigtix-orders".to_owned());
        let words = ("sdk/contracts".to_owned(), "bigtix-contracts".to_owned());
        Closure {
            folder: own.0.clone(),
            crates: [own, words].into(),
            dependencies: [Locked {
                name: "tokio".to_owned(),
                version: "1.1.0".to_owned(),
            }]
            .into(),
        }
    }

    fn said(files: &[(&str, Option<&str>, Option<&str>)]) -> Vec<String> {
        let files = files.iter().map(|(path, before, now)| {
            let texts = Texts {
                before: before.map(ToOwned::to_owned),
                now: now.map(ToOwned::to_owned),
            };
            ((*path).to_owned(), texts)
        });
        let folders = ["services/orders", "services/orders/model", "sdk/contracts", "cli"];
        let folders = folders.into_iter().map(ToOwned::to_owned).collect();
        let differences = Differences::new(files.collect(), folders).unwrap();
        differences
            .of(&orders())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn said_of(path: &str) -> Vec<String> {
        said(&[(path, None, None)])
    }

    #[test]
    fn a_file_of_the_folder_or_of_a_crate_that_is_compiled_in_counts() {
        assert_eq!(
            said(&[
                ("cli/src/main.rs", None, None),
                ("sdk/contracts/src/events.rs", None, None),
                ("services/orders/build.rs", None, None),
                ("services/orders/src/app.rs", None, None),
                ("services/orders/src/b.rs", None, None),
                ("services/orders/src/c.rs", None, None),
                ("services/orders/src/d.rs", None, None),
            ]),
            [
                "services/orders (build.rs, src/app.rs, src/b.rs and 2 more)",
                "crate bigtix-contracts (src/events.rs)"
            ]
        );
        assert_eq!(
            said_of("services/orders/assets/style.css"),
            ["services/orders (assets/style.css)"]
        );
    }

    #[test]
    fn what_cannot_change_the_program_does_not_count() {
        for path in [
            "services/orders/tests/it/main.rs",
            "services/orders/README.md",
            "services/orders/assets/PATTERNS.md",
            "services/orders/version.json",
            "services/orders/browser/tests/a.js",
            "services/orders/src/domain/tests.rs",
            "services/orders/src/domain/tests/wide.rs",
            "sdk/contracts/fixtures/events/a.json",
            "services/orders/model/src/lib.rs",
            "services/tickets/src/lib.rs",
            "services/orders-two/src/lib.rs",
            "docs/releases.md",
            "Makefile",
        ] {
            assert_eq!(said_of(path), [""; 0], "{path}");
        }
        for path in [
            "services/orders/src/version.json",
            "services/orders/src/testing.rs",
            "services/orders/templates/tests/a.html",
        ] {
            assert_eq!(said_of(path).len(), 1, "{path}");
        }
    }

    #[test]
    fn a_manifest_counts_by_what_it_says() {
        let manifest = "[package]\nname = \"bigtix-orders\"\n";
        let tested = format!("{manifest}[dev-dependencies]\nproptest = \"1\"\n");
        let path = "services/orders/Cargo.toml";
        assert_eq!(said(&[(path, Some(manifest), Some(&tested))]), [""; 0]);
        let used = format!("{manifest}[dependencies]\nproptest = \"1\"\n");
        assert_eq!(
            said(&[(path, Some(manifest), Some(&used))]),
            ["services/orders (Cargo.toml)"]
        );
    }

    #[test]
    fn settings_and_dependencies_count() {
        let lock = |version: &str| format!("[[package]]\nname = \"tokio\"\nversion = \"{version}\"\n");
        let toolchain = |version: &str| format!("[toolchain]\nchannel = \"{version}\"\n");
        assert_eq!(
            said(&[
                ("Cargo.lock", Some(&lock("1.0.0")), Some(&lock("1.1.0"))),
                (
                    "rust-toolchain.toml",
                    Some(&toolchain("1.95.0")),
                    Some(&toolchain("1.96.0"))
                ),
            ]),
            [
                "toolchain 1.96.0 instead of 1.95.0",
                "tokio 1.1.0 instead of 1.0.0"
            ]
        );
        assert_eq!(
            said(&[("Cargo.lock", None, Some(&lock("1.1.0")))]),
            ["tokio 1.1.0, which is new"]
        );
    }

    #[test]
    fn a_few_are_named_and_the_others_counted() {
        let named = |count: usize| few(&["a", "b", "c", "d", "e"][..count]);
        assert_eq!(
            [0, 1, 2, 3, 5].map(named),
            ["", "a", "a and b", "a, b and c", "a, b, c and 2 more"]
        );
    }
}
