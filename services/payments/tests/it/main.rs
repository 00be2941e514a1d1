//! The payments service against real stores, a Stripe double with a ledger, and an orders double that holds orders.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;
mod crashes;
mod localstripe;
mod orders;
mod paying;
mod refunds;
mod three_d_secure;
mod trouble;
mod webhooks;
mod world;
