//! The file of the release that the tree builds: what `services/release.json` says of it, and the version of each service;
//! the files that name the release, such as the chart and the examples; and the changelogs, in which what is unreleased
//! becomes the section of a version.
//!
//! A release that has a later one beside it is history and is never written again. What was published is a tag; the
//! plan and the check compare the tree with the last of them.

mod changelog;
mod changes;
mod closure;
mod lock;
mod named;
mod plan;
mod report;
mod settings;
mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use semver::{Version, VersionReq};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use changelog::{Changelog, Due};
use plan::{Chapter, Plan};

const SERVICES: &str = "services";
const RELEASES: &str = "releases";
/// Beside the services' folders: what no service can say of the release.
const DEVELOPMENT: &str = "services/release.json";

/// For whom a plan is printed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// The release under development, as a person describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Development {
    version: Version,
    /// From which releases a shop may come, up or down, in one step.
    reachable_from: VersionReq,
    /// Of images that are published. No service can carry its own: it would change what the digest is of.
    #[serde(default)]
    digests: BTreeMap<String, String>,
}

/// A `version.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ServiceVersion {
    version: Version,
    /// What this version is the first to do to its data, and no version before it can read.
    #[serde(default)]
    contracting_migrations: Vec<String>,
}

/// A file of `releases`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    version: Version,
    reachable_from: VersionReq,
    services: BTreeMap<String, Version>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    digests: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    contracting_migrations: BTreeMap<String, Vec<String>>,
}

/// A file and what it has to hold.
#[derive(Debug)]
struct Generated {
    path: PathBuf,
    text: String,
}

/// Writes the release under development and the sections of its changelogs: what the plan says, and nothing the second time.
pub(crate) fn write(root: &Path) -> Result<ExitCode> {
    let plan = Plan::of(sources::comparison(root)?);
    write_files(root)?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    for chapter in &plan.changelogs {
        match chapter.due {
            Due::Section => write_section(root, chapter, today)?,
            Due::Nothing | Due::Entries => {}
        }
    }
    print!("{}", report::written(&plan));
    Ok(ExitCode::SUCCESS)
}

/// Prints what changed since the last published release, and what the one under development would publish.
pub(crate) fn plan(root: &Path, output: Output) -> Result<ExitCode> {
    let plan = Plan::of(sources::comparison(root)?);
    match output {
        Output::Text => print!("{}", report::plan(&plan)),
        Output::Json => println!("{}", serde_json::to_string_pretty(&plan)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what of the release under development could not be published; a failure if anything is.
pub(crate) fn check(root: &Path) -> Result<ExitCode> {
    let plan = Plan::of(sources::comparison(root)?);
    print!("{}", report::check(&plan));
    Ok(if plan.refusals.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn write_files(root: &Path) -> Result<()> {
    for Generated { path, text } in generate(root)? {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn write_section(root: &Path, chapter: &Chapter, today: Date) -> Result<()> {
    let path = root.join(&chapter.path);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut changelog = Changelog::parse(&text);
    changelog.release(&chapter.version, today);
    fs::write(&path, changelog.to_string()).with_context(|| format!("cannot write {}", path.display()))
}

/// The release's own file, and those that name it.
fn generate(root: &Path) -> Result<Vec<Generated>> {
    let development: Development = read(&root.join(DEVELOPMENT))?;
    let folder = root.join(RELEASES);
    refuse_history(&development.version, &versions_in(&folder)?)?;
    let path = folder.join(format!("{}.json", development.version));
    let release = compose(development, services_in(&root.join(SERVICES))?)?;
    let text = serde_json::to_string_pretty(&release)? + "\n";
    let mut files = vec![Generated { path, text }];
    files.extend(named::generate(root, &release.version)?);
    Ok(files)
}

/// Once there is a later release, shops may run this one, and it stays what it was.
fn refuse_history(version: &Version, present: &[Version]) -> Result<()> {
    match present.iter().find(|other| *other > version) {
        Some(later) => bail!(
            "release {version} is not changed any more, because there is release {later}: {DEVELOPMENT} has to name {later} or a later one"
        ),
        None => Ok(()),
    }
}

fn compose(development: Development, services: BTreeMap<String, ServiceVersion>) -> Result<Release> {
    let Development {
        version,
        reachable_from,
        digests,
    } = development;
    for (service, digest) in &digests {
        ensure!(
            services.contains_key(service),
            "{DEVELOPMENT} has a digest for {service}, which is no service"
        );
        ensure!(
            is_digest(digest),
            "the digest for {service} has to be sha256: and 64 lower-case hexadecimal digits"
        );
    }
    let mut release = Release {
        version,
        reachable_from,
        services: BTreeMap::new(),
        digests,
        contracting_migrations: BTreeMap::new(),
    };
    for (name, described) in services {
        let ServiceVersion {
            version,
            contracting_migrations,
        } = described;
        if !contracting_migrations.is_empty() {
            release
                .contracting_migrations
                .insert(name.clone(), contracting_migrations);
        }
        release.services.insert(name, version);
    }
    Ok(release)
}

fn is_digest(text: &str) -> bool {
    let is_hex = |digit: char| matches!(digit, '0'..='9' | 'a'..='f');
    text.strip_prefix("sha256:")
        .is_some_and(|digits| digits.len() == 64 && digits.chars().all(is_hex))
}

/// Every folder is a service, and each says its version.
fn services_in(folder: &Path) -> Result<BTreeMap<String, ServiceVersion>> {
    let mut services = BTreeMap::new();
    for name in names_in(folder)? {
        let path = folder.join(&name);
        if path.is_dir() {
            services.insert(name, read(&path.join("version.json"))?);
        }
    }
    Ok(services)
}

fn versions_in(folder: &Path) -> Result<Vec<Version>> {
    let version = |name: String| {
        let text = name.strip_suffix(".json").unwrap_or(&name);
        text.parse()
            .with_context(|| format!("{RELEASES}/{name} is no release"))
    };
    names_in(folder)?.into_iter().map(version).collect()
}

fn names_in(folder: &Path) -> Result<Vec<String>> {
    let cannot_read = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot_read)? {
        let name = entry.with_context(cannot_read)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    Ok(names)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests;
