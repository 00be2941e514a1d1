//! The typed client of BigTix's REST API.
//!
//! ```no_run
//! # async fn example() -> Result<(), bigtix_client::ClientError> {
//! use bigtix_client::{Client, NewOrder, NewTicket};
//! use bigtix_contracts::Cents;
//!
//! let shop = Client::new("http://localhost:8080");
//! let seller = shop.signed_in(shop.sign_up("ann@shop.test", "Secret-123").await?.token);
//! let buyer = shop.signed_in(shop.sign_up("bob@shop.test", "Secret-123").await?.token);
//!
//! let ticket = seller.list_ticket(&NewTicket::new("Row F, seat 12", Cents(19_99))).await?;
//! let order = buyer.place_order(&NewOrder::ticket(ticket.id)).idempotency_key("cart-7").await?;
//! let payment = buyer.pay(order.id, "tok_visa").idempotency_key("pay-7").await?;
//! assert!(payment.success);
//! # Ok(()) }
//! ```
//!
//! * Each call is a [`Call`]: give it an [idempotency key](Call::idempotency_key) or a [request id](Call::request_id),
//!   then await it. Lists are a [`List`]: one [page](List::page), or a [stream of all](List::all).
//! * A call that may be repeated without harm (a GET, or a POST with an idempotency key) is repeated by itself, up to
//!   four times in all, when the connection fails or the answer is 503.
//! * What goes wrong is a [`ClientError`], with the API's own [`Problem`](bigtix_contracts::Problem) inside.

mod bases;
mod call;
mod documents;
mod drafts;
mod error;
mod events;
mod forwarded;
mod list;
mod orders;
mod payments;
mod retry;
mod tickets;
mod token;
mod users;

use std::sync::Arc;
use std::time::Duration;

pub use bases::Bases;
pub use call::Call;
pub use documents::Api;
pub use drafts::{NewEvent, NewOrder, NewTicket, TicketChange};
pub use error::ClientError;
pub use forwarded::Forwarded;
pub use list::{List, Page};
pub use tickets::TicketFilter;
pub use token::{SetCookie, Token};
pub use users::Session;

/// Whose code is compiled, so that it stays true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// How long one attempt may take; longer than a service lets a request wait for another one with the same key.
const DEADLINE: Duration = Duration::from_secs(30);

/// A client of one shop; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    bases: Arc<Bases>,
    token: Option<Token>,
    request_id: Option<Arc<str>>,
    traceparent: Option<Arc<str>>,
    forwarded: Option<Arc<Forwarded>>,
}

impl Client {
    /// A client of the shop at one address, such as `http://localhost:8080`: its edge.
    #[must_use]
    pub fn new(base_url: &str) -> Self {
        Self::with_bases(Bases::edge(base_url))
    }

    /// A client that talks to each service at an address of its own.
    ///
    /// # Panics
    /// When the system's root certificates cannot be read.
    #[must_use]
    pub fn with_bases(bases: Bases) -> Self {
        // Somebody else may have chosen a provider for this process already; theirs is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("bigtix-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .expect("the system's root certificates are readable");
        Self {
            http,
            bases: Arc::new(bases),
            token: None,
            request_id: None,
            traceparent: None,
            forwarded: None,
        }
    }

    /// This client, on behalf of the token's user.
    #[must_use]
    pub fn signed_in(&self, token: Token) -> Self {
        Self {
            token: Some(token),
            ..self.clone()
        }
    }

    /// This client, on behalf of nobody.
    #[must_use]
    pub fn signed_out(&self) -> Self {
        Self {
            token: None,
            ..self.clone()
        }
    }

    /// This client, passing the id of the request that it works for on with every call, so that logs can be joined.
    #[must_use]
    pub fn within_request(&self, id: &str) -> Self {
        Self {
            request_id: Some(id.into()),
            ..self.clone()
        }
    }

    /// This client, making every call a part of the trace with this W3C trace context (`traceparent`).
    #[must_use]
    pub fn within_trace(&self, traceparent: &str) -> Self {
        Self {
            traceparent: Some(traceparent.into()),
            ..self.clone()
        }
    }

    /// This client, telling the services for whom it asks. For a server that stands between a browser and the shop;
    /// the services heed it where they trust that server's address.
    #[must_use]
    pub fn forwarding(&self, forwarded: Forwarded) -> Self {
        Self {
            forwarded: Some(Arc::new(forwarded)),
            ..self.clone()
        }
    }

    /// Whose token the client shows, if any.
    #[must_use]
    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }
}
