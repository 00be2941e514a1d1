//! Who is asking: a token in the session cookie or in the `Authorization` header, verified by each service by itself.
//! A token that was verified is known by its digest for a while; whether its session is over is asked every time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bigtix_contracts::UserId;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ApiError;
use super::keys::KeyRing;
use crate::config::Settings;

/// What a session token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The user.
    pub id: UserId,
    /// The user's address.
    pub email: String,
    /// When the session began, in seconds since 1970.
    pub iat: i64,
    /// When it ends; tokens of the systems replaced have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Whether the user is an administrator of the shop.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub admin: bool,
}

impl Caller {
    fn is_over(&self, now: Timestamp) -> bool {
        self.exp.is_some_and(|end| end < now.as_second())
    }
}

/// So many sessions are known at once; one takes about 200 bytes.
const KNOWN_SESSIONS: u64 = 50_000;
/// A session of which nothing was heard for so long is verified anew.
const FORGOTTEN: Duration = Duration::from_secs(10 * 60);

/// Verifies session tokens; cheap to clone.
#[derive(Clone)]
pub struct Sessions(Arc<Shared>);

struct Shared {
    keys: KeyRing,
    compat: bool,
    /// By the digest of a token that one of the keys signed, who it is. Tokens themselves are kept nowhere.
    known: Cache<[u8; 32], Caller>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared {
            keys,
            compat,
            known: _,
        } = &*self.0;
        f.debug_struct("Sessions")
            .field("keys", keys)
            .field("compat", compat)
            .finish_non_exhaustive()
    }
}

impl Sessions {
    /// Reads `SESSION_KEYS` and `SESSION_COMPAT`.
    pub fn read(settings: &mut Settings) -> Self {
        Self(Arc::new(Shared {
            keys: KeyRing::read(
                settings,
                "SESSION_KEYS",
                "keys of session tokens, id:base64 separated by commas; the first signs, all verify",
            ),
            compat: settings.flag(
                "SESSION_COMPAT",
                false,
                "whether tokens without an end are accepted",
            ),
            known: Cache::builder()
                .max_capacity(KNOWN_SESSIONS)
                .time_to_idle(FORGOTTEN)
                .build(),
        }))
    }

    /// A token for `caller`.
    ///
    /// # Errors
    /// Those of the JSON writer.
    pub fn sign(&self, caller: &Caller) -> Result<String, jsonwebtoken::errors::Error> {
        self.0.keys.sign(caller)
    }

    /// Who the request's token says is asking.
    pub fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let token = bearer(headers).or_else(|| cookie_token(headers))?;
        let digest: [u8; 32] = Sha256::digest(&token).into();
        if let Some(caller) = self.0.known.get(&digest) {
            return (!caller.is_over(Timestamp::now())).then_some(caller);
        }
        let caller = self.verify(&token)?;
        self.0.known.insert(digest, caller.clone());
        Some(caller)
    }

    fn verify(&self, token: &str) -> Option<Caller> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_aud = false;
        if self.0.compat {
            validation.required_spec_claims.clear();
        }
        self.0.keys.verify(token, &validation)
    }
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

#[derive(Serialize, Deserialize)]
struct CookieBody {
    jwt: String,
}

/// The value of the session cookie that carries `token`.
pub fn cookie_value(token: &str) -> String {
    let body = CookieBody {
        jwt: token.to_owned(),
    };
    STANDARD.encode(serde_json::to_vec(&body).expect("a string is JSON"))
}

fn cookie_token(headers: &HeaderMap) -> Option<String> {
    let values = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    let pairs = values
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut sessions = pairs.filter(|(name, _)| *name == "session" || *name == "express:sess");
    sessions.find_map(|(_, value)| decode_cookie(value))
}

fn decode_cookie(value: &str) -> Option<String> {
    let value = value.trim_matches('"').replace("%3D", "=").replace("%3d", "=");
    let bytes = STANDARD.decode(value).ok()?;
    serde_json::from_slice::<CookieBody>(&bytes)
        .ok()
        .map(|body| body.jwt)
}

/// Whether the request carries a session cookie, valid or not: a browser may have sent it without being asked.
pub fn has_session_cookie(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(';'))
        .any(|pair| matches!(pair.trim().split_once('='), Some(("session" | "express:sess", _))))
}

/// Who a layer has found to be asking, so that a token is verified once a request.
#[derive(Debug, Clone)]
struct Known(Option<Caller>);

/// Who is asking; what is found out is kept for whoever wants to know later.
pub(super) fn identify<'r>(sessions: &Sessions, request: &'r mut Request) -> Option<&'r Caller> {
    if request.extensions().get::<Known>().is_none() {
        let caller = sessions.caller(request.headers());
        request.extensions_mut().insert(Known(caller));
    }
    request
        .extensions()
        .get::<Known>()
        .and_then(|Known(caller)| caller.as_ref())
}

/// Extractor: somebody who may or may not be signed in. A bad token is anonymous.
pub struct Visitor(pub Option<Caller>);

impl Visitor {
    /// The caller, or 401.
    ///
    /// # Errors
    /// 401 "Not authorized".
    pub fn require(self) -> Result<Caller, ApiError> {
        self.0.ok_or_else(ApiError::not_authorized)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if let Some(Known(caller)) = parts.extensions.get::<Known>() {
            return Ok(Self(caller.clone()));
        }
        let sessions = parts
            .extensions
            .get::<Sessions>()
            .ok_or_else(|| ApiError::internal("routes lack the Sessions layer"))?;
        Ok(Self(sessions.caller(&parts.headers)))
    }
}

/// Extractor: somebody who is signed in; 401 for anybody else.
pub struct SignedIn(pub Caller);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Visitor::from_request_parts(parts, state)
            .await?
            .require()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sessions(key: u8) -> Sessions {
        let key = format!("k:{}", STANDARD.encode([key; 32]));
        let values = BTreeMap::from([("SESSION_KEYS".to_owned(), key)]);
        Sessions::read(&mut Settings::from_map(values))
    }

    fn asking(token: &str) -> HeaderMap {
        let value = format!("Bearer {token}").parse().unwrap();
        HeaderMap::from_iter([(header::AUTHORIZATION, value)])
    }

    fn caller(end: Timestamp) -> Caller {
        Caller {
            id: UserId::from_bytes([1; 12]),
            email: "ann@example.com".into(),
            iat: 0,
            exp: Some(end.as_second()),
            admin: false,
        }
    }

    #[test]
    fn a_known_token_is_the_same_caller_and_a_changed_one_nobody() {
        let (own, other) = (sessions(1), sessions(2));
        let ann = caller(Timestamp::now() + Duration::from_secs(60));
        let token = own.sign(&ann).unwrap();
        for _ in 0..2 {
            assert_eq!(own.caller(&asking(&token)), Some(ann.clone()));
            assert_eq!(own.caller(&asking(&format!("{token}x"))), None);
            assert_eq!(own.caller(&asking(&other.sign(&ann).unwrap())), None);
        }
        assert_eq!(other.caller(&asking(&token)), None);
    }

    #[tokio::test]
    async fn a_known_session_ends_when_its_token_says() {
        let sessions = sessions(1);
        let token = sessions
            .sign(&caller(Timestamp::now() + Duration::from_secs(1)))
            .unwrap();
        assert!(sessions.caller(&asking(&token)).is_some());
        bigtix_testkit::eventually("the session to be over", async || {
            sessions.caller(&asking(&token)).is_none().then_some(())
        })
        .await;
    }
}
