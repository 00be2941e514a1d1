//! What a refusal looks like to a caller.

use axum::http::StatusCode;
use bigtix_contracts::ErrorCode;
use bigtix_service::http::ApiError;

use crate::app::{Refusal, WebhookRefusal};
use crate::domain::Closure;

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::OrderNotFound | Refusal::PaymentNotFound => Self::not_found(message),
            Refusal::NotOwner => Self::not_authorized(),
            Refusal::OrderClosed(why) => closed(why),
            Refusal::AmountDiffers => Self::rule(ErrorCode::AmountMismatch, message),
            Refusal::TotalTooLarge => Self::rule(ErrorCode::TotalTooLarge, message),
            Refusal::Declined(_) => Self::new(StatusCode::PAYMENT_REQUIRED, ErrorCode::CardDeclined, message),
            Refusal::SourceRefused => Self::invalid("token", message),
            Refusal::NotRefundable => Self::rule(ErrorCode::OrderNotRefundable, message),
            Refusal::ProviderUnavailable => Self::unavailable(message).ended_without_effect(),
            Refusal::Unknown => Self::outcome_unknown(),
            Refusal::Store(error) => error.into(),
            Refusal::Orders(error) => error.into(),
        }
    }
}

fn closed(why: Closure) -> ApiError {
    match why {
        Closure::Expired => ApiError::rule(ErrorCode::OrderExpired, "Order has expired"),
        Closure::Cancelled => ApiError::rule(ErrorCode::OrderCancelled, "Cannot pay for a cancelled order"),
        Closure::Complete => ApiError::rule(ErrorCode::OrderComplete, "Order is already complete"),
        // The payment that took its place has the answer.
        Closure::Superseded => ApiError::outcome_unknown(),
    }
}

impl From<WebhookRefusal> for ApiError {
    fn from(refusal: WebhookRefusal) -> Self {
        match refusal {
            WebhookRefusal::Signature => {
                let message = "The webhook's signature is missing or not valid";
                Self::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidSignature, message)
            }
            WebhookRefusal::Unreadable(_) => Self::new(
                StatusCode::BAD_REQUEST,
                ErrorCode::MalformedJson,
                "Malformed JSON",
            ),
            WebhookRefusal::Store(error) => error.into(),
        }
    }
}
