//! What the service does, one verb a module.

pub(crate) mod change_ticket;
pub(crate) mod import_event;
pub(crate) mod list_tickets;
mod project_orders;
mod settle_changes;

use bigtix_service::clock::StoreClock;
use bigtix_service::internal::Peer;

use crate::adapters::catalogue::Catalogue;
use crate::adapters::intents::Intents;
use crate::adapters::ticketmaster::Ticketmaster;
use crate::adapters::tickets::Tickets;

pub(crate) use settle_changes::settle_changes;

/// The use cases, and what they need.
pub(crate) struct App {
    pub(crate) tickets: Tickets,
    pub(crate) catalogue: Catalogue,
    pub(crate) intents: Intents,
    /// The only authority on who holds a ticket.
    pub(crate) orders: Peer,
    pub(crate) provider: Ticketmaster,
    /// What says how old a change is, on all instances.
    pub(crate) clock: StoreClock,
}
