//! What the Secrets of a shop hold, and how it is made: by chance, once.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;

use crate::build::secrets::OwnSecret;
use crate::build::{Shop, meta, mongodb, redis, service, stripe_double};
use crate::names::{self, Component, DOMAIN};

/// The annotation that says when the newest session key was made.
#[must_use]
pub(crate) fn rotated_at_annotation() -> String {
    format!("{DOMAIN}/rotated-at")
}

/// The names of a Secret's entries.
#[must_use]
pub(crate) fn entries(secret: &Secret) -> BTreeSet<String> {
    secret
        .data
        .iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

/// One entry as text.
#[must_use]
pub(crate) fn text(secret: &Secret, entry: &str) -> Option<String> {
    let bytes = &secret.data.as_ref()?.get(entry)?.0;
    String::from_utf8(bytes.clone()).ok()
}

/// What is noted with a user of the database to know whether it has this password.
#[must_use]
pub(crate) fn password_digest(password: &str) -> String {
    meta::digest(&format!("bigtix user {password}"))
}

/// The Secret with what it lacks. `others` are those that were made before it: the bus's passwords stand in its own
/// Secret and in each service's.
#[must_use]
pub(crate) fn completed(
    shop: Shop<'_>,
    wanted: &OwnSecret,
    present: Option<Secret>,
    others: &BTreeMap<String, Secret>,
    now: Timestamp,
) -> Secret {
    let mut secret = present.unwrap_or_else(|| Secret {
        metadata: match wanted.component {
            Some(component) => meta::named(shop, component, wanted.name.clone()),
            None => meta::shared(shop, wanted.name.clone()),
        },
        type_: Some("Opaque".to_owned()),
        ..Secret::default()
    });
    let data = secret.data.get_or_insert_default();
    // The file with the password follows from the password.
    let (derived, made): (Vec<_>, Vec<_>) = wanted
        .entries
        .iter()
        .partition(|entry| entry.as_str() == redis::PASSWORD_FILE);
    for entry in made.into_iter().chain(derived) {
        if data.contains_key(entry) {
            continue;
        }
        let value = value(shop, wanted, entry, data, others);
        data.insert(entry.clone(), ByteString(value.into_bytes()));
    }
    if wanted.name == names::session_keys(shop.platform) {
        let annotations = secret.metadata.annotations.get_or_insert_default();
        annotations
            .entry(rotated_at_annotation())
            .or_insert_with(|| now.to_string());
    }
    secret
}

fn value(
    shop: Shop<'_>,
    wanted: &OwnSecret,
    entry: &str,
    present: &BTreeMap<String, ByteString>,
    others: &BTreeMap<String, Secret>,
) -> String {
    let of = |component, entry: &str| {
        let name = names::credentials(shop.platform, component);
        others.get(&name).and_then(|secret| text(secret, entry))
    };
    match (wanted.component, entry) {
        (None, service::KEYS) => format!("k1:{}", STANDARD.encode(random())),
        (Some(Component::Mongodb), mongodb::KEY_FILE) => STANDARD.encode([random(), random()].concat()),
        (Some(Component::Redis), redis::PASSWORD_FILE) => {
            let password = present
                .get(redis::PASSWORD)
                .map(|bytes| String::from_utf8_lossy(&bytes.0).into_owned());
            format!("requirepass {}\n", password.unwrap_or_default())
        }
        (Some(Component::StripeDouble), stripe_double::SECRET_KEY) => format!("sk_test_{}", password()),
        (Some(Component::StripeDouble), stripe_double::WEBHOOK_SECRET) => format!("whsec_{}", password()),
        (Some(Component::Service(service)), service::NATS_ENTRY) => {
            of(Component::Nats, service.as_str()).unwrap_or_else(password)
        }
        (Some(Component::Service(_)), service::REDIS_ENTRY) => {
            of(Component::Redis, redis::PASSWORD).unwrap_or_else(password)
        }
        _ => password(),
    }
}

/// The keys with a new one in front. Two are kept: the one that signs, and the one that signed what is still valid.
#[must_use]
pub(crate) fn rotated(keys: &str, now: Timestamp) -> String {
    let fresh = renewed(now);
    match keys.split(',').next() {
        Some(signed_last) if !signed_last.is_empty() => format!("{fresh},{signed_last}"),
        Some(_) | None => fresh,
    }
}

/// New keys alone: whatever the old ones signed is no longer believed.
#[must_use]
pub(crate) fn renewed(now: Timestamp) -> String {
    format!("k{}:{}", now.as_second(), STANDARD.encode(random()))
}

/// Letters and digits only, the first one a letter: it stands in URLs and in configuration files.
fn password() -> String {
    let hexadecimal: String = random().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("p{hexadecimal}")
}

fn random() -> [u8; 32] {
    rand::random()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::secrets::own;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;

    /// All Secrets of the smallest shop, made in order.
    fn made() -> BTreeMap<String, Secret> {
        let minimal = include_str!("../../examples/minimal.yaml");
        let resource = bigtix_crds::parse(minimal).expect("a resource");
        let platform = bigtix_crds::validate(&resource).expect("valid");
        let owner = OwnerReference::default();
        let shop = Shop {
            platform: &platform,
            namespace: "shops",
            owner: &owner,
            operator_namespace: "bigtix-system",
        };
        let mut secrets = BTreeMap::new();
        for wanted in own(shop) {
            let secret = completed(shop, &wanted, None, &secrets, Timestamp::UNIX_EPOCH);
            let again = completed(shop, &wanted, Some(secret.clone()), &secrets, Timestamp::now());
            assert_eq!(again, secret, "what is there stays");
            assert_eq!(entries(&secret), wanted.entries);
            secrets.insert(wanted.name, secret);
        }
        secrets
    }

    #[test]
    fn stores_and_services_know_the_same_passwords() {
        let secrets = made();
        let of = |name: &str, entry: &str| text(&secrets[name], entry).expect("an entry");
        for service in ["auth", "tickets", "orders", "payments", "expiration"] {
            let own = of(&format!("shop-{service}-credentials"), service::NATS_ENTRY);
            assert_eq!(own, of("shop-nats-credentials", service), "{service}");
        }
        let redis = of("shop-redis-credentials", redis::PASSWORD);
        assert_eq!(of("shop-expiration-credentials", service::REDIS_ENTRY), redis);
        assert_eq!(
            of("shop-redis-credentials", redis::PASSWORD_FILE),
            format!("requirepass {redis}\n")
        );
        assert!(redis.len() > 60 && redis.chars().all(|c| c.is_ascii_alphanumeric()));
    }

    #[test]
    fn the_key_that_signed_last_still_verifies_after_a_rotation() {
        let now = Timestamp::from_second(7).expect("a time");
        let rotated = rotated("k2:b,k1:a", now);
        let ids: Vec<_> = rotated
            .split(',')
            .filter_map(|key| key.split(':').next())
            .collect();
        assert_eq!(ids, ["k7", "k2"]);
    }
}
