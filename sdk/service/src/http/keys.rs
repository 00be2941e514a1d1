//! Signing keys: the first signs, all verify, so that a key can be rotated while old tokens live on.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{Secret, Settings};

/// The least length of a key, as HS256 asks for.
const KEY_BYTES: usize = 32;

/// HS256 keys by id.
#[derive(Clone)]
pub struct KeyRing {
    signing: Arc<(String, EncodingKey)>,
    verifying: Arc<BTreeMap<String, DecodingKey>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("ids", &self.verifying.keys())
            .finish()
    }
}

/// The text is not `id:base64,id:base64` with keys of at least 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be id:base64[,id:base64] with keys of at least 32 bytes")]
pub struct MalformedKeys;

impl KeyRing {
    /// Reads the setting `name`.
    pub fn read(settings: &mut Settings, name: &'static str, doc: &'static str) -> Self {
        let text = settings.secret(name, doc);
        Self::parse(&text).unwrap_or_else(|why| {
            if !text.expose().is_empty() {
                settings.refuse(name, why);
            }
            Self::of("none", &[0; KEY_BYTES])
        })
    }

    fn of(id: &str, key: &[u8]) -> Self {
        Self {
            signing: Arc::new((id.to_owned(), EncodingKey::from_secret(key))),
            verifying: Arc::new(BTreeMap::from([(id.to_owned(), DecodingKey::from_secret(key))])),
        }
    }

    /// Reads `id:base64,id:base64`; the first signs.
    ///
    /// # Errors
    /// [`MalformedKeys`].
    pub fn parse(text: &Secret) -> Result<Self, MalformedKeys> {
        let mut ring: Option<Self> = None;
        for entry in text.expose().split(',') {
            let (id, encoded) = entry.trim().split_once(':').ok_or(MalformedKeys)?;
            let key = STANDARD.decode(encoded).map_err(|_| MalformedKeys)?;
            if id.is_empty() || key.len() < KEY_BYTES {
                return Err(MalformedKeys);
            }
            match &mut ring {
                None => ring = Some(Self::of(id, &key)),
                Some(ring) => {
                    Arc::make_mut(&mut ring.verifying).insert(id.to_owned(), DecodingKey::from_secret(&key));
                }
            }
        }
        ring.ok_or(MalformedKeys)
    }

    /// A token with these claims, signed with the first key.
    ///
    /// # Errors
    /// Those of the JSON writer.
    pub fn sign<T: Serialize>(&self, claims: &T) -> Result<String, jsonwebtoken::errors::Error> {
        let (id, key) = self.signing.as_ref();
        let header = Header {
            kid: Some(id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, claims, key)
    }

    /// The claims of a token that one of the keys signed and that `validation` accepts.
    pub fn verify<T: DeserializeOwned>(&self, token: &str, validation: &Validation) -> Option<T> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        let named = header.kid.as_ref().map(|id| self.verifying.get(id));
        let keys: Vec<&DecodingKey> = match named {
            Some(key) => key.into_iter().collect(),
            // Tokens of the systems that this one replaces name no key.
            None => self.verifying.values().collect(),
        };
        keys.into_iter()
            .find_map(|key| jsonwebtoken::decode::<T>(token, key, validation).ok())
            .map(|data| data.claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(text: &str) -> Result<KeyRing, MalformedKeys> {
        KeyRing::parse(&Secret::new(text))
    }

    #[test]
    fn during_rotation_both_keys_verify_and_the_first_signs() {
        let (old, new) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
        let before = ring(&format!("a:{old}")).unwrap();
        let during = ring(&format!("b:{new},a:{old}")).unwrap();
        let after = ring(&format!("b:{new}")).unwrap();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        let claims = serde_json::json!({"id": 1});
        let (first, second) = (before.sign(&claims).unwrap(), during.sign(&claims).unwrap());
        assert_eq!(
            during.verify::<serde_json::Value>(&first, &validation),
            Some(claims.clone())
        );
        assert_eq!(
            after.verify::<serde_json::Value>(&second, &validation),
            Some(claims)
        );
        assert_eq!(after.verify::<serde_json::Value>(&first, &validation), None);
    }

    #[test]
    fn short_or_malformed_keys_are_refused() {
        for text in [
            "",
            "a",
            "a:!!",
            ":AAAA",
            &format!("a:{}", STANDARD.encode([1; 31])),
        ] {
            assert!(ring(text).is_err(), "{text}");
        }
    }
}
