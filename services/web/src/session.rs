//! Who is looking at a page, and the API on their behalf.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bigtix_client::{Client, Forwarded, Token};
use bigtix_contracts::UserId;
use bigtix_contracts::api::auth::CurrentUser;
use bigtix_service::http::observe::{REQUEST_ID, TraceParent};
use jiff::Timestamp;
use moka::future::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::App;
use crate::cart::Cart;
use crate::failure::Failure;
use crate::forms::LocalPath;

/// The cookies that carry a session: ours, and that of the systems that BigTix replaces.
pub(crate) const COOKIES: [&str; 2] = ["session", "express:sess"];
/// How long a page waits for auth.
const PATIENCE: Duration = Duration::from_secs(2);
const REMEMBERED: Duration = Duration::from_secs(5);
const MOST_REMEMBERED: u64 = 10_000;

/// Who a token belongs to, remembered for a few seconds under the token's digest.
#[derive(Debug, Clone)]
pub(crate) struct Users(Cache<[u8; 32], Option<CurrentUser>>);

impl Default for Users {
    fn default() -> Self {
        let cache = Cache::builder()
            .max_capacity(MOST_REMEMBERED)
            .time_to_live(REMEMBERED);
        Self(cache.build())
    }
}

/// Who a visitor is.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    /// Nobody in particular.
    Anonymous,
    /// Somebody who is signed in.
    User(CurrentUser),
    /// Somebody with a session, and nobody is there to say whose it is.
    Unknown,
}

/// Extractor: whoever asks for the page.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// The API on the visitor's behalf, within this request.
    pub(crate) api: Client,
    pub(crate) identity: Identity,
    pub(crate) cart: Cart,
    pub(crate) cookies: CookieJar,
    /// The page's path and query.
    pub(crate) here: LocalPath,
}

impl Visitor {
    /// The user, if there is one.
    pub(crate) fn user(&self) -> Option<&CurrentUser> {
        match &self.identity {
            Identity::User(user) => Some(user),
            Identity::Anonymous | Identity::Unknown => None,
        }
    }

    /// The user; everybody else is sent to sign in and comes back here.
    pub(crate) fn require(&self) -> Result<&CurrentUser, Failure> {
        match &self.identity {
            Identity::User(user) => Ok(user),
            Identity::Anonymous => Err(Failure::SignIn {
                back: self.here.clone(),
            }),
            Identity::Unknown => Err(Failure::Away),
        }
    }
}

impl FromRequestParts<Arc<App>> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        let cookies = CookieJar::from_headers(&parts.headers);
        let mut api = app.api.forwarding(forwarded(parts));
        if let Some(id) = text(&parts.headers, REQUEST_ID.as_str()) {
            api = api.within_request(id);
        }
        let TraceParent(trace) = TraceParent::from_request_parts(parts, app).await?;
        if let Some(traceparent) = trace {
            api = api.within_trace(&traceparent);
        }
        let token = COOKIES
            .iter()
            .find_map(|name| Token::from_cookie(cookies.get(name)?.value()));
        let identity = match token {
            None => Identity::Anonymous,
            Some(token) => {
                api = api.signed_in(token.clone());
                identify(app, &api, &token).await
            }
        };
        let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            api,
            identity,
            cart: Cart::read(&cookies),
            here: LocalPath::read(here),
            cookies,
        })
    }
}

async fn identify(app: &App, api: &Client, token: &Token) -> Identity {
    let key: [u8; 32] = Sha256::digest(token.expose()).into();
    let asked = app.users.0.try_get_with(key, async {
        // Pages do not wait for a service that hangs.
        match tokio::time::timeout(PATIENCE, api.current_user().send()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        }
    });
    match asked.await {
        Ok(Some(user)) => Identity::User(user),
        Ok(None) => Identity::Anonymous,
        Err(error) => {
            tracing::warn!(%error, "auth is away; a token is taken at its word");
            claimed(token, Timestamp::now())
        }
    }
}

/// Who a token says that it belongs to. Nothing is let through on that word: each service verifies the token by itself.
fn claimed(token: &Token, now: Timestamp) -> Identity {
    #[derive(Deserialize)]
    struct Claims {
        id: UserId,
        email: String,
        iat: i64,
        exp: Option<i64>,
    }
    let payload = token.expose().split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(payload).ok();
    match claims.and_then(|json| serde_json::from_slice::<Claims>(&json).ok()) {
        Some(Claims { exp: Some(end), .. }) if end <= now.as_second() => Identity::Anonymous,
        Some(Claims {
            id,
            email,
            iat,
            exp: _,
        }) => Identity::User(CurrentUser { id, email, iat }),
        None => Identity::Unknown,
    }
}

/// What came before the request, and who brought it here last.
fn forwarded(parts: &Parts) -> Forwarded {
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string());
    let before = text(&parts.headers, "x-forwarded-for").map(str::to_owned);
    Forwarded {
        addresses: before.into_iter().chain(peer).collect::<Vec<_>>().join(", "),
        protocol: text(&parts.headers, "x-forwarded-proto")
            .unwrap_or("http")
            .to_owned(),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn told(headers: &[(&str, &str)], peer: Option<&str>) -> Forwarded {
        let request = headers.iter().fold(Request::builder(), |request, (name, value)| {
            request.header(*name, *value)
        });
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        if let Some(peer) = peer {
            parts
                .extensions
                .insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
        }
        forwarded(&parts)
    }

    #[test]
    fn services_learn_who_asked_and_by_way_of_whom() {
        let headers = [
            ("x-forwarded-for", "203.0.113.7, 10.0.0.2"),
            ("x-forwarded-proto", "https"),
        ];
        let told = told(&headers, Some("10.0.0.3:4000"));
        assert_eq!(told.addresses, "203.0.113.7, 10.0.0.2, 10.0.0.3");
        assert_eq!(told.protocol, "https");
    }

    #[test]
    fn a_token_is_taken_at_its_word_until_its_time_is_over() {
        let token = |claims: &str| Token::new(&format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)));
        let ann = r#"{"id":"64b0c0ffee0000000000beef","email":"ann@shop.test","iat":1,"exp":100}"#;
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(
            matches!(claimed(&token(ann), at(99)), Identity::User(user) if user.email == "ann@shop.test")
        );
        assert!(matches!(claimed(&token(ann), at(100)), Identity::Anonymous));
        for nonsense in ["", "x", "a.b.c", "e30.e30.e30"] {
            assert!(
                matches!(claimed(&Token::new(nonsense), at(0)), Identity::Unknown),
                "{nonsense}"
            );
        }
    }

    #[test]
    fn who_comes_directly_is_the_client() {
        let told = told(&[], Some("[::ffff:203.0.113.7]:4000"));
        assert_eq!(
            (told.addresses.as_str(), told.protocol.as_str()),
            ("203.0.113.7", "http")
        );
    }
}
