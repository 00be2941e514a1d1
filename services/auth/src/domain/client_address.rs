//! Where a request comes from, behind proxies that say so.

use std::net::IpAddr;

use bigtix_contracts::network::Network;

/// The proxies whose `X-Forwarded-*` headers count. A request without a connection came from this very process, which
/// is trusted too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// The proxies in these networks.
    pub(crate) fn new(networks: Vec<Network>) -> Self {
        Self(networks)
    }

    /// Whether what `peer` forwards is to be believed.
    pub(crate) fn trusts(&self, peer: Option<IpAddr>) -> bool {
        peer.is_none_or(|peer| self.0.iter().any(|network| network.contains(peer)))
    }

    /// The client of a request that `peer` sent. `forwarded_for` is the header, oldest hop first: each proxy appends
    /// whom it heard from, so the last entry that is no further proxy is the client. What stands before is hearsay.
    pub(crate) fn client(&self, peer: Option<IpAddr>, forwarded_for: &str) -> Option<IpAddr> {
        if !self.trusts(peer) {
            return peer;
        }
        let mut client = peer;
        for hop in forwarded_for
            .rsplit(',')
            .map(str::trim)
            .filter(|hop| !hop.is_empty())
        {
            let Ok(hop) = hop.parse::<IpAddr>().map(|hop| hop.to_canonical()) else {
                break;
            };
            client = Some(hop);
            // A client beside the proxy, on the same machine, is no proxy: what it sent is not to be believed.
            if hop.is_loopback() || !self.trusts(client) {
                break;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    fn proxies(networks: &[&str]) -> TrustedProxies {
        TrustedProxies::new(networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    #[test]
    fn an_untrusted_peer_is_the_client_whatever_it_says() {
        assert_eq!(
            proxies(&["127.0.0.0/8"]).client(address("9.9.9.9"), "1.2.3.4"),
            address("9.9.9.9")
        );
    }

    #[test]
    fn behind_a_trusted_proxy_the_last_entry_is_the_client() {
        let proxies = proxies(&["127.0.0.0/8", "::1"]);
        for peer in [
            address("127.0.0.1"),
            address("::1"),
            address("::ffff:127.0.0.1"),
            None,
        ] {
            assert_eq!(proxies.client(peer, "6.6.6.6, 1.2.3.4"), address("1.2.3.4"));
        }
        assert_eq!(proxies.client(address("127.0.0.1"), ""), address("127.0.0.1"));
        assert_eq!(proxies.client(None, ""), None);
    }

    #[test]
    fn further_trusted_proxies_are_passed_over() {
        let proxies = proxies(&["10.0.0.0/8"]);
        assert_eq!(
            proxies.client(address("10.0.0.1"), "6.6.6.6, 1.2.3.4, 10.7.0.2"),
            address("1.2.3.4")
        );
    }

    #[test]
    fn a_client_on_the_proxys_own_machine_cannot_pretend_to_be_another() {
        let proxies = proxies(&["127.0.0.0/8"]);
        assert_eq!(
            proxies.client(address("127.0.0.1"), "1.2.3.4, 127.0.0.1"),
            address("127.0.0.1")
        );
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "\\PC*") {
            let _ = proxies(&["127.0.0.0/8"]).client(None, &header);
        }
    }
}
