//! How often a sign-in may fail before it is refused for a while.

use std::net::IpAddr;
use std::time::Duration;

use bigtix_contracts::network::Network;

use super::credentials::Email;

/// How many failures are too many.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttemptLimits {
    /// For one email from one address.
    pub(crate) per_pair: usize,
    /// From one address, whatever the email.
    pub(crate) per_address: usize,
    /// How long a failure counts.
    pub(crate) window: Duration,
}

/// What failures are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counter {
    /// Distinguishes the counters.
    pub(crate) key: String,
    /// How many failures it takes.
    pub(crate) limit: usize,
}

impl AttemptLimits {
    /// The counter of one email from one address.
    pub(crate) fn pair(&self, email: &Email, client: Option<IpAddr>) -> Counter {
        Counter {
            key: format!("pair {} {}", origin(client), email.as_str()),
            limit: self.per_pair,
        }
    }

    /// The counter of one address.
    pub(crate) fn address(&self, client: Option<IpAddr>) -> Counter {
        Counter {
            key: format!("address {}", origin(client)),
            limit: self.per_address,
        }
    }
}

fn origin(client: Option<IpAddr>) -> String {
    client.map_or_else(
        || "unknown".to_owned(),
        |address| Network::of_client(address).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: AttemptLimits = AttemptLimits {
        per_pair: 10,
        per_address: 100,
        window: Duration::from_secs(300),
    };

    #[test]
    fn an_ipv6_network_is_one_client() {
        let (one, two) = ("2001:db8::1".parse().ok(), "2001:db8::2".parse().ok());
        assert_eq!(LIMITS.address(one), LIMITS.address(two));
        assert_ne!(
            LIMITS.address(one),
            LIMITS.address("2001:db8:0:1::1".parse().ok())
        );
    }

    #[test]
    fn pairs_and_addresses_are_counted_apart() {
        let email: Email = "a@b.co".parse().unwrap();
        let client = "10.0.0.1".parse().ok();
        assert_ne!(LIMITS.pair(&email, client).key, LIMITS.address(client).key);
        assert_ne!(LIMITS.pair(&email, client).key, LIMITS.pair(&email, None).key);
    }
}
