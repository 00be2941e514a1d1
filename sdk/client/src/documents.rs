//! What services say of their APIs.

use reqwest::Method;
use serde_json::Value;

use crate::call::json;
use crate::{Call, Client};

/// A service that describes its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    /// Users and sessions.
    Auth,
    /// Tickets and events.
    Tickets,
    /// Orders.
    Orders,
    /// Payments.
    Payments,
}

impl Api {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Tickets, Self::Orders, Self::Payments];

    /// Such as `orders`.
    ///
    /// ```
    /// assert_eq!(bigtix_client::Api::Orders.as_str(), "orders");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Tickets => "tickets",
            Self::Orders => "orders",
            Self::Payments => "payments",
        }
    }
}

impl Client {
    /// The OpenAPI document of a service, asked of the service itself: for a client that has
    /// [an address of each](Client::with_bases). Behind one address it is at `/api/docs/<service>.json`.
    pub fn openapi(&self, api: Api) -> Call<Value> {
        let base = match api {
            Api::Auth => &self.bases.auth,
            Api::Tickets => &self.bases.tickets,
            Api::Orders => &self.bases.orders,
            Api::Payments => &self.bases.payments,
        };
        Call::new(self, Method::GET, format!("{base}/openapi.json"), json)
    }
}
