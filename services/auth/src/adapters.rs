//! What the use cases stand on: two collections, and a processor that takes its time.

pub(crate) mod attempts;
pub(crate) mod passwords;
pub(crate) mod users;
