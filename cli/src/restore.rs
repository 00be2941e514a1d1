//! `bigtix restore`: an archive into the folder, or the databases, of a shop that does not run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use bigtix_backup::{
    Address, ArchiveError, Checked, Existing, Name, RestoreError, Shop, Unreadable, Versioned, begin_restore,
};
use bigtix_crds::Catalog;
use bigtix_service::Secret;
use bigtix_service::mongo::MongoError;
use bigtix_testkit::stores::{Mongod, StoreError, StoresConfig};
use semver::Version;

use crate::args::RestoreArgs;
use crate::backup::{self, databases};
use crate::elsewhere::{self, ElsewhereError};
use crate::folder::{DataFolder, FolderError};
use crate::output::Output;
use crate::services::HELD;
use crate::terminal::Terminal;

/// What was made of the data that goes, or belongs to its users: the bus and Redis are filled again by the services.
/// Sessions that began after the backup may be of users that are not in it, so everybody signs in again.
const MADE_OF_THE_DATA: [&str; 2] = ["nats", "redis"];
const SESSION_KEYS: &str = "session-keys.json";

/// Why a shop is not restored, and what is there instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreCommandError {
    #[error("{0}. Nothing was changed: restore another archive")]
    Archive(#[from] ArchiveError),
    #[error(
        "the archive cannot be restored here: {0}. Nothing was changed: take the release that made it, or a newer one"
    )]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("{0}. No data was changed")]
    Store(#[from] StoreError),
    #[error("mongod: {0}. No data was changed")]
    Connect(#[from] MongoError),
    #[error(
        "{error} in {}. Nothing was changed: name another folder with --data, or say --replace to give up what is \
         there", dir.display()
    )]
    Refused { dir: PathBuf, error: RestoreError },
    #[error(
        "{why}. {} is half restored now, and `bigtix up` refuses it: mend the cause, then run `bigtix restore \
         --from {from} --data {}` again", dir.display(), dir.display()
    )]
    Half {
        dir: PathBuf,
        from: Address,
        why: String,
    },
    #[error("{0}. Nothing was changed")]
    Elsewhere(#[from] ElsewhereError),
    #[error(
        "{0} runs on its database: stop every service, and try again a few seconds later. Nothing was changed"
    )]
    InUse(Name),
    #[error("{0}. Nothing was changed: restore into the databases of another shop")]
    Partitioned(RestoreError),
    #[error("{0}. Nothing was changed: say --replace to give up what is there")]
    RefusedElsewhere(RestoreError),
    #[error(
        "{0}. The databases are half restored now, and no service uses them: mend the cause, then run the same \
         command again"
    )]
    HalfElsewhere(RestoreError),
}

/// Does what the arguments say.
pub(crate) async fn run(args: &RestoreArgs, terminal: Terminal) -> Result<(), RestoreCommandError> {
    let RestoreArgs {
        from,
        data,
        elsewhere,
        replace,
        output,
    } = args;
    let archive = backup::check(from, *output, terminal).await?;
    let restoring = Restoring {
        archive: &archive,
        from,
        existing: match replace {
            true => Existing::Replace,
            false => Existing::Refuse,
        },
        output: *output,
        terminal,
    };
    match elsewhere.services.as_slice() {
        [] => restoring.restore_folder(&data.data).await,
        services => restoring.restore_databases(services).await,
    }
}

/// The versions of the services that this program holds.
fn known_versions() -> BTreeMap<Name, Version> {
    let catalog = Catalog::embedded();
    let newest = catalog.newest();
    let versions = databases().into_keys().filter_map(|name| {
        let held = HELD.iter().find(|held| held.service.as_str() == name.as_str())?;
        Some((name, newest?.service(held.service)?.clone()))
    });
    versions.collect()
}

/// An archive that was checked, on its way.
struct Restoring<'a> {
    archive: &'a Checked,
    from: &'a Address,
    existing: Existing,
    output: Output,
    terminal: Terminal,
}

