//! Which tickets a list shows.

use bigtix_contracts::UserId;
use bigtix_contracts::api::tickets::TicketStatus;

/// What the tickets of a list have in common; what is absent is not looked at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) status: Option<TicketStatus>,
    /// Withdrawn ones are left out.
    pub(crate) listed: bool,
    pub(crate) seller: Option<UserId>,
    pub(crate) event_id: Option<String>,
    /// Each of them begins some word of the ticket.
    pub(crate) words: Vec<String>,
}
