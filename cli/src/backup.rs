//! `bigtix backup`: a running shop into an archive, and whether an archive is whole.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bigtix_backup::{
    Address, Archive, ArchiveError, BackupError, Checked, Manifest, Name, Place, PlaceError, Shop, Step,
    backup,
};
use bigtix_service::Secret;
use bigtix_service::mongo::MongoError;
use jiff::Timestamp;
use semver::Version;
use serde_json::json;

use crate::args::BackupArgs;
use crate::elsewhere::{self, ElsewhereError};
use crate::folder;
use crate::output::Output;
use crate::run_file::RunFile;
use crate::services::HELD;
use crate::terminal::Terminal;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupCommandError {
    #[error("BigTix does not run on {}: start it with `bigtix up --data {}`", .0.display(), .0.display())]
    NotRunning(PathBuf),
    #[error("run.json: {0}")]
    RunFile(#[from] io::Error),
    #[error("run.json: {service} has the version {version:?}, which is none")]
    Version { service: Name, version: String },
    #[error("mongod: {0}. There is no backup; the shop is as it was")]
    Connect(#[from] MongoError),
    #[error("{0}. There is no backup; the shop is as it was")]
    Elsewhere(#[from] ElsewhereError),
    #[error("{0}. There is no backup; the shop is as it was")]
    Place(#[from] PlaceError),
    #[error("{0}. There is no backup; the shop is as it was")]
    Backup(#[from] BackupError),
    #[error("{0}. Do not rely on it: take another backup, or another archive")]
    Archive(#[from] ArchiveError),
}

/// Does what the arguments say.
pub(crate) async fn run(args: &BackupArgs, terminal: Terminal) -> Result<(), BackupCommandError> {
    let BackupArgs {
        data,
        to,
        verify,
        elsewhere,
        output,
    } = args;
    if let Some(address) = verify {
        let checked = check(address, *output, terminal).await?;
        say(checked.place(), checked.manifest(), "is whole", *output, terminal);
        return Ok(());
    }
    let (shop, versions) = match elsewhere.services.as_slice() {
        [] => running(&data.data).await?,
        services => elsewhere::shop(services).await?,
    };
    let address = to.clone().unwrap_or_else(|| default_folder(Timestamp::now()));
    let place = Place::at(&address)?;
    if *output == Output::Text {
        terminal.say(format!("Backing up to {place}"));
    }
    backup(&shop, &versions, &place, &|step| {
        progress(step, *output, terminal);
    })
    .await?;
    // Disks lie, and nobody looks at a backup before it is needed.
    let archive = Archive::open(place).await?;
    let checked = archive.check(&|_| {}).await?;
    say(
        checked.place(),
        checked.manifest(),
        "was written and read back",
        *output,
        terminal,
    );
    Ok(())
}

/// Reads an archive from end to end.
pub(crate) async fn check(
    address: &Address,
    output: Output,
    terminal: Terminal,
) -> Result<Checked, ArchiveError> {
    let archive = Archive::open(Place::at(address)?).await?;
    if output == Output::Text {
        terminal.say(format!("Checking {}", archive.place()));
    }
    archive.check(&|step| progress(step, output, terminal)).await
}

/// The shop that runs on the folder, and the versions of its services that have databases.
async fn running(dir: &Path) -> Result<(Shop, BTreeMap<Name, Version>), BackupCommandError> {
    let run = match (folder::owner(dir)?, RunFile::read(dir)?) {
        (Some(_), Some(run)) => run,
        (Some(_) | None, _) => return Err(BackupCommandError::NotRunning(dir.to_owned())),
    };
    let mut versions = BTreeMap::new();
    for service in databases().into_keys() {
        let Some(it) = run.services.get(service.as_str()) else {
            continue;
        };
        match it.version.parse() {
            Ok(version) => drop(versions.insert(service, version)),
            Err(_) => {
                return Err(BackupCommandError::Version {
                    service,
                    version: it.version.clone(),
                });
            }
        }
    }
    let shop = Shop::connect(&Secret::new(run.mongodb.uri), databases()).await?;
    Ok((shop, versions))
}

/// The database of each service that has one: on one machine it has the service's name.
pub(crate) fn databases() -> BTreeMap<Name, String> {
    let with_stores = HELD.iter().filter(|held| held.has_stores);
    with_stores
        .map(|held| {
            let name = held.service.as_str().to_owned();
            let service = Name::try_from(name.clone()).expect("services have plain names");
            (service, name)
        })
        .collect()
}

fn default_folder(now: Timestamp) -> Address {
    Address::Folder(format!("bigtix-backup-{}", now.strftime("%Y%m%dT%H%M%SZ")).into())
}

/// A collection that is done, where somebody reads along.
pub(crate) fn progress(step: Step<'_>, output: Output, terminal: Terminal) {
    let Step {
        service,
        collection,
        data,
    } = step;
    if output == Output::Text {
        let what = format!("{service}/{collection}");
        terminal.say(format!("  {what:<32} {:>9} documents", data.documents));
    }
}

/// What an archive holds, and what became of it.
pub(crate) fn say(place: &Place, manifest: &Manifest, what: &str, output: Output, terminal: Terminal) {
    let text = match output {
        Output::Text => format!(
            "{place} {what}: the shop as it was at {}, {} documents, {} bytes",
            manifest.taken_at,
            manifest.documents(),
            manifest.bytes()
        ),
        Output::Json => json!({
            "archive": place.to_string(),
            "takenAt": manifest.taken_at,
            "documents": manifest.documents(),
            "bytes": manifest.bytes(),
            "services": manifest.services,
        })
        .to_string(),
    };
    terminal.say(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_named_after_its_time_unless_somebody_names_it() {
        let at: Timestamp = "2026-03-04T05:06:07.89Z".parse().unwrap();
        assert_eq!(default_folder(at).to_string(), "bigtix-backup-20260304T050607Z");
    }

    #[test]
    fn every_service_but_the_pages_has_a_database() {
        let all: Vec<String> = databases().into_values().collect();
        assert_eq!(all, ["auth", "expiration", "orders", "payments", "tickets"]);
    }
}
