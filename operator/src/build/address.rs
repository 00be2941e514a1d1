//! Host and port of a URL: what a network policy can speak of.

/// Where a URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A name or an address, without brackets.
    pub host: String,
    /// The one named, or the scheme's.
    pub port: u16,
}

/// Where the URL leads; none when it names no port and its scheme has none that is known here.
#[must_use]
pub fn of(url: &str) -> Option<Address> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let (host, port) = match place
        .strip_prefix('[')
        .and_then(|bracketed| bracketed.split_once(']'))
    {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => place
            .split_once(':')
            .map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => default_port(scheme)?,
    };
    let host = host.to_owned();
    Some(Address { host, port })
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_to_a_host_and_a_port() {
        for (url, expected) in [
            ("https://api.stripe.com", Some(("api.stripe.com", 443))),
            ("http://collector:4318/v1", Some(("collector", 4318))),
            ("http://x?y:1", Some(("x", 80))),
            (
                "nats://auth:$(NATS_PASSWORD)@shop-nats:4222",
                Some(("shop-nats", 4222)),
            ),
            ("http://[2001:db8::1]:8080/", Some(("2001:db8::1", 8080))),
            ("http://[2001:db8::1]", Some(("2001:db8::1", 80))),
            ("redis://cache", None),
            ("http://x:99999", None),
            ("nothing", None),
        ] {
            let found = of(url);
            let found = found
                .as_ref()
                .map(|address| (address.host.as_str(), address.port));
            assert_eq!(found, expected, "{url}");
        }
    }
}
