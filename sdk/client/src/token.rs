//! The token of a session.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A session's token. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Arc<str>);

#[derive(Serialize, Deserialize)]
struct CookieBody {
    jwt: String,
}

impl Token {
    /// A token that came from elsewhere.
    #[must_use]
    pub fn new(jwt: &str) -> Self {
        Self(jwt.into())
    }

    /// The token inside the value of the `session` cookie, if it is one.
    ///
    /// ```
    /// let token = bigtix_client::Token::new("abc");
    /// assert_eq!(bigtix_client::Token::from_cookie(&token.cookie()), Some(token));
    /// assert_eq!(bigtix_client::Token::from_cookie("nonsense"), None);
    /// ```
    #[must_use]
    pub fn from_cookie(value: &str) -> Option<Self> {
        let value = value.trim_matches('"').replace("%3D", "=").replace("%3d", "=");
        let body: CookieBody = serde_json::from_slice(&STANDARD.decode(value).ok()?).ok()?;
        Some(Self(body.jwt.into()))
    }

    /// The value of the `session` cookie that carries this token.
    #[must_use]
    pub fn cookie(&self) -> String {
        let body = CookieBody {
            jwt: self.0.as_ref().into(),
        };
        STANDARD.encode(serde_json::to_vec(&body).expect("a string is JSON"))
    }

    /// The token itself, a secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl AsRef<Self> for Token {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// A `Set-Cookie` header, for a server that hands a session on to a browser. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SetCookie(Arc<str>);

impl SetCookie {
    pub(crate) fn new(value: &str) -> Self {
        Self(value.into())
    }

    /// The header's value, a secret.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetCookie(***)")
    }
}
