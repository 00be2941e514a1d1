//! `Stripe-Signature`: who sent a webhook, and when.

use bigtix_service::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How old a signature may be, and how far in the future, in seconds.
const TOLERANCE: i64 = 300;

/// Whether one of `secrets` signed `body` within the last five minutes. `now` is seconds since 1970.
///
/// While a secret is rotated there are two of them, and Stripe sends one `v1` for each.
pub(crate) fn is_genuine(header: &str, body: &[u8], secrets: &[Secret], now: i64) -> bool {
    let pairs = || header.split(',').filter_map(|pair| pair.trim().split_once('='));
    let Some(time) = pairs().find(|(name, _)| *name == "t").map(|(_, time)| time) else {
        return false;
    };
    let is_fresh = time
        .parse::<i64>()
        .is_ok_and(|time| now.abs_diff(time) <= TOLERANCE.unsigned_abs());
    let signatures = || {
        pairs()
            .filter(|(name, _)| *name == "v1")
            .filter_map(|(_, hex)| hex::decode(hex).ok())
    };
    is_fresh
        && secrets
            .iter()
            .any(|secret| signatures().any(|signature| matches(secret, time, body, &signature)))
}

/// Compares in constant time.
fn matches(secret: &Secret, time: &str, body: &[u8], signature: &[u8]) -> bool {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"a":1}"#;
    const NOW: i64 = 1_700_000_000;
    /// `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test`
    const V1: &str = "38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789";

    fn secrets(texts: &[&str]) -> Vec<Secret> {
        texts.iter().map(|text| Secret::new(*text)).collect()
    }

    #[test]
    fn a_signature_by_any_of_the_secrets_counts() {
        let header = format!("t={NOW},v1={},v1={V1},v0=ff", "00".repeat(32));
        assert!(is_genuine(
            &header,
            BODY,
            &secrets(&["whsec_new", "whsec_test"]),
            NOW + 299
        ));
        assert!(!is_genuine(&header, BODY, &secrets(&["whsec_new"]), NOW));
        assert!(!is_genuine(
            &header,
            br#"{"a":2}"#,
            &secrets(&["whsec_test"]),
            NOW
        ));
    }

    #[test]
    fn an_old_signature_does_not() {
        let header = format!("t={NOW},v1={V1}");
        assert!(is_genuine(&header, BODY, &secrets(&["whsec_test"]), NOW + 300));
        assert!(!is_genuine(&header, BODY, &secrets(&["whsec_test"]), NOW + 301));
        assert!(!is_genuine(&header, BODY, &secrets(&["whsec_test"]), NOW - 301));
    }

    #[test]
    fn what_is_no_signature_is_none() {
        for header in [
            "",
            "t=",
            "t=1700000000",
            "v1=00",
            "t=x,v1=00",
            "t=1700000000,v1=zz",
            "t=1700000000,v1=",
        ] {
            assert!(
                !is_genuine(header, BODY, &secrets(&["whsec_test"]), NOW),
                "{header}"
            );
        }
    }
}
