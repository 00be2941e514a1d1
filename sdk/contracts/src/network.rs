//! Ranges of addresses: whose word counts, and who counts as one.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Of an address of version 6, as many bits name a network of which everybody has one at least (RFC 6177).
const NETWORK_BITS: u8 = 64;

/// Addresses with a common beginning, written `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpNet);

/// The text is neither an address nor a range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a range such as 10.0.0.0/8")]
pub struct NotANetwork(String);

impl Network {
    /// What one client is known by: an address, or of version 6 the network, from which it may choose any.
    #[must_use]
    pub fn of_client(address: IpAddr) -> Self {
        let whole = IpNet::from(address.to_canonical());
        let length = match whole {
            IpNet::V4(_) => whole.max_prefix_len(),
            IpNet::V6(_) => NETWORK_BITS,
        };
        Self(IpNet::new(whole.addr(), length).map_or(whole, |network| network.trunc()))
    }

    /// Whether the address is one of these. One of version 4 in the clothes of version 6 is what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let one = text.parse().map(|address: IpAddr| IpNet::from(address));
        one.or_else(|_| text.parse())
            .map(|network| Self(network.trunc()))
            .map_err(|_| NotANetwork(text.to_owned()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_contains_its_addresses() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.200.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::10.1.1.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("0.0.0.0/0", "192.0.2.6", "::1"),
            ("fd00::/8", "fd12::1", "fe12::1"),
        ] {
            assert!(network(range).contains(address(inside)), "{range} {inside}");
            assert!(!network(range).contains(address(outside)), "{range} {outside}");
        }
    }

    #[test]
    fn it_is_read_and_written_and_nonsense_is_refused() {
        for (text, written) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("::1", "::1"),
        ] {
            assert_eq!(network(text).to_string(), written);
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "fd00::/129", "x"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_client_of_version_6_is_known_by_its_network() {
        let known = |text: &str| Network::of_client(address(text)).to_string();
        assert_eq!(known("192.0.2.7"), "192.0.2.7");
        assert_eq!(known("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(known("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
    }
}
