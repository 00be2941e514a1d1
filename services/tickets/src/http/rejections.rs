//! What a refusal looks like to a caller.

use axum::http::StatusCode;
use bigtix_contracts::ErrorCode;
use bigtix_service::http::ApiError;

use crate::app::change_ticket::ChangeError;
use crate::app::import_event::ImportError;
use crate::app::list_tickets::ListError;
use crate::domain::change::Refusal;

/// How a path speaks of a serial number that is taken.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wording {
    Canonical,
    Alias,
    /// The tickets are an array of the body.
    AliasArray,
}

/// Why nothing was listed, in the words of the path.
pub(super) fn listing_error(error: ListError, wording: Wording) -> ApiError {
    match error {
        ListError::EventNotFound => ApiError::about(
            StatusCode::BAD_REQUEST,
            ErrorCode::NotFound,
            "eventId",
            error.to_string(),
        ),
        ListError::SerialTaken { position } => {
            let (field, message) = match wording {
                Wording::Canonical => ("serialNumber".to_owned(), error.to_string()),
                Wording::Alias => ("serialNumber".to_owned(), "Ticket already exists".to_owned()),
                Wording::AliasArray => (
                    format!("tickets[{position}].serialNumber"),
                    "Ticket already exists".to_owned(),
                ),
            };
            ApiError::about(
                StatusCode::BAD_REQUEST,
                ErrorCode::SerialNumberTaken,
                field,
                message,
            )
        }
        ListError::Unknown => ApiError::outcome_unknown(),
        ListError::Store(error) => error.into(),
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::NotFound => Self::not_found(message),
            Refusal::NotOwner => Self::not_authorized(),
            Refusal::EditOfReserved | Refusal::WithdrawalOfReserved => {
                Self::rule(ErrorCode::TicketReserved, message)
            }
            Refusal::AlreadyWithdrawn => Self::rule(ErrorCode::TicketWithdrawn, message),
            Refusal::Stale => Self::conflict(ErrorCode::VersionConflict, message),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => refusal.into(),
            ChangeError::Busy => Self::unavailable(ChangeError::Busy.to_string()),
            ChangeError::Orders(error) => error.into(),
            ChangeError::Unknown(error) => Self::outcome_unknown().caused_by(error),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        let message = error.to_string();
        match error {
            ImportError::NotFound => Self::not_found(message),
            ImportError::Unavailable(cause) => Self::unavailable(message).caused_by(cause),
            ImportError::Store(error) => error.into(),
        }
    }
}
