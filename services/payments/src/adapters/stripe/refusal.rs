//! What it means that Stripe did not do as it was asked: never, not like this, or nobody knows.

use stripe::{ApiErrors, ApiErrorsCode};

use crate::domain::IntentId;

/// Why a call to Stripe came to nothing that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StripeError {
    /// The card was refused.
    #[error("the card was declined")]
    Declined {
        /// In Stripe's words for buyers.
        message: String,
        /// The intent that is left over.
        intent: Option<IntentId>,
    },
    /// There is no such payment method, token or confirmation token, or it was used.
    #[error("what the buyer pays with is refused: {0}")]
    Source(String),
    /// Stripe refused the request.
    #[error("refused with {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error code and message.
        reason: String,
    },
    /// Nothing was done, or is done right now: too many requests, or the key is in use.
    #[error("try again: {0}")]
    Busy(String),
    /// Stripe ended the request with an error of its own; it may have had its effect.
    #[error("an error of the provider's own: {0}")]
    Broken(String),
    /// No answer in time, or none at all; it may have had its effect.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The answer does not hold what it must.
    #[error("the answer cannot be read")]
    Unreadable,
}

impl StripeError {
    /// Whether nothing is said but that it is refused, as Stripe never does.
    pub(super) fn is_a_bare_refusal(&self) -> bool {
        matches!(self, Self::Refused { status: 400, reason } if reason == "Bad request")
    }

    /// The same of what the buyer pays with, where nothing else was named.
    pub(super) fn of_a_source(self) -> Self {
        match self {
            Self::Refused { status: 404, reason } if reason == "Not Found" => Self::Source(reason),
            other => other,
        }
    }
}

impl From<stripe::StripeError> for StripeError {
    fn from(error: stripe::StripeError) -> Self {
        match error {
            stripe::StripeError::Stripe(body, status) => refused(*body, status),
            stripe::StripeError::Timeout => Self::NoAnswer("timeout".to_owned()),
            stripe::StripeError::ClientError(why) => Self::NoAnswer(why),
            stripe::StripeError::ConfigError(why) => Self::Refused {
                status: 0,
                reason: why,
            },
            // A refusal in another shape than Stripe's counts as unreadable, too.
            stripe::StripeError::JSONDeserialize(_) => Self::Unreadable,
        }
    }
}

fn refused(body: ApiErrors, status: u16) -> StripeError {
    let message = body.message.clone().unwrap_or_default();
    let reason = match &body.code {
        Some(code) => format!("{code}: {message}"),
        None => message.clone(),
    };
    match status {
        402 => StripeError::Declined {
            message: if message.is_empty() {
                "Your card was declined.".to_owned()
            } else {
                message
            },
            intent: body.payment_intent.map(|intent| IntentId(intent.id.to_string())),
        },
        409 | 425 | 429 => StripeError::Busy(reason),
        500.. => StripeError::Broken(reason),
        // The key was used with other parameters, which would be a fault of ours: nothing is known.
        400 if reason.contains("idempotent")
            || matches!(body.type_, stripe::ApiErrorsType::IdempotencyError) =>
        {
            StripeError::NoAnswer(reason)
        }
        _ if is_about_the_source(&body) => StripeError::Source(reason),
        _ => StripeError::Refused { status, reason },
    }
}

fn is_about_the_source(body: &ApiErrors) -> bool {
    const PARAMETERS: [&str; 4] = ["payment_method", "confirmation_token", "card", "token"];
    let param = body.param.as_deref().unwrap_or_default();
    let named = PARAMETERS
        .iter()
        .any(|name| param == *name || param.starts_with(&format!("{name}[")));
    named
        || matches!(
            body.code,
            Some(ApiErrorsCode::TokenAlreadyUsed | ApiErrorsCode::TokenInUse)
        )
}
