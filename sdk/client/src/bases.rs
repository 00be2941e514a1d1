//! Where the services are.

/// The address of each service, without a slash at the end.
///
/// ```
/// let bases = bigtix_client::Bases::edge("http://localhost:8080/");
/// assert_eq!(bases.orders, "http://localhost:8080");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bases {
    /// Users and sessions.
    pub auth: String,
    /// Tickets and events.
    pub tickets: String,
    /// Orders.
    pub orders: String,
    /// Payments.
    pub payments: String,
}

impl Bases {
    /// All of them behind one address.
    #[must_use]
    pub fn edge(base_url: &str) -> Self {
        let base = base_url.trim_end_matches('/').to_owned();
        Self {
            auth: base.clone(),
            tickets: base.clone(),
            orders: base.clone(),
            payments: base,
        }
    }
}
