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
use futures::future::{BoxFuture, join_all};
use serde_json::json;
use utoipa::openapi::OpenApi;

use super::ApiError;
use super::body::BODY_LIMIT;
use super::observe::observe;
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

/// `routes` with everything around them.
pub(crate) fn with_operations(routes: Router, openapi: OpenApi, health: Arc<Health>) -> Router {
    let service = health.service;
    let operations = Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/version", get(version))
        .route("/metrics", get(metrics))
        .route("/openapi.json", get(async move || Json(openapi.clone())))
        .with_state(health);
    routes
        .merge(operations)
        .fallback(async || ApiError::not_found("Not found"))
        .method_not_allowed_fallback(async || {
            ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorCode::MethodNotAllowed,
                "Method not allowed",
            )
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn_with_state(service, observe))
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
