//! The auth service against real stores.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod house;
mod publishing;
mod sessions;
mod signing_in;
mod signing_up;
