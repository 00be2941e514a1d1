//! What the proxies in front say of a request.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bigtix_contracts::network::Network;
use bigtix_service::http::ApiError;
use bigtix_service::http::limit::too_many;
use bigtix_service::rate::RateLimit;

use crate::domain::client_address::TrustedProxies;

/// How users reach the shop.
#[derive(Debug, Clone)]
pub(crate) struct Edge {
    /// Whether the shop's address begins with https.
    pub(crate) is_https: bool,
    /// Whose `X-Forwarded-*` headers count.
    pub(crate) proxies: TrustedProxies,
}

/// Extractor: the client behind the proxies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client {
    /// Its address, where it is known.
    pub(super) address: Option<IpAddr>,
    /// Whether it speaks https to the edge.
    pub(super) is_https: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let edge = parts
            .extensions
            .get::<Edge>()
            .ok_or_else(|| ApiError::internal("routes lack the Edge layer"))?;
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(peer)| peer.ip());
        let trusted = edge.proxies.trusts(peer);
        let protocol = joined(&parts.headers, "x-forwarded-proto");
        let last_is_https = protocol
            .rsplit(',')
            .next()
            .is_some_and(|last| last.trim().eq_ignore_ascii_case("https"));
        Ok(Self {
            address: edge
                .proxies
                .client(peer, &joined(&parts.headers, "x-forwarded-for")),
            is_https: edge.is_https || (trusted && last_is_https),
        })
    }
}

/// The middleware: whoever is not signed in is known by the address alone. Those on this machine are not counted, and
/// looking is not limited.
pub(super) async fn limit_requests(
    State(limit): State<RateLimit>,
    client: Client,
    request: Request,
    next: Next,
) -> Response {
    let counted = client
        .address
        .filter(|address| request.method() == Method::POST && !address.is_loopback());
    if let Some(address) = counted
        && let Err(wait) = limit.count(&Network::of_client(address).to_string())
    {
        return too_many(wait).into_response();
    }
    next.run(request).await
}

/// A header that may be repeated, as one list.
fn joined(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}
