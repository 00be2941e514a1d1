//! The body of every answer that is not 2xx.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, in words for people and in a code for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// The first error's message, or "Request validation failed" when the body or query broke validation rules.
    pub message: String,
    /// One entry per failed rule; never empty.
    pub errors: Vec<ErrorItem>,
    /// A word of the closed list.
    pub code: ErrorCode,
}

/// One failed rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorItem {
    /// What is wrong, in one sentence.
    pub message: String,
    /// The field it is about, such as `title` or `tickets[2].price`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
}

impl Problem {
    /// A problem with one error that is about no field.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            errors: vec![ErrorItem {
                message: message.clone(),
                field: None,
            }],
            message,
            code,
        }
    }

    /// A problem with one error about `field`.
    pub fn about(code: ErrorCode, field: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            errors: vec![ErrorItem {
                message: message.clone(),
                field: Some(field.into()),
            }],
            message,
            code,
        }
    }

    /// The problem of a request that broke validation rules.
    pub fn validation(errors: Vec<ErrorItem>) -> Self {
        Self {
            message: "Request validation failed".into(),
            errors,
            code: ErrorCode::ValidationFailed,
        }
    }
}

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $word:literal),* $(,)?) => {
        /// The closed list of error codes; `docs/errors/<code>.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ErrorCode {
            $($(#[doc = $doc])* #[serde(rename = $word)] $variant,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as it stands on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

// The derive does not see through the macro, and would list the variants' names.
impl utoipa::PartialSchema for ErrorCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("A word of a closed list"))
            .enum_values(Some(Self::ALL.iter().map(|code| code.as_str())))
            .into()
    }
}

impl ToSchema for ErrorCode {}

error_codes! {
    /// The body or query broke validation rules.
    ValidationFailed = "validation_failed",
    /// The body is not JSON.
    MalformedJson = "malformed_json",
    /// The address is taken.
    EmailInUse = "email_in_use",
    /// No such user, or another password.
    InvalidCredentials = "invalid_credentials",
    /// The serial number belongs to a listing that is available or reserved.
    SerialNumberTaken = "serial_number_taken",
    /// Somebody holds the ticket.
    TicketReserved = "ticket_reserved",
    /// The ticket was withdrawn.
    TicketNotForSale = "ticket_not_for_sale",
    /// The listing is withdrawn already.
    TicketWithdrawn = "ticket_withdrawn",
    /// Sellers cannot buy from themselves.
    OwnTicket = "own_ticket",
    /// The tickets belong to different partitions of the shop, and need an order each.
    TicketsApart = "tickets_apart",
    /// Not enough free tickets of the event.
    SoldOut = "sold_out",
    /// The buyer holds too many unpaid tickets.
    TooManyHeld = "too_many_held",
    /// The order's total is above the most that can be charged.
    TotalTooLarge = "total_too_large",
    /// The price is not what the buyer expected.
    PriceChanged = "price_changed",
    /// The ticket's version is not the one that the change is based on.
    VersionConflict = "version_conflict",
    /// The order ran out of time.
    OrderExpired = "order_expired",
    /// The order was cancelled.
    OrderCancelled = "order_cancelled",
    /// The order is paid already.
    OrderComplete = "order_complete",
    /// The order's state allows no cancellation.
    OrderNotCancellable = "order_not_cancellable",
    /// The order's state allows no refund.
    OrderNotRefundable = "order_not_refundable",
    /// The amount sent is not the order's total.
    AmountMismatch = "amount_mismatch",
    /// The card was declined.
    CardDeclined = "card_declined",
    /// A webhook without a valid signature.
    InvalidSignature = "invalid_signature",
    /// Not signed in, or not the owner.
    NotAuthorized = "not_authorized",
    /// A request with a cookie from a page of another origin.
    ForeignOrigin = "foreign_origin",
    /// No such thing, or no such path.
    NotFound = "not_found",
    /// The path exists, with other methods.
    MethodNotAllowed = "method_not_allowed",
    /// The body is larger than the limit.
    PayloadTooLarge = "payload_too_large",
    /// The body is not `application/json`.
    UnsupportedMediaType = "unsupported_media_type",
    /// The idempotency key was used with another body.
    IdempotencyKeyReused = "idempotency_key_reused",
    /// Too many attempts.
    TooManyRequests = "too_many_requests",
    /// A fault of ours.
    Internal = "internal",
    /// A service could not be reached or answered nonsense.
    BadGateway = "bad_gateway",
    /// Something that is needed is away for now; nothing happened.
    Unavailable = "unavailable",
    /// It is not known whether the request took effect; repeat it with the same key.
    OutcomeUnknown = "outcome_unknown",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_as_it_is_written() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