impl Restoring<'_> {
    /// Into the databases of a shop of this machine.
    async fn restore_folder(&self, data: &Path) -> Result<(), RestoreCommandError> {
        self.archive.manifest().readable_by(&known_versions())?;
        let folder = DataFolder::take(data)?;
        let dir = folder.dir();
        let services = HELD.iter().filter(|held| held.has_stores);
        let mut config = StoresConfig::new(dir, services.map(|held| held.service.as_str()));
        config.on_ready = std::sync::Arc::new(|_, _| {});
        let mongod = Mongod::start(&config).await?;
        let restored = self.fill(dir, &mongod).await;
        mongod.stop().await;
        restored?;
        self.say(&dir.display().to_string(), "Everybody has to sign in again.");
        Ok(())
    }

    async fn fill(&self, dir: &Path, mongod: &Mongod) -> Result<(), RestoreCommandError> {
        let shop = Shop::connect(&Secret::new(mongod.admin_uri()), databases()).await?;
        let half = |why: &dyn std::fmt::Display| RestoreCommandError::Half {
            dir: dir.to_owned(),
            from: self.from.clone(),
            why: why.to_string(),
        };
        self.remark(format!("Restoring into {}", dir.display()));
        let restore = match begin_restore(self.archive, &shop, self.existing).await {
            Ok(restore) => restore,
            Err(error @ RestoreError::Partitioned(_)) => return Err(RestoreCommandError::Partitioned(error)),
            Err(error) if changed_nothing(&error) => {
                return Err(RestoreCommandError::Refused {
                    dir: dir.to_owned(),
                    error,
                });
            }
            Err(error) => return Err(half(&error)),
        };
        forget(dir).map_err(|error| half(&error))?;
        restore
            .finish(&|step| backup::progress(step, self.output, self.terminal))
            .await
            .map_err(|error| half(&error))
    }

    /// Into databases of which only the address is known.
    async fn restore_databases(&self, services: &[Versioned]) -> Result<(), RestoreCommandError> {
        let (shop, versions) = elsewhere::shop(services).await?;
        self.archive.manifest().readable_by(&versions)?;
        if let Some(service) = shop.in_use().await? {
            return Err(RestoreCommandError::InUse(service));
        }
        self.remark("Restoring into the databases".to_owned());
        let restore = match begin_restore(self.archive, &shop, self.existing).await {
            Ok(restore) => restore,
            Err(error @ RestoreError::Partitioned(_)) => return Err(RestoreCommandError::Partitioned(error)),
            Err(error) if changed_nothing(&error) => {
                return Err(RestoreCommandError::RefusedElsewhere(error));
            }
            Err(error) => return Err(RestoreCommandError::HalfElsewhere(error)),
        };
        restore
            .finish(&|step| backup::progress(step, self.output, self.terminal))
            .await
            .map_err(RestoreCommandError::HalfElsewhere)?;
        self.say(
            "the databases",
            "Replace the keys of sessions before a service starts: a session may be of somebody who is not in it.",
        );
        Ok(())
    }

    fn remark(&self, line: String) {
        if self.output == Output::Text {
            self.terminal.say(line);
        }
    }

    fn say(&self, whereto: &str, sessions: &str) {
        let manifest = self.archive.manifest();
        let what = format!("is restored into {whereto}");
        backup::say(self.archive.place(), manifest, &what, self.output, self.terminal);
        self.remark(format!(
            "{sessions} Whatever was paid or refunded at Stripe after {} is not known to this shop: docs/backups.md \
             says how to find it",
            manifest.taken_at
        ));
    }
}

/// Whether a restore ended before its first change.
fn changed_nothing(error: &RestoreError) -> bool {
    match error {
        RestoreError::Filled { .. } | RestoreError::NoDatabase(_) | RestoreError::Partitioned(_) => true,
        RestoreError::Archive(_) | RestoreError::Differs { .. } | RestoreError::Store(_) => false,
    }
}

/// Removes what was made of the data that is being replaced.
fn forget(dir: &Path) -> io::Result<()> {
    let gone = |removed: io::Result<()>| match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    for folder in MADE_OF_THE_DATA {
        gone(fs::remove_dir_all(dir.join(folder)))?;
    }
    gone(fs::remove_file(dir.join(SESSION_KEYS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_every_service_with_a_database_is_known() {
        assert!(known_versions().keys().eq(databases().keys()));
    }

    #[test]
    fn what_is_not_there_is_forgotten_already() {
        let dir = tempfile::tempdir().unwrap();
        forget(dir.path()).unwrap();
        fs::create_dir_all(dir.path().join("nats/jetstream")).unwrap();
        fs::write(dir.path().join(SESSION_KEYS), "[]").unwrap();
        fs::write(dir.path().join("secrets.json"), "{}").unwrap();
        forget(dir.path()).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
