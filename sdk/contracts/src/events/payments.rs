use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Aggregate;
use crate::{Cents, OrderId, PaymentId, UserId};

/// Where a payment stands, as buyers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Being made; it is settled by itself.
    Processing,
    /// The buyer's bank wants to ask the buyer (3-D Secure).
    RequiresAction,
    /// The money is captured.
    Succeeded,
    /// Declined; the order can be paid again.
    Failed,
    /// Voided; no money was taken.
    Cancelled,
    /// The money went back.
    Refunded,
}

/// One attempt to pay for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentState {
    /// The payment.
    pub id: PaymentId,
    /// What is paid for.
    pub order_id: OrderId,
    /// Who pays.
    pub user_id: UserId,
    /// How much, as the order said.
    pub amount: Cents,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Whether the money is authorised and not captured yet.
    #[serde(default)]
    pub authorised: bool,
    /// Stripe's id of the payment intent, once known.
    pub stripe_id: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
}

impl Aggregate for PaymentState {
    const PRODUCER: &'static str = "payments";
    const KIND: &'static str = "payment";

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn event_type(&self, _version: i64) -> &'static str {
        match self.status {
            PaymentStatus::Processing | PaymentStatus::RequiresAction if self.authorised => {
                "payment.authorised"
            }
            PaymentStatus::Processing | PaymentStatus::RequiresAction => "payment.created",
            PaymentStatus::Succeeded => "payment.succeeded",
            PaymentStatus::Failed => "payment.failed",
            PaymentStatus::Cancelled => "payment.cancelled",
            PaymentStatus::Refunded => "payment.refunded",
        }
    }
}
