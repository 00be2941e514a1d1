//! Which Secrets are due: made once, added to when a release asks for more, and never written over.

use std::time::Duration;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::Write;
use crate::build::Shop;
use crate::build::secrets::{OwnSecret, own};
use crate::names;
use crate::observe::facts::Observed;

/// Secrets that are missing or lack an entry.
#[must_use]
pub(crate) fn missing(observed: &Observed, shop: Shop<'_>) -> Vec<OwnSecret> {
    own(shop)
        .into_iter()
        .filter(|secret| {
            let there = observed.secrets.get(&secret.name);
            !there.is_some_and(|there| there.entries.is_superset(&secret.entries))
        })
        .collect()
}

/// The rotation of the session keys, when it is due.
#[must_use]
pub(crate) fn rotation(observed: &Observed, shop: Shop<'_>, now: Timestamp) -> Option<Write> {
    let rotate_after = shop.platform.session.rotate_after?;
    let name = names::session_keys(shop.platform);
    let rotated_at = observed.secrets.get(&name)?.rotated_at?;
    is_due(rotated_at, rotate_after, now).then_some(Write::RotateSessionKeys(name))
}

fn is_due(rotated_at: Timestamp, rotate_after: Duration, now: Timestamp) -> bool {
    let age = now.duration_since(rotated_at);
    SignedDuration::try_from(rotate_after).is_ok_and(|rotate_after| age >= rotate_after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_rotated_when_they_are_old_enough_and_not_when_the_clock_went_back() {
        let made = Timestamp::from_second(1_000_000).expect("a time");
        let day = Duration::from_secs(86_400);
        let after = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).expect("a time");
        assert!(!is_due(made, day, after(86_399)));
        assert!(is_due(made, day, after(86_400)));
        assert!(!is_due(made, day, after(-5)));
    }
}
