//! Buyers by the ten thousand. Their sessions are made with the shop's own key, as the auth service makes them: to sign so
//! many up would take half an hour, because passwords are dear to check on purpose.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use bigtix_client::Token;
use bigtix_contracts::UserId;
use bigtix_service::Settings;
use bigtix_service::http::Caller;
use bigtix_service::http::session::Sessions;
use bigtix_service::mongo::new_id;
use jiff::Timestamp;
use serde::Deserialize;

/// Longer than a run.
const LASTING_SECONDS: i64 = 12 * 60 * 60;

#[derive(Deserialize)]
struct SessionKey {
    id: String,
    base64: String,
}

/// So many distinct buyers of the shop in `folder`, each signed in.
///
/// # Errors
/// When the folder has no keys.
pub fn buyers(folder: &Path, count: usize) -> Result<Vec<Token>> {
    let sessions = sessions(folder).context("the keys of the shop's sessions")?;
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

fn sessions(folder: &Path) -> Result<Sessions> {
    let keys: Vec<SessionKey> = serde_json::from_slice(&fs::read(folder.join("session-keys.json"))?)?;
    let spelled: Vec<String> = keys
        .iter()
        .map(|key| format!("{}:{}", key.id, key.base64))
        .collect();
    let mut settings = Settings::from_map(BTreeMap::from([("SESSION_KEYS".to_owned(), spelled.join(","))]));
    let sessions = Sessions::read(&mut settings);
    settings.finish()?;
    Ok(sessions)
}
