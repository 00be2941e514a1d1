//! A payment: one attempt to pay for an order.

use std::fmt;

use bigtix_contracts::events::{CancelReason, OrderState, OrderStatus, PaymentState, PaymentStatus};
use bigtix_contracts::{Cents, OrderId, PaymentId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{IntentId, Source};

/// One attempt to pay for an order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Payment {
    /// The payment. Stripe's idempotency keys are derived from it.
    pub id: PaymentId,
    /// What is paid for.
    pub order_id: OrderId,
    /// Who pays.
    pub user_id: UserId,
    /// How much, as the order said.
    pub amount: Cents,
    /// With what.
    pub source: Source,
    /// When it was begun.
    pub created_at: Timestamp,
    /// Starts at 0 and grows with every change.
    pub version: i64,
    /// Where it stands.
    pub phase: Phase,
    /// Whether no other payment for the order may be begun. Once false it stays false.
    pub live: bool,
    /// Stripe's intent, once known.
    pub intent: Option<IntentId>,
    /// What the buyer's browser was given for 3-D Secure.
    pub client_secret: Option<String>,
    /// Whether it has waited for the buyer's bank and does no longer: a request may have been answered with that.
    pub bank_asked: bool,
    /// Stripe's refund, while it is on its way.
    pub refund_id: Option<String>,
    /// Whether the buyer disputes the charge.
    pub disputed: bool,
}

impl fmt::Debug for Payment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payment")
            .field("id", &self.id)
            .field("order_id", &self.order_id)
            .field("amount", &self.amount)
            .field("version", &self.version)
            .field("phase", &self.phase)
            .field("live", &self.live)
            .field("intent", &self.intent)
            .finish_non_exhaustive()
    }
}

/// Where a payment stands. Each phase that is not an end names the one foreign call that is due, so that whoever finds
/// the payment after a crash knows what to do.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name", content = "with")]
pub enum Phase {
    /// Stripe is to create and confirm the intent.
    Creating,
    /// The buyer's bank asks the buyer; nobody here can do anything but look.
    RequiresAction,
    /// The money is on hold; the order is to be confirmed.
    Authorised,
    /// The order is confirmed; Stripe is to capture.
    Capturing,
    /// The money is taken; the order is to be completed.
    Captured,
    /// The money is taken and the order complete.
    Succeeded,
    /// Stripe is to cancel the intent; then it ends.
    Voiding(End),
    /// The hold is gone for ever; an order that was confirmed for it is to fail.
    Lapsed(Failure),
    /// It came to nothing, and the order can be paid again.
    Failed(Failure),
    /// It was given up because of the order.
    Cancelled(Closure),
    /// Stripe is to send the money back.
    Refunding(Refund),
    /// The money went back; the order is to be told.
    Returned(Refund),
    /// The money went back.
    Refunded(Refund),
}

/// How a payment ends once its intent is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "end", content = "why")]
pub enum End {
    /// [`Phase::Failed`].
    Failed(Failure),
    /// [`Phase::Cancelled`].
    Cancelled(Closure),
}

impl End {
    /// The phase that it is.
    pub fn phase(self) -> Phase {
        match self {
            Self::Failed(why) => Phase::Failed(why),
            Self::Cancelled(why) => Phase::Cancelled(why),
        }
    }
}

/// Why a payment came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "failure", content = "message")]
pub enum Failure {
    /// The card was refused; in Stripe's words for buyers.
    Declined(String),
    /// Stripe knows no such token, or it was used.
    Source,
    /// Stripe could not be brought to do it.
    Provider,
    /// The hold was lost or given up at Stripe before the money was taken.
    Lapsed,
}

/// What about the order ended the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closure {
    /// It ran out of time.
    Expired,
    /// It was cancelled.
    Cancelled,
    /// Another payment paid for it.
    Complete,
    /// Nothing; the buyer began another payment instead of answering the bank.
    Superseded,
}

