//! What may be listed and changed, and what is shown of it. Pure: no clock, no await, no store.

pub(crate) mod change;
pub(crate) mod event;
pub(crate) mod hold;
pub(crate) mod price;
pub(crate) mod selection;
pub(crate) mod ticket;
pub(crate) mod words;
