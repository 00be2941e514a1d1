//! Buyers by the ten thousand. Their sessions are made with the shop's own key, as the auth service makes them: to sign so
//! many up would take half an hour, because passwords are dear to check on purpose.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bigtix_client::Token;
use bigtix_contracts::UserId;
use bigtix_service::http::Caller;
use bigtix_service::http::session::Sessions;
use bigtix_service::mongo::new_id;
use bigtix_service::{Secret, Settings};
use jiff::Timestamp;
use serde::Deserialize;

/// Longer than a run.
const LASTING_SECONDS: i64 = 12 * 60 * 60;

/// Where the shop's keys are.
#[derive(Debug, Clone, Copy)]
pub enum Keys<'a> {
    /// In the data folder of a shop on one machine.
    Folder(&'a Path),
    /// As services are given them: `id:base64`, separated by commas.
    Spelled(&'a Secret),
}

#[derive(Deserialize)]
struct SessionKey {
    id: String,
    base64: String,
}

/// So many distinct buyers, each signed in.
///
/// # Errors
/// When there are no such keys.
pub fn buyers(keys: Keys<'_>, count: usize) -> Result<Vec<Token>> {
    let sessions = sessions(keys).context("the keys of the shop's sessions")?;
    let now = Timestamp::now().as_second();
    let buyer = |number| {
        let caller = Caller {
            id: UserId::from_bytes(new_id()),
            email: format!("buyer-{number}@bench.test"),
            iat: now,
            exp: Some(now + LASTING_SECONDS),
            admin: false,
        };
        Ok(Token::new(&sessions.sign(&caller)?))
    };
    (0..count).map(buyer).collect()
}

fn sessions(keys: Keys<'_>) -> Result<Sessions> {
    let spelled = match keys {
        Keys::Folder(folder) => {
            let keys: Vec<SessionKey> = serde_json::from_slice(&fs::read(folder.join("session-keys.json"))?)?;
            let each = keys.iter().map(|key| format!("{}:{}", key.id, key.base64));
            each.collect::<Vec<_>>().join(",")
        }
        Keys::Spelled(keys) => keys.expose().to_owned(),
    };
    let mut settings = Settings::from_map(BTreeMap::from([("SESSION_KEYS".to_owned(), spelled)]));
    let sessions = Sessions::read(&mut settings);
    settings.finish()?;
    Ok(sessions)
}
