//! Bodies of the calls that services make to each other, on a port of their own that the edge never routes to.
//! Every call is a POST, idempotent, and answered 200 with one of these; a refusal is an outcome, not an error.

mod orders;
mod tickets;

pub use orders::{
    Claim, ClaimKind, ClaimOutcome, ConfirmOrder, ConfirmOutcome, ReadOrder, RefundOrder, ReleaseClaim,
    SettleOrder,
};
pub use tickets::{ReadEventTickets, ReadTickets, TicketList};

/// Paths of the internal calls, below the internal port of the service that they name.
pub mod paths {
    /// tickets: [`super::ReadTickets`] -> [`super::TicketList`].
    pub const READ_TICKETS: &str = "/internal/tickets/read";
    /// tickets: [`super::ReadEventTickets`] -> [`super::TicketList`].
    pub const READ_EVENT_TICKETS: &str = "/internal/tickets/read-event";
    /// orders: [`super::Claim`] -> [`super::ClaimOutcome`].
    pub const CLAIM: &str = "/internal/claims/claim";
    /// orders: [`super::ReleaseClaim`] -> `{}`.
    pub const RELEASE: &str = "/internal/claims/release";
    /// orders: [`super::ReadOrder`] -> [`crate::events::Versioned`] of an order, or 404.
    pub const READ_ORDER: &str = "/internal/orders/read";
    /// orders: [`super::ConfirmOrder`] -> [`super::ConfirmOutcome`].
    pub const CONFIRM: &str = "/internal/orders/confirm";
    /// orders: [`super::SettleOrder`] -> [`super::ConfirmOutcome`].
    pub const COMPLETE: &str = "/internal/orders/complete";
    /// orders: [`super::SettleOrder`] -> [`super::ConfirmOutcome`].
    pub const FAIL: &str = "/internal/orders/fail";
    /// orders: [`super::RefundOrder`] -> [`super::ConfirmOutcome`].
    pub const REFUND: &str = "/internal/orders/refund";
}
