//! What an order is and what may become of it. Pure: no clock, no await, no store.
//!
//! The state machine is public so that the model of the whole saga explores this very code.

pub(crate) mod lately;
pub(crate) mod line;
pub mod order;
pub(crate) mod partition;
pub(crate) mod quote;
