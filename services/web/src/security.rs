//! What keeps other sites' pages out: a check of each form's origin, and headers that tell browsers what a page may do.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::failure::Failure;

/// Everything from this origin, nothing inline. The pay step has a policy of its own.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);
/// How long a page may take to begin. A form is waited for longer: what it does must not be left unknown.
const PATIENCE: Duration = Duration::from_secs(10);
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The middleware around every page.
pub(crate) async fn guard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let mut response = if is_safe {
        let page = tokio::time::timeout(PATIENCE, next.run(request)).await;
        page.unwrap_or_else(|_| Failure::Away.into_response())
    } else if is_from_here(request.headers(), &app.site.url) {
        next.run(request).await
    } else {
        Failure::ForeignOrigin.into_response()
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure.page(&app.site);
    }
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Other sites learn nothing, and our own forms still say where they come from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(self \"https://js.stripe.com\")",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin-allow-popups",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if app.site.is_https() {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Whether a form was sent by a page of this shop, or by something that is no browser.
fn is_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&FETCH_SITE)
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    origin == public_url
        || [text(&FORWARDED_HOST), text(&header::HOST)]
            .into_iter()
            .flatten()
            .any(|own| Some(own) == host)
}

/// What is answered to a method that a page does not know.
pub(crate) async fn wrong_method() -> Failure {
    Failure::WrongMethod
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_let_in(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        is_from_here(&headers, "https://shop.test")
    }

    #[test]
    fn our_own_forms_are_let_in() {
        for own in [
            &[("origin", "https://shop.test"), ("sec-fetch-site", "same-origin")][..],
            &[("origin", "http://127.0.0.1:3100"), ("host", "127.0.0.1:3100")],
            &[
                ("origin", "https://a.test"),
                ("x-forwarded-host", "a.test"),
                ("host", "inner"),
            ],
            &[("host", "shop.test")],
        ] {
            assert!(is_let_in(own), "{own:?}");
        }
    }

    #[test]
    fn forms_of_other_sites_are_not() {
        for foreign in [
            &[("origin", "https://evil.test"), ("host", "shop.test")][..],
            &[("origin", "null"), ("host", "shop.test")],
            &[("sec-fetch-site", "cross-site"), ("host", "shop.test")],
            &[("sec-fetch-site", "same-site"), ("origin", "https://shop.test")],
            &[("origin", "https://shop.test.evil.test"), ("host", "shop.test")],
        ] {
            assert!(!is_let_in(foreign), "{foreign:?}");
        }
    }
}
