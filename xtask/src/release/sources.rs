//! Where a plan's facts come from: git, `cargo metadata` and the files of the tree.

mod git;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use semver::Version;
use serde::Deserialize;

use crate::stages;

use super::changelog::{CHANGELOG, Changelog, Told};
use super::changes::{Differences, Texts, is_read};
use super::closure::{Graph, Metadata};
use super::plan::{Baseline, Comparison, Present};
use super::{DEVELOPMENT, Development, Generated, SERVICES, generate, read, services_in};
use git::{Git, LastRelease};

/// What images run on, whatever this machine is. Most machines that build have fetched what it takes.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// A `version.json` of any time: the field that each had.
#[derive(Deserialize)]
struct Versioned {
    version: Version,
}

/// Compares the tree, with what is not committed yet, with the last published release.
pub(super) fn comparison(root: &Path) -> Result<Comparison> {
    let Development {
        version,
        reachable_from,
        digests: _,
    } = read(&root.join(DEVELOPMENT))?;
    let mut services = BTreeMap::new();
    for (name, service) in services_in(&root.join(SERVICES))? {
        let present = Present {
            told: told(&root.join(SERVICES).join(&name).join(CHANGELOG), &service.version)?,
            version: service.version,
            changes: Vec::new(),
            commits: Vec::new(),
        };
        services.insert(name, present);
    }
    let mut comparison = Comparison {
        baseline: Baseline::Nothing,
        told: told(&root.join(CHANGELOG), &version)?,
        release: version,
        reachable_from,
        stale: stale(root)?,
        services,
    };
    let git = Git::new(root);
    match git.last_release()? {
        LastRelease::Never => {}
        LastRelease::Hidden(reason) => comparison.baseline = Baseline::Unknown { reason },
        LastRelease::Tagged(published, tag) => {
            comparison.baseline = Baseline::Release {
                version: published,
                services: published_services(&git, &tag)?,
            };
            let graph = graph(root)?;
            let differences = Differences::new(differing(root, &git, &tag)?, graph.folders())?;
            let commits = git.commits_since(&tag)?;
            for (name, service) in &mut comparison.services {
                let closure = graph.closure(&format!("{SERVICES}/{name}"))?;
                service.changes = differences.of(&closure);
                let touching = commits
                    .iter()
                    .filter(|(_, files)| differences.are_of(&closure, files));
                service.commits = touching.map(|(commit, _)| commit.clone()).collect();
            }
        }
    }
    Ok(comparison)
}

/// What a changelog has of a version; nothing, where there is no changelog.
fn told(path: &Path, version: &Version) -> Result<Told> {
    if !path.exists() {
        return Ok(Told::default());
    }
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Changelog::parse(&text).told(version))
}

/// The release's files that are not as they have to be, by their paths from the root.
fn stale(root: &Path) -> Result<Vec<String>> {
    let mut stale = Vec::new();
    for Generated { path, text } in generate(root)? {
        let is_current = path.is_file()
            && fs::read(&path).with_context(|| format!("cannot read {}", path.display()))? == text.as_bytes();
        if !is_current {
            let inside = path.strip_prefix(root).unwrap_or(&path);
            stale.push(inside.display().to_string());
        }
    }
    Ok(stale)
}

fn published_services(git: &Git, tag: &str) -> Result<BTreeMap<String, Version>> {
    let mut services = BTreeMap::new();
    for path in git.files_of(tag, SERVICES)? {
        let inside = path
            .strip_prefix(SERVICES)
            .and_then(|rest| rest.strip_prefix('/'));
        let Some(name) = inside.and_then(|rest| rest.strip_suffix("/version.json")) else {
            continue;
        };
        if !name.contains('/') {
            let text = git.text(tag, &path)?;
            let Versioned { version } =
                serde_json::from_str(&text).with_context(|| format!("{path} of {tag}"))?;
            services.insert(name.to_owned(), version);
        }
    }
    Ok(services)
}

fn differing(root: &Path, git: &Git, tag: &str) -> Result<BTreeMap<String, Texts>> {
    let mut files = BTreeMap::new();
    for path in git.differing(tag)? {
        let mut texts = Texts::default();
        if is_read(&path) {
            if !git.files_of(tag, &path)?.is_empty() {
                texts.before = Some(git.text(tag, &path)?);
            }
            let full = root.join(&path);
            if full.is_file() {
                let text = fs::read_to_string(&full);
                texts.now = Some(text.with_context(|| format!("cannot read {path}"))?);
            }
        }
        files.insert(path, texts);
    }
    Ok(files)
}

/// What depends on what. Without a network where that is enough, as it is after anything was built.
fn graph(root: &Path) -> Result<Graph> {
    let run = |more: &[&str]| -> Result<Output> {
        let mut cargo: Command = stages::cargo(root);
        cargo.args(["metadata", "--format-version", "1", "--locked"]);
        cargo.args(["--filter-platform", PLATFORM]).args(more);
        cargo.output().context("cannot start cargo")
    };
    let mut output = run(&["--offline"])?;
    if !output.status.success() {
        output = run(&[])?;
    }
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr).trim_end()
    );
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("what cargo metadata says cannot be read")?;
    Ok(Graph::new(metadata))
}

#[cfg(test)]
mod tests;
