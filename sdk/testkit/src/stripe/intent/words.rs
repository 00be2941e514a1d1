//! The words of the state machine: statuses, steps, facts and refusals.

use serde::Serialize;

use crate::stripe::card::{Decline, Verdict};

/// Where an intent stands; Stripe's seven words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No card yet, or the last one failed.
    RequiresPaymentMethod,
    /// A card, but nobody has confirmed.
    RequiresConfirmation,
    /// The buyer's bank asks for 3-D Secure.
    RequiresAction,
    /// The bank has not answered yet.
    Processing,
    /// Money is on hold and waits for a capture.
    RequiresCapture,
    /// Money was taken. Terminal.
    Succeeded,
    /// Given up; a hold was released. Terminal.
    Canceled,
}

impl Status {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::RequiresCapture => "requires_capture",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing but refunds can follow.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Canceled)
    }

    /// Whether a card can still be chosen and confirmed.
    pub(super) fn is_open(self) -> bool {
        matches!(
            self,
            Self::RequiresPaymentMethod | Self::RequiresConfirmation | Self::RequiresAction
        )
    }
}

/// When money on hold is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMethod {
    /// Together with the authorisation.
    Automatic,
    /// Likewise; what Stripe's present versions default to.
    AutomaticAsync,
    /// By a call of its own.
    Manual,
}

impl CaptureMethod {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::AutomaticAsync => "automatic_async",
            Self::Manual => "manual",
        }
    }
}

/// Why an intent was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CancellationReason {
    /// Given by the shop.
    Duplicate,
    /// Given by the shop.
    Fraudulent,
    /// Given by the shop.
    RequestedByCustomer,
    /// Given by the shop.
    Abandoned,
    /// Given by Stripe: the hold lapsed.
    Expired,
}

impl CancellationReason {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::RequestedByCustomer => "requested_by_customer",
            Self::Abandoned => "abandoned",
            Self::Expired => "expired",
        }
    }
}

/// What is asked of an intent, or happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another amount.
    Amend(i64),
    /// A card is chosen.
    Attach,
    /// Take the card to the bank.
    Confirm {
        /// Whether the bank asks for 3-D Secure first.
        challenge: bool,
        /// What the bank answers otherwise.
        verdict: Verdict,
        /// Whether the shop ruled 3-D Secure out.
        refuse_challenge: bool,
    },
    /// The buyer's bank has made up its mind about the buyer.
    Authenticate {
        /// Whether it was the buyer.
        passed: bool,
        /// What the bank then answers.
        verdict: Verdict,
    },
    /// The bank's late answer to an intent that is `processing`.
    Settle {
        /// Whether the money is there.
        approved: bool,
    },
    /// Take what is on hold, or that much of it.
    Capture(Option<i64>),
    /// Give up.
    Cancel(Option<CancellationReason>),
    /// The hold lapses by itself.
    Lapse,
    /// Give back what was taken and not given back, or that much of it.
    Refund(Option<i64>),
    /// A refund did not arrive.
    UndoRefund(i64),
    /// The buyer disputes the charge.
    Dispute,
}

/// What became true by a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// 3-D Secure is asked for.
    ActionRequired,
    /// The bank takes its time.
    Processing,
    /// The bank put `amount` on hold.
    Authorised {
        /// Cents.
        amount: i64,
    },
    /// `amount` of the hold was taken, and `released` given back.
    Captured {
        /// Cents.
        amount: i64,
        /// Cents.
        released: i64,
    },
    /// The bank refused the card.
    Declined(Decline),
    /// The buyer failed 3-D Secure.
    AuthenticationFailed,
    /// Given up, and `released` of a hold given back.
    Canceled {
        /// Cents.
        released: i64,
    },
    /// `amount` is on its way back.
    Refunded {
        /// Cents.
        amount: i64,
    },
    /// `amount` came back to the shop.
    RefundUndone {
        /// Cents.
        amount: i64,
    },
    /// The charge is disputed.
    Disputed,
}

/// Why a step is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The intent's state does not allow it.
    State(Status),
    /// There is no card to confirm.
    NoMethod,
    /// Not a positive amount.
    NotPositive,
    /// More than is on hold.
    MoreThanAuthorised {
        /// Cents that could be taken.
        capturable: i64,
    },
    /// Nothing is left to give back.
    AlreadyRefunded,
    /// More than is left to give back.
    MoreThanRefundable {
        /// Cents that could be given back.
        refundable: i64,
    },
    /// A disputed charge cannot be refunded.
    Disputed,
}
