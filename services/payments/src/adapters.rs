//! Stripe, MongoDB and the orders service.

pub(crate) mod orders;
pub(crate) mod rows;
pub(crate) mod signature;
pub(crate) mod stripe;
pub(crate) mod webhook_inbox;
