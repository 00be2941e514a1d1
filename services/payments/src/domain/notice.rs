//! What a webhook of Stripe's asks for. It only says where to look.

use super::{Payment, Phase};

/// What an event can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// How an intent stands.
    Intent,
    /// Money that went back.
    Refund,
    /// A buyer who disputes a charge.
    Dispute,
    /// Nothing of ours.
    Other,
}

/// What to do about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Nothing.
    Done,
    /// Note the dispute.
    Dispute,
    /// Ask Stripe how the intent stands now.
    Look,
    /// Read it again later.
    Later,
}

/// What an event about `payment` asks for. `is_leased` says that somebody works on the payment.
pub fn reading(topic: Topic, payment: &Payment, is_leased: bool) -> Reading {
    match topic {
        Topic::Other => Reading::Done,
        Topic::Dispute => Reading::Dispute,
        Topic::Intent if is_past_capture(payment) => Reading::Done,
        // The hold of a payment that came to nothing is released by a "refund", too.
        Topic::Refund if matches!(payment.phase, Phase::Returned(_) | Phase::Refunded(_)) => Reading::Done,
        Topic::Intent | Topic::Refund if is_leased => Reading::Later,
        Topic::Refund if !payment.is_settled() && !matches!(payment.phase, Phase::Refunding(_)) => {
            Reading::Later
        }
        Topic::Intent | Topic::Refund => Reading::Look,
    }
}

/// Whether nothing that a payment intent can become matters any more.
fn is_past_capture(payment: &Payment) -> bool {
    matches!(
        payment.phase,
        Phase::Captured | Phase::Succeeded | Phase::Refunding(_) | Phase::Returned(_) | Phase::Refunded(_)
    )
}
