//! The edge's own answers: every refusal is a problem in the one shape.

use axum::body::Body;
use bigtix_contracts::{ErrorCode, Problem};
use bigtix_service::http::error::PAST_CAPACITY;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use super::inspect::BadHead;
use super::upstream::UpstreamError;

/// After how many seconds it is worth asking again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why the edge itself does not let a request through, or has no answer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    BadHead(BadHead),
    StrangePath,
    BodyTooLarge,
    BodyTooSlow,
    BodyBroken,
    NoRoom,
    UnknownPath,
    MethodNotAllowed,
    NotReady,
    Upstream(UpstreamError),
}

impl Refusal {
    fn parts(self) -> (StatusCode, ErrorCode, &'static str) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::BadHead(BadHead::Connect) | Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorCode::MethodNotAllowed,
                "Method not allowed",
            ),
            Self::BadHead(why) => (BAD, ErrorCode::ValidationFailed, why.message()),
            Self::StrangePath => (
                BAD,
                ErrorCode::ValidationFailed,
                "The request's path is ambiguous",
            ),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::PayloadTooLarge,
                "The request's body is too large",
            ),
            Self::BodyTooSlow => (
                BAD,
                ErrorCode::ValidationFailed,
                "The request's body did not arrive in time",
            ),
            Self::BodyBroken => (
                BAD,
                ErrorCode::ValidationFailed,
                "The request's body is incomplete",
            ),
            Self::NoRoom => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Unavailable,
                "Too much is being sent at once; nothing happened, try again",
            ),
            Self::UnknownPath => (StatusCode::NOT_FOUND, ErrorCode::NotFound, "Not found"),
            Self::NotReady => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Unavailable,
                "Not ready",
            ),
            Self::Upstream(UpstreamError::Unreachable) => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Unavailable,
                "The service is away for a moment; nothing happened, try again",
            ),
            Self::Upstream(UpstreamError::PastCapacity) => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::Unavailable,
                PAST_CAPACITY,
            ),
            Self::Upstream(UpstreamError::Unknown) => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::OutcomeUnknown,
                "It is not known whether the request took effect; repeat it with the same Idempotency-Key",
            ),
            Self::Upstream(UpstreamError::Garbled) => (
                StatusCode::BAD_GATEWAY,
                ErrorCode::BadGateway,
                "The service gave an answer that cannot be read; try again",
            ),
        }
    }

    /// The answer that says so.
    pub(super) fn into_response(self) -> Response<Body> {
        let (status, code, message) = self.parts();
        let body = serde_json::to_vec(&Problem::new(code, message)).expect("a problem is JSON");
        let mut response = json(status, body);
        if matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if matches!(
            self,
            Self::BadHead(_) | Self::BodyTooLarge | Self::BodyTooSlow | Self::BodyBroken | Self::NoRoom
        ) {
            // Where the next request begins is not known.
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// An answer of JSON.
pub(super) fn json(status: StatusCode, body: impl Into<Body>) -> Response<Body> {
    with_type(status, "application/json", body)
}

/// An answer of the given media type.
pub(super) fn with_type(
    status: StatusCode,
    media_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
