//! The six services by name.

use std::fmt;
use std::str::FromStr;

/// One of the services that make up the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Accounts and sessions.
    Auth,
    /// Listings and the catalogue of events.
    Tickets,
    /// Reservations and orders.
    Orders,
    /// Charges and refunds.
    Payments,
    /// Drives the expiry of reservations.
    Expiration,
    /// The pages.
    Web,
}

impl Service {
    /// Every service, in the order in which a release is rolled out.
    pub const ALL: [Self; 6] = [
        Self::Auth,
        Self::Tickets,
        Self::Orders,
        Self::Payments,
        Self::Expiration,
        Self::Web,
    ];

    /// The name that is used in fields, paths, images and object names.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Tickets => "tickets",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Expiration => "expiration",
            Self::Web => "web",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that belongs to none of the services.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a service; the services are auth, tickets, orders, payments, expiration and web")]
pub struct UnknownService(pub String);

impl FromStr for Service {
    type Err = UnknownService;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|service| service.as_str() == name)
            .ok_or_else(|| UnknownService(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_is_found_by_its_own_name_and_nothing_else_is() {
        for service in Service::ALL {
            assert_eq!(service.as_str().parse(), Ok(service));
        }
        let error = "Auth".parse::<Service>().expect_err("names are lower case");
        assert!(error.to_string().contains("auth, tickets, orders"), "{error}");
    }
}