impl Closure {
    /// Why nothing can be paid for `order` any more; `None` while something can.
    pub fn of(order: &OrderState) -> Option<Self> {
        match (order.status, order.reason) {
            (OrderStatus::Created | OrderStatus::AwaitingPayment, _) => None,
            (OrderStatus::Cancelled, Some(CancelReason::Expired)) => Some(Self::Expired),
            (OrderStatus::Cancelled, Some(CancelReason::User | CancelReason::Failed) | None) => {
                Some(Self::Cancelled)
            }
            (OrderStatus::Complete | OrderStatus::Refunded, _) => Some(Self::Complete),
        }
    }
}

/// Money on its way back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    /// Whether the order's tickets go back on sale.
    pub relist: bool,
    /// Why.
    pub cause: Cause,
}

/// Why money goes back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "by", content = "request")]
pub enum Cause {
    /// A seller or an administrator asked for it; the id is the request's.
    Asked(PaymentId),
    /// It was taken for an order that is closed.
    SafetyNet(Closure),
    /// It was done at Stripe, by hand.
    Stripe,
}

impl Payment {
    /// A payment that has just been asked for.
    pub fn begin(
        id: PaymentId,
        order_id: OrderId,
        user_id: UserId,
        amount: Cents,
        source: Source,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            order_id,
            user_id,
            amount,
            source,
            created_at,
            version: 0,
            phase: Phase::Creating,
            live: true,
            intent: None,
            client_secret: None,
            bank_asked: false,
            refund_id: None,
            disputed: false,
        }
    }

    /// Where it stands, as buyers see it.
    pub fn status(&self) -> PaymentStatus {
        match &self.phase {
            Phase::RequiresAction => PaymentStatus::RequiresAction,
            Phase::Creating | Phase::Authorised | Phase::Capturing | Phase::Captured => {
                PaymentStatus::Processing
            }
            // A hold that turned up late is given back without the buyer being told that anything is open again.
            Phase::Voiding(End::Failed(_)) | Phase::Lapsed(_) if !self.live => PaymentStatus::Failed,
            Phase::Voiding(End::Cancelled(_)) if !self.live => PaymentStatus::Cancelled,
            Phase::Voiding(_) | Phase::Lapsed(_) => PaymentStatus::Processing,
            Phase::Succeeded => PaymentStatus::Succeeded,
            Phase::Failed(_) => PaymentStatus::Failed,
            Phase::Cancelled(_) => PaymentStatus::Cancelled,
            Phase::Refunding(refund) | Phase::Returned(refund) => match refund.cause {
                Cause::SafetyNet(_) => PaymentStatus::Processing,
                Cause::Asked(_) | Cause::Stripe => PaymentStatus::Succeeded,
            },
            Phase::Refunded(_) => PaymentStatus::Refunded,
        }
    }

    /// Whether nothing happens by itself any more, the buyer's bank aside.
    pub fn is_settled(&self) -> bool {
        match &self.phase {
            Phase::RequiresAction
            | Phase::Succeeded
            | Phase::Failed(_)
            | Phase::Cancelled(_)
            | Phase::Refunded(_) => true,
            Phase::Creating
            | Phase::Authorised
            | Phase::Capturing
            | Phase::Captured
            | Phase::Voiding(_)
            | Phase::Lapsed(_)
            | Phase::Refunding(_)
            | Phase::Returned(_) => false,
        }
    }

    /// Whether its refund puts the order's tickets back on sale.
    pub fn relists(&self) -> bool {
        match &self.phase {
            Phase::Refunding(refund) | Phase::Returned(refund) | Phase::Refunded(refund) => {
                refund.relist && matches!(refund.cause, Cause::Asked(_))
            }
            Phase::Creating
            | Phase::RequiresAction
            | Phase::Authorised
            | Phase::Capturing
            | Phase::Captured
            | Phase::Succeeded
            | Phase::Voiding(_)
            | Phase::Lapsed(_)
            | Phase::Failed(_)
            | Phase::Cancelled(_) => false,
        }
    }

    /// What goes onto the bus.
    pub fn state(&self) -> PaymentState {
        PaymentState {
            id: self.id,
            order_id: self.order_id,
            user_id: self.user_id,
            amount: self.amount,
            status: self.status(),
            authorised: matches!(self.phase, Phase::Authorised | Phase::Capturing),
            stripe_id: self.intent.as_ref().map(|id| id.0.clone()),
            created_at: self.created_at,
        }
    }
}
