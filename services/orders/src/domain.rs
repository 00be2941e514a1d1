//! What an order is and what may become of it. Pure: no clock, no await, no store.

pub(crate) mod line;
pub(crate) mod order;
pub(crate) mod quote;
