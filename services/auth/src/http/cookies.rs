//! The session cookie.

use std::time::Duration;

use axum::http::HeaderValue;
use bigtix_service::http::session::cookie_value;

/// The cookie that begins a session.
pub(super) fn session_cookie(token: &str, lifetime: Duration, is_https: bool) -> HeaderValue {
    cookie(
        "session",
        &cookie_value(token),
        &format!("Max-Age={}", lifetime.as_secs()),
        is_https,
    )
}

/// The cookie that makes a browser forget the one called `name`.
pub(super) fn expired_cookie(name: &str, is_https: bool) -> HeaderValue {
    cookie(
        name,
        "",
        "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        is_https,
    )
}

fn cookie(name: &str, value: &str, lifetime: &str, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let text = format!("{name}={value}; {lifetime}; Path=/; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).expect("base64 and attributes are visible ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_cookie_is_for_this_site_alone() {
        let cookie = session_cookie("t", Duration::from_secs(60), true);
        assert_eq!(
            cookie,
            "session=eyJqd3QiOiJ0In0=; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
        let plain = session_cookie("t", Duration::from_secs(60), false);
        assert!(!plain.to_str().unwrap().contains("Secure"));
    }
}
