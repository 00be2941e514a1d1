//! What a Job's pod does: `bigtix-operator backup take|restore|delete ADDRESS`, over `sdk/backup`.
//!
//! Each may be killed and begun anew. Its last words are an [`Outcome`]; everything else is on standard error.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;
use bigtix_backup::{
    Address, Archive, Checked, Existing, Manifest, Name, Place, RestoreError, Shop, Step, Versioned, backup,
    begin_restore,
};
use bigtix_service::Secret;
use clap::{Args, Subcommand};
use semver::Version;

use super::outcome::{self, Failure, Outcome};

/// Writes, restores or deletes one archive.
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    task: Task,
    /// Where the last words go.
    #[arg(long, default_value = "/dev/termination-log", global = true)]
    outcome: PathBuf,
}

#[derive(Subcommand)]
enum Task {
    /// Writes what a running shop holds into an archive.
    Take {
        /// Where the archive goes, which is this archive's alone.
        #[arg(value_parser = address)]
        address: Address,
        #[command(flatten)]
        database: Database,
    },
    /// Replaces what a shop that does not run holds by an archive.
    Restore {
        /// Where the archive is.
        #[arg(value_parser = address)]
        address: Address,
        #[command(flatten)]
        database: Database,
    },
    /// Deletes an archive.
    Delete {
        /// Where the archive is.
        #[arg(value_parser = address)]
        address: Address,
    },
}

#[derive(Args)]
struct Database {
    /// Where the databases are, with a user who may read and, for a restore, replace them.
    #[arg(long, env = "MONGODB_URI", hide_env_values = true)]
    mongodb_uri: String,
    /// A service that has a database, with its version: NAME=VERSION.
    #[arg(long = "service", required = true)]
    services: Vec<Versioned>,
}

/// Does it, and leaves the last words.
///
/// # Errors
/// Why it was not done.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { task, outcome: to } = arguments;
    let (outcome, done) = match task {
        Task::Take { address, database } => ended(take(address, database).await.map_err(Undone::before)),
        Task::Restore { address, database } => ended(restore(address, database).await),
        Task::Delete { address } => match delete(address).await {
            Ok(()) => (Outcome::Deleted, Ok(())),
            Err(error) => ended(Err(Undone::before(error))),
        },
    };
    std::fs::write(to, outcome.message()).with_context(|| format!("{} cannot be written", to.display()))?;
    done
}

/// Why something was not done, and whether the database was changed all the same.
struct Undone {
    error: anyhow::Error,
    changed: bool,
}

impl Undone {
    fn before(error: anyhow::Error) -> Self {
        Self {
            error,
            changed: false,
        }
    }
}

fn ended(result: Result<Manifest, Undone>) -> (Outcome, anyhow::Result<()>) {
    match result {
        Ok(manifest) => {
            let archive = outcome::Archive {
                taken_at: manifest.taken_at,
                documents: manifest.documents(),
                bytes: manifest.bytes(),
            };
            (Outcome::Done(archive), Ok(()))
        }
        Err(Undone { error, changed }) => {
            let failure = Failure {
                error: format!("{error:#}"),
                changed,
            };
            (Outcome::Failed(failure), Err(error))
        }
    }
}

/// A pod before this one may have finished the archive without being heard, or have left a part of one.
async fn take(address: &Address, database: &Database) -> anyhow::Result<Manifest> {
    let place = Place::at(address)?;
    if let Ok(archive) = checked(place.clone()).await {
        tracing::info!(%place, "the archive is there already");
        return Ok(archive.manifest().clone());
    }
    place.remove().await?;
    let (shop, versions) = database.connect().await?;
    tracing::info!(%place, "backing up");
    backup(&shop, &versions, &place, &|step| progress(step)).await?;
    // Disks lie, and nobody looks at a backup before it is needed.
    let archive = checked(place).await?;
    Ok(archive.manifest().clone())
}

async fn restore(address: &Address, database: &Database) -> Result<Manifest, Undone> {
    let archive = readable(address, database).await.map_err(Undone::before)?;
    let (shop, _) = database.connect().await.map_err(Undone::before)?;
    let in_use = shop
        .in_use()
        .await
        .map_err(|error| Undone::before(error.into()))?;
    if let Some(service) = in_use {
        let error = anyhow::anyhow!("{service} runs on its database");
        return Err(Undone::before(error));
    }
    tracing::info!(place = %archive.place(), "restoring");
    let begun = begin_restore(&archive, &shop, Existing::Replace).await;
    let restore = begun.map_err(|error| Undone {
        changed: match &error {
            RestoreError::Filled { .. } | RestoreError::NoDatabase(_) | RestoreError::Partitioned(_) => false,
            RestoreError::Archive(_) | RestoreError::Differs { .. } | RestoreError::Store(_) => true,
        },
        error: error.into(),
    })?;
    let finished = restore.finish(&|step| progress(step)).await;
    finished.map_err(|error| Undone {
        error: error.into(),
        changed: true,
    })?;
    Ok(archive.manifest().clone())
}

async fn readable(address: &Address, database: &Database) -> anyhow::Result<Checked> {
    let archive = checked(Place::at(address)?).await?;
    archive.manifest().readable_by(&database.versions())?;
    Ok(archive)
}

async fn delete(address: &Address) -> anyhow::Result<()> {
    let place = Place::at(address)?;
    tracing::info!(%place, "deleting");
    Ok(place.remove().await?)
}

async fn checked(place: Place) -> anyhow::Result<Checked> {
    let archive = Archive::open(place).await?;
    Ok(archive.check(&|_| {}).await?)
}

fn progress(step: Step<'_>) {
    let Step {
        service,
        collection,
        data,
    } = step;
    tracing::info!(%service, %collection, documents = data.documents, "done");
}

impl Database {
    async fn connect(&self) -> anyhow::Result<(Shop, BTreeMap<Name, Version>)> {
        let versions = self.versions();
        // The operator gives each service a database of its name.
        let databases = versions.keys().map(|name| (name.clone(), name.to_string()));
        let uri = Secret::new(self.mongodb_uri.clone());
        let shop = Shop::connect(&uri, databases.collect())
            .await
            .context("MongoDB")?;
        Ok((shop, versions))
    }

    fn versions(&self) -> BTreeMap<Name, Version> {
        let services = self.services.iter().cloned();
        services
            .map(|Versioned { name, version }| (name, version))
            .collect()
    }
}

fn address(text: &str) -> Result<Address, String> {
    Address::try_from(OsString::from(text)).map_err(|error| error.to_string())
}
