//! The keys of one data folder: of sessions, which are rotated, and of calls between services.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bigtix_testkit::stores::{Secrets, write_private};
use serde::{Deserialize, Serialize};

/// A key that signs sessions, or did so before the one in front of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SessionKey {
    id: String,
    base64: String,
    /// When it was made, in seconds since 1970.
    made: u64,
}

/// What the services sign and verify with, as their settings spell it.
pub(super) struct Keys {
    /// `SESSION_KEYS`.
    pub(super) sessions: String,
    /// `SERVICE_KEYS`.
    pub(super) services: String,
    /// What the Stripe double is asked with.
    pub(super) stripe: String,
    /// What the Stripe double signs its webhooks with.
    pub(super) webhook: String,
}

impl Keys {
    /// Reads the folder's keys, makes those that are missing, and rotates those that are due.
    pub(super) fn open(dir: &Path, rotate_after: Option<Duration>) -> io::Result<Self> {
        let path = dir.join("session-keys.json");
        let old: Vec<SessionKey> = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let mut secrets = Secrets::open(dir)?;
        let current = rotated(old.clone(), now, rotate_after, || fresh(now));
        if current != old {
            write_private(&path, &serde_json::to_vec_pretty(&current)?)?;
        }
        let keys = Self {
            sessions: current
                .iter()
                .map(|key| format!("{}:{}", key.id, key.base64))
                .collect::<Vec<_>>()
                .join(","),
            services: format!("s1:{}", STANDARD.encode(secrets.get("services"))),
            stripe: format!("sk_test_{}", secrets.get("stripe/key")),
            webhook: format!("whsec_{}", secrets.get("stripe/webhook")),
        };
        secrets.save()?;
        Ok(keys)
    }
}

fn fresh(now: u64) -> SessionKey {
    // The time makes ids different; the key itself is random.
    SessionKey {
        id: format!("k{now}"),
        base64: STANDARD.encode(random()),
        made: now,
    }
}

fn random() -> [u8; 32] {
    rand::random()
}

/// The first key signs. One that is older than it may be gets a new one put before it, and goes on verifying until
/// the next rotation.
fn rotated(
    mut keys: Vec<SessionKey>,
    now: u64,
    rotate_after: Option<Duration>,
    fresh: impl FnOnce() -> SessionKey,
) -> Vec<SessionKey> {
    let is_due = match (keys.first(), rotate_after) {
        (None, _) => true,
        (Some(first), Some(age)) => now.saturating_sub(first.made) >= age.as_secs(),
        (Some(_), None) => false,
    };
    if is_due {
        keys.insert(0, fresh());
        keys.truncate(2);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(made: u64) -> SessionKey {
        SessionKey {
            id: format!("k{made}"),
            base64: String::new(),
            made,
        }
    }

    fn ids(keys: &[SessionKey]) -> Vec<u64> {
        keys.iter().map(|key| key.made).collect()
    }

    #[test]
    fn a_key_that_is_old_enough_gets_a_successor_and_stays_for_one_rotation() {
        let week = Some(Duration::from_secs(7));
        let first = rotated(vec![], 0, week, || key(0));
        assert_eq!(ids(&first), [0]);
        let same = rotated(first, 6, week, || key(6));
        assert_eq!(ids(&same), [0]);
        let second = rotated(same, 7, week, || key(7));
        assert_eq!(ids(&second), [7, 0]);
        let third = rotated(second, 14, week, || key(14));
        assert_eq!(ids(&third), [14, 7]);
        assert_eq!(ids(&rotated(third, 999, None, || key(999))), [14, 7]);
    }

    #[test]
    fn the_next_start_finds_the_same_keys() {
        let dir = tempfile::tempdir().unwrap();
        let first = Keys::open(dir.path(), None).unwrap();
        let again = Keys::open(dir.path(), None).unwrap();
        assert_eq!(first.sessions, again.sessions);
        assert_eq!(first.services, again.services);
        assert_eq!(first.webhook, again.webhook);
        let (id, base64) = first.sessions.split_once(':').unwrap();
        assert!(!id.is_empty() && STANDARD.decode(base64).unwrap().len() == 32);
    }
}
