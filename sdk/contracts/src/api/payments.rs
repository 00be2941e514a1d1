//! Payments.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::events::PaymentStatus;
use crate::{Dollars, OrderId, PaymentId};

/// One attempt to pay for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// The payment.
    pub id: PaymentId,
    /// What is paid for.
    pub order_id: OrderId,
    /// Stripe's id of the payment intent, once known.
    pub stripe_id: Option<String>,
    /// How much.
    pub amount: Dollars,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What the buyer's browser needs while the bank asks; only with `requires_action`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_secret: Option<String>,
    /// Whether `status` is `succeeded`.
    pub success: bool,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Starts at 0 and grows with every change.
    pub version: i64,
}

/// What `/new` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewPayment {
    /// Where the payment stands.
    pub status: PaymentStatus,
    /// Only with `requires_action`, else null.
    pub client_secret: Option<String>,
}

/// What the webhook answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookReceived {
    /// Always true.
    pub received: bool,
}
