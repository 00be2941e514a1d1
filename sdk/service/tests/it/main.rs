//! The service kit against real stores.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod consumer;
mod outages;
mod rates;
mod relay;
mod restored;
mod spread;
mod stores;
mod world;
