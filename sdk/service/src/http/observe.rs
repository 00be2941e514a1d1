//! What happens around every request: an id, a span, RED metrics, the `Origin` check, and an answer even to a panic.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bigtix_contracts::ErrorCode;
use bigtix_contracts::operations::{REQUEST_SECONDS, REQUESTS, ROUTE, STATUS};
use futures::FutureExt;
use tracing::Instrument;

use super::session::has_session_cookie;
use super::{ApiError, is_a_change};
use crate::crowd::Waiting;
use crate::trace::{self, TRACEPARENT};

/// Correlates the answers and log lines of one request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The W3C trace context of a request, or the one that it arrived with where traces go nowhere; stored with what the
/// request changes, and passed on with what it asks of others.
#[derive(Debug, Clone)]
pub struct TraceParent(pub Option<String>);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for TraceParent {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self(
            trace::current().or_else(|| given_trace(&parts.headers).map(str::to_owned)),
        ))
    }
}

/// The trace context that came along, if it is one.
pub(crate) fn given_trace(headers: &HeaderMap) -> Option<&str> {
    let given = headers.get(TRACEPARENT)?.to_str().ok();
    given.filter(|given| trace::is_good(given))
}

fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a request id is one to keep: 1 to 128 printable ASCII characters.
pub fn is_good_request_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A new request id.
pub fn new_request_id() -> String {
    bson::oid::ObjectId::new().to_hex()
}

/// The middleware; the state is the service's name.
pub async fn observe(State(service): State<&'static str>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let _waiting = Waiting::begin();
    let id = match text(request.headers(), &REQUEST_ID).filter(|id| is_good_request_id(id)) {
        Some(id) => id.to_owned(),
        None => new_request_id(),
    };
    let id_value = HeaderValue::try_from(&id).unwrap_or(HeaderValue::from_static("unknown"));
    request.headers_mut().insert(REQUEST_ID, id_value.clone());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let traceparent = given_trace(request.headers());
    let span = tracing::info_span!("request", service, %method, route, request_id = id, traceparent);
    if let Some(given) = traceparent {
        trace::go_on(&span, given);
    }
    let answer = async {
        if is_foreign(&method, request.headers()) {
            let message = "Requests from other origins are refused";
            return ApiError::new(StatusCode::FORBIDDEN, ErrorCode::ForeignOrigin, message).into_response();
        }
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answer.unwrap_or_else(|_| ApiError::internal("a handler panicked").into_response())
    };
    let mut response = answer.instrument(span).await;
    response.headers_mut().insert(REQUEST_ID, id_value);
    record(service, &method, route, response.status(), started);
    response
}

fn record(service: &'static str, method: &Method, route: String, status: StatusCode, started: Instant) {
    let labels = [
        ("service", service.to_owned()),
        ("method", method.as_str().to_owned()),
        (ROUTE, route),
        (STATUS, status.as_str().to_owned()),
    ];
    metrics::counter!(REQUESTS, &labels).increment(1);
    metrics::histogram!(REQUEST_SECONDS, &labels[..3]).record(started.elapsed());
}

/// Whether a page of another origin makes a browser send a state-changing request with the user's cookie.
fn is_foreign(method: &Method, headers: &HeaderMap) -> bool {
    if !is_a_change(method) || !has_session_cookie(headers) {
        return false;
    }
    let Some(origin) = text(headers, &header::ORIGIN) else {
        return false;
    };
    let origin_host = origin.split_once("://").map(|(_, host)| host);
    let own = [text(headers, &FORWARDED_HOST), text(headers, &header::HOST)];
    !own.iter().flatten().any(|host| Some(*host) == origin_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_cookie_from_another_origin_is_refused_and_nothing_else() {
        let foreign = headers(&[
            ("cookie", "session=x"),
            ("origin", "https://evil.example"),
            ("host", "shop.example"),
        ]);
        assert!(is_foreign(&Method::POST, &foreign));
        assert!(!is_foreign(&Method::GET, &foreign));
        let own = headers(&[
            ("cookie", "session=x"),
            ("origin", "https://shop.example"),
            ("host", "shop.example"),
        ]);
        assert!(!is_foreign(&Method::POST, &own));
        let no_cookie = headers(&[("origin", "https://evil.example"), ("host", "shop.example")]);
        assert!(!is_foreign(&Method::POST, &no_cookie));
        let opaque = headers(&[
            ("cookie", "a=b; session=x"),
            ("origin", "null"),
            ("host", "shop.example"),
        ]);
        assert!(is_foreign(&Method::DELETE, &opaque));
    }

    #[test]
    fn strange_request_ids_are_replaced() {
        for (id, good) in [("abc-1", true), ("", false), ("a b", false), ("é", false)] {
            assert_eq!(is_good_request_id(id), good, "{id}");
        }
        assert!(!is_good_request_id(&"x".repeat(129)));
    }
}
