//! What BigTix's tests stand on.
//!
//! * [`stripe`]: a Stripe double. A real HTTP server that speaks Stripe's public contract for a card shop, keeps a
//!   ledger of every cent and can be told to fail in the ways networks and Stripe fail.
//! * [`mod@eventually`]: wait for a state, never for a duration; come again when a service is past its capacity.
//! * [`Answer`]: what a service says to a request.
//! * [`stores`]: real mongod, nats-server, redis-server and localstripe as child processes.
//! * [`golden`]: committed files that are generated, compared with what would be generated now.

// Stripe's objects have more fields than the default lets one `json!` have.
#![recursion_limit = "256"]

mod answer;
pub mod eventually;
pub mod golden;
pub mod stores;
pub mod stripe;

pub use answer::Answer;
pub use eventually::{eventually, is_past_capacity, let_in};
pub use stripe::StripeDouble;
