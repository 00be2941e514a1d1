//! What a seller may change about a ticket.

use bigtix_contracts::events::TicketState;
use bigtix_contracts::internal::ClaimKind;
use bigtix_contracts::{Cents, UserId};

use super::ticket::Ticket;

/// A change of a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// New words or another price; what is absent stays.
    Edit {
        title: Option<String>,
        price: Option<Cents>,
        description: Option<String>,
    },
    /// Off sale, for ever.
    Withdraw,
}

/// Why a change is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("Ticket not found")]
    NotFound,
    #[error("Not authorized")]
    NotOwner,
    /// Somebody holds it, or it is sold or withdrawn.
    #[error("Cannot edit a reserved ticket")]
    EditOfReserved,
    #[error("Cannot withdraw a reserved ticket")]
    WithdrawalOfReserved,
    #[error("Ticket is already withdrawn")]
    AlreadyWithdrawn,
    /// The caller based the change on another version.
    #[error("Ticket was changed meanwhile")]
    Stale,
}

impl Change {
    /// What is claimed for the change.
    pub(crate) fn claim_kind(&self) -> ClaimKind {
        match self {
            Self::Edit { .. } => ClaimKind::Edit,
            Self::Withdraw => ClaimKind::Withdrawn,
        }
    }

    /// What to say when somebody holds the ticket.
    pub(crate) fn refusal_of_held(&self) -> Refusal {
        match self {
            Self::Edit { .. } => Refusal::EditOfReserved,
            Self::Withdraw => Refusal::WithdrawalOfReserved,
        }
    }

    /// Whether `caller` may ask for it. Who holds the ticket is not looked at here: only the claim can tell.
    pub(crate) fn permit(&self, ticket: &Ticket, caller: UserId) -> Result<(), Refusal> {
        if ticket.state.user_id != caller {
            return Err(Refusal::NotOwner);
        }
        match (self, ticket.state.withdrawn) {
            (_, false) => Ok(()),
            (Self::Edit { .. }, true) => Err(Refusal::EditOfReserved),
            (Self::Withdraw, true) => Err(Refusal::AlreadyWithdrawn),
        }
    }

    /// The ticket after the change.
    pub(crate) fn apply(&self, mut state: TicketState) -> TicketState {
        match self {
            Self::Edit {
                title,
                price,
                description,
            } => {
                state.title = title.clone().unwrap_or(state.title);
                state.price = price.unwrap_or(state.price);
                state.description = description.clone().unwrap_or(state.description);
            }
            Self::Withdraw => state.withdrawn = true,
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use bigtix_contracts::TicketId;
    use bigtix_contracts::api::tickets::TicketStatus;
    use jiff::Timestamp;

    use super::*;

    const SELLER: UserId = UserId::from_bytes([1; 12]);
    const EDIT: Change = Change::Edit {
        title: None,
        price: Some(Cents(700)),
        description: None,
    };

    fn ticket(withdrawn: bool) -> Ticket {
        let state = TicketState {
            id: TicketId::from_bytes([7; 12]),
            user_id: SELLER,
            title: "Title".into(),
            price: Cents(500),
            description: "Old".into(),
            serial_number: "S".into(),
            event_id: None,
            event: None,
            withdrawn,
            created_at: Timestamp::UNIX_EPOCH,
        };
        Ticket {
            state,
            version: 0,
            status: TicketStatus::Available,
            order_id: None,
        }
    }

    #[test]
    fn the_owner_is_checked_before_anything_is_said_about_the_ticket() {
        let stranger = UserId::from_bytes([2; 12]);
        for change in [EDIT, Change::Withdraw] {
            assert_eq!(change.permit(&ticket(true), stranger), Err(Refusal::NotOwner));
        }
    }

    #[test]
    fn a_withdrawn_ticket_stays_as_it_is() {
        assert_eq!(EDIT.permit(&ticket(true), SELLER), Err(Refusal::EditOfReserved));
        assert_eq!(
            Change::Withdraw.permit(&ticket(true), SELLER),
            Err(Refusal::AlreadyWithdrawn)
        );
        assert_eq!(Change::Withdraw.permit(&ticket(false), SELLER), Ok(()));
    }

    #[test]
    fn an_edit_leaves_what_it_does_not_name() {
        let edited = EDIT.apply(ticket(false).state);
        assert_eq!(
            (edited.title.as_str(), edited.price, edited.description.as_str()),
            ("Title", Cents(700), "Old")
        );
    }
}
