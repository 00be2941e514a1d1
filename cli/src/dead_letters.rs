//! `bigtix dead-letters`: events that a service gave up on.

use std::io;
use std::path::{Path, PathBuf};

use bigtix_service::Secret;
use bigtix_service::dead_letters::{self, DeadLetter};
use bigtix_service::mongo::{Mongo, MongoConfig, MongoError};
use serde::Serialize;

use crate::folder;
use crate::output::Output;
use crate::run_file::RunFile;
use crate::services::HELD;

/// Why they cannot be shown or replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeadLettersError {
    #[error("BigTix does not run on {}: start it with `bigtix up --data {}`", .0.display(), .0.display())]
    NotRunning(PathBuf),
    #[error("run.json: {0}")]
    RunFile(#[from] io::Error),
    #[error("mongod: {0}")]
    Connect(#[from] MongoError),
    #[error("mongod: {0}")]
    Read(Box<dyn std::error::Error + Send + Sync>),
    #[error("there is no dead letter {0}")]
    Unknown(String),
}

/// The stores of all services that run on the folder, each with its service's name.
async fn stores(dir: &Path) -> Result<Vec<(&'static str, Mongo)>, DeadLettersError> {
    let run = match (folder::owner(dir)?, RunFile::read(dir)?) {
        (Some(_), Some(run)) => run,
        _ => return Err(DeadLettersError::NotRunning(dir.to_owned())),
    };
    let mut stores = Vec::new();
    for held in HELD {
        let name = held.service.as_str();
        let config = MongoConfig {
            uri: Secret::new(run.mongodb.uri.clone()),
            database: name.to_owned(),
        };
        stores.push((name, Mongo::connect(&config).await?));
    }
    Ok(stores)
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> DeadLettersError {
    DeadLettersError::Read(error.into())
}

/// A letter for a program.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    id: String,
    subject: String,
    error: String,
    at: String,
    attempts: i64,
    waits_to_be_replayed: bool,
}

/// Shows them.
pub(crate) async fn list(dir: &Path, output: Output) -> Result<(), DeadLettersError> {
    let mut letters = Vec::new();
    for (service, mongo) in stores(dir).await? {
        let found = dead_letters::list(&mongo).await.map_err(unreadable)?;
        letters.extend(found.iter().map(|letter| told(service, letter)));
    }
    output.tell(&letters, |_| match letters.as_slice() {
        [] => "There are no dead letters".to_owned(),
        letters => letters.iter().map(described).collect::<Vec<_>>().join("\n"),
    });
    Ok(())
}

fn told(service: &str, letter: &DeadLetter) -> Told {
    let DeadLetter {
        id,
        subject,
        error,
        at,
        attempts,
        replay,
        ..
    } = letter;
    Told {
        id: format!("{service}/{id}"),
        subject: subject.clone(),
        error: error.clone(),
        at: at.to_string(),
        attempts: *attempts,
        waits_to_be_replayed: *replay,
    }
}

fn described(letter: &Told) -> String {
    let Told {
        id,
        subject,
        error,
        at,
        attempts,
        waits_to_be_replayed,
    } = letter;
    let state = if *waits_to_be_replayed {
        ", waits to be replayed"
    } else {
        ""
    };
    format!("{id}\n  {subject}, failed {attempts} times, the last time at {at}{state}\n  {error}")
}

/// Asks for the named ones, or all, to be handled once more.
pub(crate) async fn replay(dir: &Path, ids: &[String], output: Output) -> Result<(), DeadLettersError> {
    let stores = stores(dir).await?;
    let mut count = 0;
    if ids.is_empty() {
        for (_, mongo) in &stores {
            count += dead_letters::replay_all(mongo).await.map_err(unreadable)?;
        }
    }
    for id in ids {
        let named = id.split_once('/').and_then(|(service, id)| {
            let (_, mongo) = stores.iter().find(|(name, _)| *name == service)?;
            Some((mongo, id))
        });
        let found = match named {
            Some((mongo, id)) => dead_letters::replay(mongo, id).await.map_err(unreadable)?,
            None => false,
        };
        if !found {
            return Err(DeadLettersError::Unknown(id.clone()));
        }
        count += 1;
    }
    let replayed = serde_json::json!({"replayed": count});
    output.tell(&replayed, |_| {
        format!("{count} dead letters are handled once more")
    });
    Ok(())
}
