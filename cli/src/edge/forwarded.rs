//! What the services are told about who asked: by the edge itself, or by a proxy before it that is trusted.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

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

/// Addresses with a common beginning, written `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

/// The text is not an address with an optional prefix length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a network such as 10.0.0.0/8 or 192.0.2.7")]
pub struct NotANetwork(String);

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        if prefix > bits {
            Err(wrong())
        } else {
            Ok(Self { address, prefix })
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Network {
    /// Whether the address is one of these.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if address.is_ipv4() != self.address.is_ipv4() {
            return false;
        }
        let (own, other) = (bits(self.address), bits(address));
        let prefix = self.prefix + if address.is_ipv4() { 96 } else { 0 };
        prefix == 0 || (own ^ other) >> (128 - prefix) == 0
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(Ipv6Addr::from(v6.octets())),
    }
}

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
    fn a_network_contains_its_addresses() {
        let ip = |text: &str| text.parse().unwrap();
        assert!(network("10.0.0.0/8").contains(ip("10.200.0.1")));
        assert!(network("10.0.0.0/8").contains(ip("::ffff:10.1.1.1")));
        assert!(!network("10.0.0.0/8").contains(ip("11.0.0.1")));
        assert!(network("192.0.2.7").contains(ip("192.0.2.7")));
        assert!(!network("192.0.2.7").contains(ip("192.0.2.6")));
        assert!(network("0.0.0.0/0").contains(ip("192.0.2.6")));
        assert!(!network("0.0.0.0/0").contains(ip("::1")));
        assert!(network("fd00::/8").contains(ip("fd12::1")));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "x"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
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
