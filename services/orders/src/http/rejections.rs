//! What a refusal looks like to a caller.

use bigtix_contracts::ErrorCode;
use bigtix_service::http::ApiError;

use crate::app::claim_ticket::ClaimError;
use crate::app::place_order::PlaceError;
use crate::domain::quote::Rejection;

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let message = rejection.to_string();
        match rejection {
            Rejection::TicketNotFound | Rejection::EventNotFound => Self::not_found(message),
            Rejection::Reserved(_) => Self::rule(ErrorCode::TicketReserved, message),
            Rejection::NotForSale(_) => Self::rule(ErrorCode::TicketNotForSale, message),
            Rejection::TicketsApart => Self::rule(ErrorCode::TicketsApart, message),
            Rejection::OwnTicket => Self::rule(ErrorCode::OwnTicket, message),
            Rejection::SoldOut | Rejection::AllUnavailable => Self::rule(ErrorCode::SoldOut, message),
            Rejection::TooManyHeld => Self::rule(ErrorCode::TooManyHeld, message),
            Rejection::TotalTooLarge => Self::rule(ErrorCode::TotalTooLarge, message),
            Rejection::PriceChanged => Self::conflict(ErrorCode::PriceChanged, message),
        }
    }
}

impl From<PlaceError> for ApiError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::Rejected(rejection) => rejection.into(),
            PlaceError::Unavailable(why) => Self::unavailable(why),
            PlaceError::Unknown => Self::outcome_unknown(),
            PlaceError::Store(error) => Self::unavailable("Orders cannot be read right now").caused_by(error),
            PlaceError::Owner(error) => error.into(),
        }
    }
}

impl From<ClaimError> for ApiError {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Store(error) => error.into(),
            ClaimError::Owner(error) => error.into(),
        }
    }
}
