//! The orders service against real stores. The tickets service is a small double that answers the internal calls from
//! memory; the real pair is tested end to end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod double;
mod limits;
mod partitions;
mod placing;
mod racing;
mod settling;
mod shop;
