//! What a program is compiled from: crates of the workspace and crates of others, as `cargo metadata` resolves them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::lock::Locked;

/// The part of what `cargo metadata --format-version 1` prints that is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
    workspace_root: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    /// None of what is on disk, such as the workspace's own crates.
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
struct EdgeKind {
    /// `dev`, `build`, or none of a normal dependency.
    kind: Option<String>,
}

impl Edge {
    /// What only tests need is no part of a program.
    fn is_compiled_in(&self) -> bool {
        self.dep_kinds
            .iter()
            .any(|EdgeKind { kind }| kind.as_deref() != Some("dev"))
    }
}

/// Everything that one package is compiled from, without what only tests need.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Closure {
    /// The package's folder, from the workspace's root.
    pub(super) folder: String,
    /// Names of the workspace's crates by folder, the package itself among them.
    pub(super) crates: BTreeMap<String, String>,
    /// What comes from elsewhere.
    pub(super) dependencies: BTreeSet<Locked>,
}

impl Closure {
    /// Whether a crate of that name, ours or not, is compiled in.
    pub(super) fn has(&self, name: &str) -> bool {
        self.crates.values().any(|own| own == name)
            || self.dependencies.iter().any(|dependency| dependency.name == name)
    }
}

/// The workspace's packages and what each is compiled from.
#[derive(Debug)]
pub(super) struct Graph {
    packages: BTreeMap<String, Package>,
    edges: BTreeMap<String, Vec<Edge>>,
    root: PathBuf,
}

impl Graph {
    pub(super) fn new(metadata: Metadata) -> Self {
        let Metadata {
            packages,
            resolve,
            workspace_root,
        } = metadata;
        Self {
            packages: packages
                .into_iter()
                .map(|package| (package.id.clone(), package))
                .collect(),
            edges: resolve
                .nodes
                .into_iter()
                .map(|Node { id, deps }| (id, deps))
                .collect(),
            root: workspace_root,
        }
    }

    /// The folders of all crates of the workspace.
    pub(super) fn folders(&self) -> BTreeSet<String> {
        let ours = self.packages.values().filter(|package| package.source.is_none());
        ours.filter_map(|package| self.folder(package).ok()).collect()
    }

    /// What the package in a folder is compiled from.
    ///
    /// # Errors
    ///
    /// If no package is there, or if one that it needs lies outside of the workspace, where nothing can be compared.
    pub(super) fn closure(&self, folder: &str) -> Result<Closure> {
        let is_there = |package: &&Package| {
            package.source.is_none() && self.folder(package).is_ok_and(|found| found == folder)
        };
        let package = self.packages.values().find(is_there);
        let package = package.with_context(|| format!("{folder} is no package of the workspace"))?;
        let mut closure = Closure {
            folder: folder.to_owned(),
            ..Closure::default()
        };
        let mut seen = BTreeSet::new();
        let mut open = vec![package.id.as_str()];
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            let package = self.packages.get(id);
            let package = package.with_context(|| format!("cargo metadata does not describe {id}"))?;
            if package.source.is_none() {
                closure.crates.insert(self.folder(package)?, package.name.clone());
            } else {
                closure.dependencies.insert(Locked {
                    name: package.name.clone(),
                    version: package.version.clone(),
                });
            }
            let edges = self.edges.get(id).into_iter().flatten();
            open.extend(
                edges
                    .filter(|edge| edge.is_compiled_in())
                    .map(|edge| edge.pkg.as_str()),
            );
        }
        Ok(closure)
    }

    fn folder(&self, package: &Package) -> Result<String> {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
        let inside = folder.strip_prefix(&self.root).ok();
        ensure!(
            inside.is_some(),
            "{} lies outside of the workspace, so what changed in it cannot be said",
            package.name
        );
        Ok(inside.unwrap_or(folder).to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Graph {
        let package = |name: &str, source: Option<&str>, folder: &str| {
            serde_json::json!({
                "id": name, "name": name, "version": "1.0.0", "source": source,
                "manifest_path": format!("/tree/{folder}/Cargo.toml"),
            })
        };
        let edge = |to: &str, kinds: &[Option<&str>]| {
            let kinds: Vec<_> = kinds
                .iter()
                .map(|kind| serde_json::json!({"kind": kind}))
                .collect();
            serde_json::json!({"pkg": to, "dep_kinds": kinds})
        };
        let metadata = serde_json::json!({
            "workspace_root": "/tree",
            "packages": [
                package("orders", None, "services/orders"), package("words", None, "sdk/words"),
                package("testkit", None, "sdk/testkit"), package("away", None, "../away"),
                package("stray", None, "stray"), package("far", Some("registry"), "r/far"),
                package("macros", Some("registry"), "r/macros"), package("mock", Some("registry"), "r/mock"),
            ],
            "resolve": {"nodes": [
                {"id": "orders", "deps": [edge("words", &[None]), edge("testkit", &[Some("dev")])]},
                {"id": "words", "deps": [edge("far", &[Some("dev"), None])]},
                {"id": "far", "deps": [edge("macros", &[Some("build")])]},
                {"id": "testkit", "deps": [edge("mock", &[None])]},
                {"id": "stray", "deps": [edge("away", &[None])]},
            ]},
        });
        let mut metadata: Metadata = serde_json::from_value(metadata).unwrap();
        let away = metadata
            .packages
            .iter_mut()
            .find(|package| package.name == "away");
        away.unwrap().manifest_path = "/elsewhere/Cargo.toml".into();
        Graph::new(metadata)
    }

    #[test]
    fn a_program_is_compiled_from_what_it_depends_on_and_not_from_what_only_tests_need() {
        let closure = graph().closure("services/orders").unwrap();
        let crates: Vec<&str> = closure.crates.keys().map(String::as_str).collect();
        assert_eq!(crates, ["sdk/words", "services/orders"]);
        let dependencies: Vec<&str> = closure
            .dependencies
            .iter()
            .map(|dependency| dependency.name.as_str())
            .collect();
        assert_eq!(dependencies, ["far", "macros"]);
        assert!(closure.has("macros") && closure.has("words") && !closure.has("mock"));
    }

    #[test]
    fn what_cannot_be_compared_is_an_error() {
        let refused = graph().closure("services/web").unwrap_err().to_string();
        assert_eq!(refused, "services/web is no package of the workspace");
        let refused = graph().closure("stray").unwrap_err().to_string();
        assert!(
            refused.starts_with("away lies outside of the workspace"),
            "{refused}"
        );
    }
}
