//! The Stripe double from outside, over HTTP.

mod access;
mod books;
mod client;
mod faults;
mod idempotency;
mod life;
mod support;
mod three_d_secure;
mod webhooks;
