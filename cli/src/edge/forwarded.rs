//! What the services are told about who asked: by the edge itself, or by a proxy before it that is trusted.

use std::net::IpAddr;

use bigtix_contracts::network::Network;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

pub(super) const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
pub(super) const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(super) const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Other headers in which proxies say the same; nobody here reads them, so nobody may send them on.
const OTHERS: [HeaderName; 3] = [
    header::FORWARDED,
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-forwarded-port"),
];

/// Sets the `X-Forwarded-*` headers of a request from `peer`. What it says of itself counts only if `peer` is trusted.
pub(super) fn set(headers: &mut HeaderMap, peer: IpAddr, trusted: &[Network]) {
    let peer = peer.to_canonical();
    for name in OTHERS {
        headers.remove(name);
    }
    let is_trusted = trusted.iter().any(|network| network.contains(peer));
    if !is_trusted {
        for name in [FOR, PROTO, HOST] {
            headers.remove(name);
        }
    }
    let before: Vec<&str> = headers
        .get_all(FOR)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    let chain = before
        .into_iter()
        .map(str::to_owned)
        .chain([peer.to_string()])
        .collect::<Vec<_>>()
        .join(", ");
    if let Ok(chain) = HeaderValue::try_from(chain) {
        headers.insert(FOR, chain);
    }
    one(headers, PROTO, HeaderValue::from_static("http"));
    let host = headers
        .get(header::HOST)
        .cloned()
        .unwrap_or(HeaderValue::from_static("localhost"));
    one(headers, HOST, host);
}

/// Keeps the value if there is exactly one, and else puts `own` in its place.
fn one(headers: &mut HeaderMap, name: HeaderName, own: HeaderValue) {
    if headers.get_all(&name).iter().count() != 1 {
        headers.insert(name, own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_stranger_cannot_say_who_it_is() {
        let mut headers = headers(&[
            ("host", "shop.example"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=1.2.3.4"),
        ]);
        set(
            &mut headers,
            "192.0.2.1".parse().unwrap(),
            &[network("10.0.0.0/8")],
        );
        assert_eq!(headers[FOR], "192.0.2.1");
        assert_eq!(headers[HOST], "shop.example");
        assert_eq!(headers[PROTO], "http");
        assert!(!headers.contains_key("forwarded"));
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_added() {
        let mut headers = headers(&[
            ("host", "inner"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
        ]);
        set(
            &mut headers,
            "10.1.1.1".parse().unwrap(),
            &[network("10.0.0.0/8")],
        );
        assert_eq!(headers[FOR], "1.2.3.4, 10.1.1.1");
        assert_eq!(headers[HOST], "inner");
        assert_eq!(headers[PROTO], "https");
    }
}
