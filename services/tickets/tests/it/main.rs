//! The tickets service against real stores. The internal calls of the orders service, and the event provider, are small
//! doubles; the real pair of tickets and orders is tested end to end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod catalogue;
mod changing;
mod documents;
mod double;
mod holding;
mod listing;
mod listing_many;
mod market;
mod provider;
mod publishing;
mod reading;
mod settling;
