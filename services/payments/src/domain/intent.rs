//! Stripe's side of a payment, reduced to what decides.

use std::fmt;

use bigtix_contracts::{Cents, PaymentId};
use serde::{Deserialize, Serialize};

/// Stripe's id of a payment intent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(pub String);

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Stripe's seven words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentStatus {
    /// The card was refused, or there is none.
    RequiresPaymentMethod,
    /// Nobody has confirmed.
    RequiresConfirmation,
    /// The buyer's bank wants to ask the buyer.
    RequiresAction,
    /// The bank has not answered yet.
    Processing,
    /// The money is on hold.
    RequiresCapture,
    /// The money is taken.
    Succeeded,
    /// Nothing can be taken any more.
    Canceled,
}

/// A payment intent as Stripe has it now.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Intent {
    /// Its id.
    pub id: IntentId,
    /// Where it stands.
    pub status: IntentStatus,
    /// What it is over.
    pub amount: Cents,
    /// What the buyer's browser needs for 3-D Secure.
    pub client_secret: Option<String>,
    /// Why the card was refused last, in Stripe's words for buyers.
    pub last_error: Option<String>,
    /// The payment that it was made for.
    pub payment_id: Option<PaymentId>,
    /// What went back to the buyer after it was taken.
    pub refunded: Cents,
    /// Whether the buyer disputes the charge.
    pub disputed: bool,
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            status,
            amount,
            client_secret: _,
            last_error,
            payment_id,
            refunded,
            disputed,
        } = self;
        f.debug_struct("Intent")
            .field("id", id)
            .field("status", status)
            .field("amount", amount)
            .field("last_error", last_error)
            .field("payment_id", payment_id)
            .field("refunded", refunded)
            .field("disputed", disputed)
            .finish_non_exhaustive()
    }
}

impl Intent {
    /// Whether all that was taken went back.
    pub fn is_refunded(&self) -> bool {
        self.status == IntentStatus::Succeeded && self.refunded >= self.amount
    }

    /// Whether money is on hold or may come to be without anybody here doing anything.
    pub fn is_open(&self) -> bool {
        match self.status {
            IntentStatus::RequiresConfirmation
            | IntentStatus::RequiresAction
            | IntentStatus::Processing
            | IntentStatus::RequiresCapture => true,
            IntentStatus::RequiresPaymentMethod | IntentStatus::Succeeded | IntentStatus::Canceled => false,
        }
    }
}
