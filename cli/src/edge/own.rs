//! The paths that the edge answers itself.

use std::net::SocketAddr;

use axum::body::Body;
use bigtix_service::telemetry::metrics_handle;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Response, StatusCode};

use super::answer::{Refusal, json, with_type};
use super::gate::Gate;
use crate::release;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Own {
    Livez,
    Readyz,
    Version,
    Metrics,
    DocsPage,
    /// The document of the service of this name.
    Document(String),
}

impl Own {
    pub(super) fn at(path: &str) -> Option<Self> {
        match path {
            "/livez" => Some(Self::Livez),
            "/readyz" => Some(Self::Readyz),
            "/version" => Some(Self::Version),
            "/metrics" => Some(Self::Metrics),
            "/api/docs" | "/api/docs/" => Some(Self::DocsPage),
            _ => {
                let name = path.strip_prefix("/api/docs/")?.strip_suffix(".json")?;
                Some(Self::Document(name.to_owned()))
            }
        }
    }

    pub(super) async fn answer(self, gate: &Gate, method: &Method, peer: SocketAddr) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Refusal::MethodNotAllowed.into_response();
        }
        match self {
            Self::Livez => with_type(StatusCode::OK, "text/plain", "ok\n"),
            Self::Readyz => readyz(gate).await,
            Self::Version => version(),
            // Nobody but this machine is told how busy the shop is.
            Self::Metrics if peer.ip().to_canonical().is_loopback() => {
                let metrics = metrics_handle();
                metrics.run_upkeep();
                with_type(StatusCode::OK, "text/plain; version=0.0.4", metrics.render())
            }
            Self::Metrics => Refusal::UnknownPath.into_response(),
            Self::DocsPage => {
                let mut page = with_type(StatusCode::OK, "text/html; charset=utf-8", gate.docs.page());
                let policy =
                    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
                page.headers_mut()
                    .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
                page
            }
            Self::Document(name) => match gate.docs.document(&name) {
                Some(document) => json(StatusCode::OK, document),
                None => Refusal::UnknownPath.into_response(),
            },
        }
    }
}

async fn readyz(gate: &Gate) -> Response<Body> {
    let ready = futures::future::join_all(gate.upstreams.values().map(|upstream| upstream.is_ready())).await;
    if ready.iter().all(|ready| *ready) {
        json(StatusCode::OK, r#"{"ready":true}"#)
    } else {
        Refusal::NotReady.into_response()
    }
}

fn version() -> Response<Body> {
    let version = serde_json::json!({
        "service": "edge",
        "version": release::version(),
        "revision": option_env!("BIGTIX_REVISION").unwrap_or("unknown"),
    });
    json(StatusCode::OK, version.to_string())
}

/// The method as a label; made-up ones must not make up time series.
pub(super) fn known_method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS => method.as_str(),
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_paths_are_told_from_the_services_paths() {
        assert_eq!(Own::at("/livez"), Some(Own::Livez));
        assert_eq!(Own::at("/api/docs"), Some(Own::DocsPage));
        assert_eq!(
            Own::at("/api/docs/orders.json"),
            Some(Own::Document("orders".into()))
        );
        assert_eq!(Own::at("/api/docs/orders"), None);
        assert_eq!(Own::at("/docs"), None);
        assert_eq!(Own::at("/"), None);
    }
}
