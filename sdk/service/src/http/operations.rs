//! What every service serves besides its own routes: `/livez`, `/readyz`, `/version`, `/metrics`, `/openapi.json`, and
//! the answers to unknown paths and methods.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use bigtix_contracts::ErrorCode;
use bigtix_contracts::operations::{LIVEZ, METRICS, OPENAPI, READYZ, VERSION};
use futures::future::{BoxFuture, join_all};
use serde_json::json;
use tower::ServiceBuilder;
use utoipa::openapi::OpenApi;

use super::ApiError;
use super::body::BODY_LIMIT;
use super::observe::observe;
use crate::admission::{Admission, admit};
use crate::telemetry::metrics_handle;

type CheckFn = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Something without which a service must not get requests.
pub(crate) struct ReadinessCheck {
    pub(crate) name: &'static str,
    pub(crate) check: CheckFn,
}

/// What a service says of itself.
pub(crate) struct Health {
    pub(crate) service: &'static str,
    pub(crate) version: String,
    pub(crate) draining: Arc<AtomicBool>,
    pub(crate) checks: Vec<ReadinessCheck>,
}

/// `routes`, into which `admission` lets requests, with everything around them.
pub(crate) fn with_operations(
    routes: Router,
    admission: Arc<Admission>,
    openapi: OpenApi,
    health: Arc<Health>,
) -> Router {
    let service = health.service;
    // One layer for all that is around a route: each layer is a box that every request clones.
    let around = ServiceBuilder::new()
        .layer(middleware::from_fn_with_state(service, observe))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    let operations = Router::new()
        .route(LIVEZ, get(async || "ok\n"))
        .route(READYZ, get(readyz))
        .route(VERSION, get(version))
        .route(METRICS, get(metrics))
        .route(OPENAPI, get(async move || Json(openapi.clone())))
        .fallback(async || ApiError::not_found("Not found"))
        .method_not_allowed_fallback(wrong_method)
        .with_state(health)
        .layer(around.clone());
    let admitted = around.layer(middleware::from_fn_with_state(admission, admit));
    routes
        .method_not_allowed_fallback(wrong_method)
        .layer(admitted)
        .merge(operations)
}

async fn wrong_method() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ErrorCode::MethodNotAllowed,
        "Method not allowed",
    )
}

async fn readyz(State(health): State<Arc<Health>>) -> Response {
    if health.draining.load(Ordering::Acquire) {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"ready": false, "reason": "draining"})),
        )
            .into_response();
    }
    let results = join_all(
        health
            .checks
            .iter()
            .map(|c| async { (c.name, (c.check)().await) }),
    )
    .await;
    let failed: Vec<&str> = results
        .iter()
        .filter(|(_, ok)| !ok)
        .map(|(name, _)| *name)
        .collect();
    if failed.is_empty() {
        Json(json!({"ready": true})).into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({"ready": false, "reason": failed})),
        )
            .into_response()
    }
}

async fn version(State(health): State<Arc<Health>>) -> Response {
    let revision = option_env!("BIGTIX_REVISION").unwrap_or("unknown");
    Json(json!({"service": health.service, "version": health.version, "revision": revision})).into_response()
}

async fn metrics() -> Response {
    let handle = metrics_handle();
    handle.run_upkeep();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        handle.render(),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::operations::{REQUEST_SECONDS, REQUESTS};
    use tokio::net::TcpListener;

    use super::*;
    use crate::Strain;
    use crate::admission::Part;

    /// The operator takes a release back by these lines, and reads them as they stand here.
    #[tokio::test]
    async fn the_metrics_of_a_request_say_route_and_status() {
        crate::tls::use_ring();
        // As at the start of a process: what is counted before is lost.
        metrics_handle();
        let fails = async || ApiError::internal("for the test");
        let health = Health {
            service: "judged",
            version: "1.0.0".to_owned(),
            draining: Arc::default(),
            checks: Vec::new(),
        };
        let routes = Router::new().route("/api/judged/{id}", get(fails));
        let admission = Arc::new(Admission::new("judged", Part::Begins, Strain::default()));
        let router = with_operations(routes, admission, OpenApi::default(), Arc::new(health));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let ask = async |path: &str| reqwest::get(format!("{base}{path}")).await.expect("answered");
        for path in ["/api/judged/1", "/api/judged/2", READYZ] {
            ask(path).await;
        }
        let metrics = ask(METRICS).await.text().await.expect("text");
        let of = |route: &str| format!("service=\"judged\",method=\"GET\",route=\"{route}\"");
        for line in [
            format!("{REQUESTS}{{{},status=\"500\"}} 2\n", of("/api/judged/{id}")),
            format!("{REQUESTS}{{{},status=\"200\"}} 1\n", of(READYZ)),
            format!(
                "{REQUEST_SECONDS}_bucket{{{},le=\"+Inf\"}} 2\n",
                of("/api/judged/{id}")
            ),
        ] {
            assert!(metrics.contains(&line), "{line}{metrics}");
        }
    }
}
