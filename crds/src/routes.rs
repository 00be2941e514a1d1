//! The one route table: the Ingress and the edge on one machine are both built from it.

use crate::Service;

/// One row: a path prefix, matched by whole segments, and the service behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// Begins with `/`; ends without one, except the root.
    pub prefix: &'static str,
    /// Where requests below the prefix go.
    pub service: Service,
}

const fn row(prefix: &'static str, service: Service) -> Route {
    Route { prefix, service }
}

/// Every route; the longest prefix that matches wins, and the root matches everything.
pub const ROUTES: &[Route] = &[
    row("/api/users", Service::Auth),
    row("/api/tickets", Service::Tickets),
    row("/api/events", Service::Tickets),
    row("/api/orders", Service::Orders),
    row("/api/payments", Service::Payments),
    row("/api/webhooks", Service::Payments),
    row("/", Service::Web),
];

impl Route {
    /// Whether the path is the prefix itself or lies below it.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let prefix = self.prefix.trim_end_matches('/');
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The service that answers a request's path (without query); what no route names goes to the pages.
#[must_use]
pub fn route(path: &str) -> Service {
    ROUTES
        .iter()
        .filter(|route| route.matches(path))
        .max_by_key(|route| route.prefix.len())
        .map_or(Service::Web, |route| route.service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_goes_to_its_service() {
        for (path, service) in [
            ("/", Service::Web),
            ("", Service::Web),
            ("/orders/5f1d", Service::Web),
            ("/api/users/signin", Service::Auth),
            ("/api/users", Service::Auth),
            ("/api/tickets", Service::Tickets),
            ("/api/tickets/", Service::Tickets),
            ("/api/tickets/5f1d", Service::Tickets),
            ("/api/events/search", Service::Tickets),
            ("/api/orders/all", Service::Orders),
            ("/api/payments/5f1d/refund", Service::Payments),
            ("/api/webhooks/stripe", Service::Payments),
            ("/api/docs", Service::Web),
            ("not a path", Service::Web),
        ] {
            assert_eq!(route(path), service, "{path}");
        }
    }

    #[test]
    fn a_prefix_matches_whole_segments_only() {
        for path in [
            "/api/ticketsx",
            "/api/ticket",
            "/api",
            "/API/tickets",
            "/x/api/tickets",
        ] {
            assert_eq!(route(path), Service::Web, "{path}");
        }
    }

    #[test]
    fn everything_but_the_timers_can_be_reached() {
        for service in Service::ALL {
            let reachable = ROUTES.iter().any(|route| route.service == service);
            assert_eq!(reachable, service != Service::Expiration, "{service}");
        }
    }
}
