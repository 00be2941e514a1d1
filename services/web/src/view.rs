//! How things look: pure functions from what is so to what is shown.

pub(crate) mod art;
pub(crate) mod calendar;
pub(crate) mod code;
pub(crate) mod money;
pub(crate) mod structured;
pub(crate) mod time;
