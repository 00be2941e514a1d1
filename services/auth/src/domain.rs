//! What may be a user, and how often a sign-in may fail. Pure: no clock, no await, no store.

pub(crate) mod attempts;
pub(crate) mod client_address;
pub(crate) mod credentials;
