//! Changes that one user may ask for, so that a program that runs wild takes nothing from others.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bigtix_contracts::ErrorCode;

use super::session::{Sessions, identify};
use super::{ApiError, is_a_change};
use crate::config::Settings;
use crate::rate::{RateConfig, RateLimit};

/// Nobody presses buttons that fast; ten seconds' worth may come at once.
const PER_SECOND: u32 = 50;

/// Reads `CHANGES_PER_USER_PER_SECOND`.
pub fn read_limit(settings: &mut Settings) -> RateConfig {
    let doc = "changes that one user may ask for in a second, and ten times as many at once; 0: any number";
    RateConfig::read(settings, "CHANGES_PER_USER_PER_SECOND", PER_SECOND, doc)
}

/// 429, with when to come back.
pub fn too_many(wait: Duration) -> ApiError {
    let message = "Too many requests; wait a little";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message).retry_after(wait)
}

/// The middleware; looking is not limited, and who is not signed in is refused anyway.
pub(super) async fn limit_changes(
    State((limit, sessions)): State<(RateLimit, Sessions)>,
    mut request: Request,
    next: Next,
) -> Response {
    if is_a_change(request.method())
        && let Some(caller) = identify(&sessions, &mut request)
        && let Err(wait) = limit.count(&caller.id.to_string())
    {
        return too_many(wait).into_response();
    }
    next.run(request).await
}
