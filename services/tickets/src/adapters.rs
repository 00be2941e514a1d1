//! Documents, queries, and the event provider.

pub(crate) mod catalogue;
pub(crate) mod documents;
pub(crate) mod intents;
pub(crate) mod projection;
pub(crate) mod selection;
pub(crate) mod ticketmaster;
pub(crate) mod tickets;
