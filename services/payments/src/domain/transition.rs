//! The state machine: what a payment becomes when something is learnt. Total: every input means something, if only
//! nothing, in every phase; so late, repeated and reordered news are harmless.

use bigtix_contracts::PaymentId;

use super::{Cause, Closure, End, Failure, Intent, IntentId, IntentStatus, Payment, Phase, Refund};

/// How a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundStatus {
    /// The bank has not answered.
    Pending,
    /// The money went back.
    Succeeded,
    /// The bank sent it back to the shop.
    Failed,
}

/// Something that was learnt about a payment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Input {
    /// Stripe has the intent, and it is so.
    Seen(Intent),
    /// Stripe ended the attempt and lists no intent of the payment.
    NoIntent,
    /// Stripe refused the card when it was asked to create the intent.
    Declined {
        /// In Stripe's words for buyers.
        message: String,
        /// The intent that is left over.
        intent: Option<IntentId>,
    },
    /// Stripe refused what the buyer pays with; nothing was made.
    SourceRefused,
    /// Stripe refused the request for another reason; nothing was made.
    ProviderRefused,
    /// The order awaits this payment.
    Confirmed,
    /// Nothing can be paid for the order, by this payment, any more.
    OrderClosed(Closure),
    /// The order is complete by this payment.
    Completed,
    /// The order does not wait for this payment any more.
    OrderFailed,
    /// The order awaits this payment, as orders sees it.
    OrderAwaits,
    /// The buyer begins another payment.
    Superseded,
    /// A seller or an administrator wants the money to go back.
    RefundAsked {
        /// Whether the tickets go back on sale.
        relist: bool,
        /// The request.
        request: PaymentId,
    },
    /// Stripe has the refund, and it is so.
    RefundSeen {
        /// Its id.
        id: String,
        /// How it stands.
        status: RefundStatus,
    },
    /// Stripe will not refund.
    RefundRefused,
    /// The order knows of the refund.
    OrderRefunded,
    /// The buyer disputes the charge.
    Disputed,
}

/// What to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Stay,
    /// Store this, if nobody else has changed the payment meanwhile.
    Become(Box<Payment>),
}

/// What `payment` becomes by `input`. The version is the store's to raise.
pub fn next(payment: &Payment, input: &Input) -> Decision {
    match input {
        Input::Seen(intent) => seen(payment, intent),
        Input::NoIntent => no_intent(payment),
        Input::Declined { message, intent } => declined(payment, message, intent.as_ref()),
        Input::SourceRefused => refused(payment, Failure::Source),
        Input::ProviderRefused => refused(payment, Failure::Provider),
        Input::Confirmed => from(payment, |phase| *phase == Phase::Authorised, Phase::Capturing),
        Input::OrderClosed(why) => order_closed(payment, *why),
        Input::Completed => from(payment, |phase| *phase == Phase::Captured, Phase::Succeeded),
        Input::OrderFailed => match &payment.phase {
            Phase::Lapsed(why) => become_phase(payment, Phase::Failed(why.clone())),
            _ => Decision::Stay,
        },
        Input::OrderAwaits => match &payment.phase {
            Phase::Failed(why) => become_phase(payment, Phase::Lapsed(why.clone())),
            Phase::Cancelled(_) => become_phase(payment, Phase::Lapsed(Failure::Lapsed)),
            _ => Decision::Stay,
        },
        Input::Superseded => {
            let end = End::Cancelled(Closure::Superseded);
            from(
                payment,
                |phase| *phase == Phase::RequiresAction,
                Phase::Voiding(end),
            )
        }
        Input::RefundAsked { relist, request } => {
            let refund = Refund {
                relist: *relist,
                cause: Cause::Asked(*request),
            };
            from(
                payment,
                |phase| *phase == Phase::Succeeded,
                Phase::Refunding(refund),
            )
        }
        Input::RefundSeen { id, status } => refund_seen(payment, id, *status),
        Input::RefundRefused => match &payment.phase {
            // The order stays complete and the money where it is.
            Phase::Refunding(Refund {
                cause: Cause::Asked(_),
                ..
            }) => become_phase(payment, Phase::Succeeded),
            _ => Decision::Stay,
        },
        Input::OrderRefunded => match &payment.phase {
            Phase::Returned(refund) => become_phase(payment, Phase::Refunded(refund.clone())),
            _ => Decision::Stay,
        },
        Input::Disputed if !payment.disputed => Decision::Become(Box::new(Payment {
            disputed: true,
            ..payment.clone()
        })),
        Input::Disputed => Decision::Stay,
    }
}

/// `payment` in `phase`. An order whose payment failed or was given up can be paid anew.
fn in_phase(payment: &Payment, phase: Phase) -> Payment {
    let ended = matches!(phase, Phase::Failed(_) | Phase::Cancelled(_));
    let client_secret = payment
        .client_secret
        .clone()
        .filter(|_| phase == Phase::RequiresAction);
    Payment {
        live: payment.live && !ended,
        client_secret,
        bank_asked: payment.bank_asked || payment.phase == Phase::RequiresAction,
        phase,
        ..payment.clone()
    }
}

fn become_phase(payment: &Payment, phase: Phase) -> Decision {
    Decision::Become(Box::new(in_phase(payment, phase)))
}

fn from(payment: &Payment, fits: impl Fn(&Phase) -> bool, phase: Phase) -> Decision {
    if fits(&payment.phase) {
        become_phase(payment, phase)
    } else {
        Decision::Stay
    }
}

/// The change to `phase`, together with the intent's id; nothing when neither is new.
fn with_intent(payment: &Payment, id: &IntentId, phase: Phase) -> Decision {
    let known = payment.intent.clone().unwrap_or_else(|| id.clone());
    let after = Payment {
        intent: Some(known),
        ..in_phase(payment, phase)
    };
    if after == *payment {
        Decision::Stay
    } else {
        Decision::Become(Box::new(after))
    }
}

fn seen(payment: &Payment, intent: &Intent) -> Decision {
    if payment.intent.as_ref().is_some_and(|id| *id != intent.id) {
        return Decision::Stay;
    }
    let phase = match &payment.phase {
        Phase::Creating | Phase::RequiresAction => seen_before_the_hold(payment, intent),
        Phase::Authorised => match intent.status {
            // The order may have been confirmed by a call whose answer was lost.
            IntentStatus::Canceled | IntentStatus::RequiresPaymentMethod => Phase::Lapsed(Failure::Lapsed),
            _ => Phase::Authorised,
        },
        Phase::Capturing => match intent.status {
            IntentStatus::Succeeded => Phase::Captured,
            IntentStatus::Canceled | IntentStatus::RequiresPaymentMethod => Phase::Lapsed(Failure::Lapsed),
            _ => Phase::Capturing,
        },
        Phase::Voiding(end) => match intent.status {
            IntentStatus::Canceled => end.clone().phase(),
            IntentStatus::Succeeded if intent.is_refunded() => end.clone().phase(),
            IntentStatus::Succeeded => Phase::Refunding(safety_net(end)),
            _ => Phase::Voiding(end.clone()),
        },
        Phase::Failed(why) => seen_after_the_end(intent, End::Failed(why.clone())),
        Phase::Cancelled(why) => seen_after_the_end(intent, End::Cancelled(*why)),
        Phase::Succeeded if intent.is_refunded() => Phase::Returned(Refund {
            relist: false,
            cause: Cause::Stripe,
        }),
        // The refund was made by somebody else, so that there is none of ours to wait for.
        Phase::Refunding(refund) if intent.is_refunded() && payment.refund_id.is_none() => returned(refund),
        settled @ (Phase::Captured
        | Phase::Succeeded
        | Phase::Lapsed(_)
        | Phase::Refunding(_)
        | Phase::Returned(_)
        | Phase::Refunded(_)) => settled.clone(),
    };
    let asks = phase == Phase::RequiresAction;
    match with_intent(payment, &intent.id, phase) {
        Decision::Become(after) if asks && after.client_secret.is_none() => {
            Decision::Become(Box::new(Payment {
                client_secret: intent.client_secret.clone(),
                ..*after
            }))
        }
        decision => decision,
    }
}

fn seen_before_the_hold(payment: &Payment, intent: &Intent) -> Phase {
    let was_asked = payment.phase == Phase::RequiresAction;
    match intent.status {
        IntentStatus::RequiresPaymentMethod => {
            let why = match &intent.last_error {
                Some(message) => Failure::Declined(message.clone()),
                None => Failure::Source,
            };
            // The browser knows the intent's secret and could try another card behind our back.
            if was_asked {
                Phase::Voiding(End::Failed(why))
            } else {
                Phase::Failed(why)
            }
        }
        IntentStatus::RequiresConfirmation | IntentStatus::Processing => payment.phase.clone(),
        IntentStatus::RequiresAction => Phase::RequiresAction,
        IntentStatus::RequiresCapture if intent.amount != payment.amount => {
            Phase::Voiding(End::Failed(Failure::Provider))
        }
        // Money that was taken too early is for an order that is to be asked all the same.
        IntentStatus::RequiresCapture | IntentStatus::Succeeded => Phase::Authorised,
        IntentStatus::Canceled => Phase::Failed(Failure::Lapsed),
    }
}

/// A hold or a charge that turns up after the payment has ended.
fn seen_after_the_end(intent: &Intent, end: End) -> Phase {
    match intent.status {
        IntentStatus::Succeeded if !intent.is_refunded() => Phase::Refunding(safety_net(&end)),
        _ if intent.is_open() => Phase::Voiding(end),
        _ => end.phase(),
    }
}

fn no_intent(payment: &Payment) -> Decision {
    match &payment.phase {
        Phase::Creating if payment.intent.is_none() => {
            become_phase(payment, Phase::Failed(Failure::Provider))
        }
        Phase::Voiding(end) if payment.intent.is_none() => become_phase(payment, end.clone().phase()),
        _ => Decision::Stay,
    }
}

fn declined(payment: &Payment, message: &str, intent: Option<&IntentId>) -> Decision {
    let phase = match &payment.phase {
        Phase::Creating => Phase::Failed(Failure::Declined(message.to_owned())),
        // There is nothing to cancel.
        Phase::Voiding(end) if payment.intent.is_none() => end.clone().phase(),
        _ => return Decision::Stay,
    };
    let after = in_phase(payment, phase);
    let intent = payment.intent.clone().or_else(|| intent.cloned());
    Decision::Become(Box::new(Payment { intent, ..after }))
}

fn refused(payment: &Payment, why: Failure) -> Decision {
    match &payment.phase {
        Phase::Creating if payment.intent.is_none() => become_phase(payment, Phase::Failed(why)),
        Phase::Voiding(end) if payment.intent.is_none() => become_phase(payment, end.clone().phase()),
        _ => Decision::Stay,
    }
}

fn order_closed(payment: &Payment, why: Closure) -> Decision {
    match &payment.phase {
        Phase::Creating | Phase::RequiresAction | Phase::Authorised | Phase::Capturing => {
            become_phase(payment, Phase::Voiding(End::Cancelled(why)))
        }
        Phase::Captured => become_phase(payment, Phase::Refunding(safety_net(&End::Cancelled(why)))),
        Phase::Succeeded
        | Phase::Voiding(_)
        | Phase::Lapsed(_)
        | Phase::Failed(_)
        | Phase::Cancelled(_)
        | Phase::Refunding(_)
        | Phase::Returned(_)
        | Phase::Refunded(_) => Decision::Stay,
    }
}

fn refund_seen(payment: &Payment, id: &str, status: RefundStatus) -> Decision {
    let Phase::Refunding(refund) = &payment.phase else {
        return Decision::Stay;
    };
    let phase = match status {
        RefundStatus::Succeeded => returned(refund),
        // A failed one stays open and is told to people: the shop owes the money.
        RefundStatus::Pending | RefundStatus::Failed => payment.phase.clone(),
    };
    let after = Payment {
        refund_id: Some(id.to_owned()),
        ..in_phase(payment, phase)
    };
    if after == *payment {
        Decision::Stay
    } else {
        Decision::Become(Box::new(after))
    }
}

/// The money is back. A closed order has nothing to learn from that.
fn returned(refund: &Refund) -> Phase {
    match refund.cause {
        Cause::SafetyNet(_) => Phase::Refunded(refund.clone()),
        Cause::Asked(_) | Cause::Stripe => Phase::Returned(refund.clone()),
    }
}

fn safety_net(end: &End) -> Refund {
    let why = match end {
        End::Cancelled(why) => *why,
        End::Failed(_) => Closure::Cancelled,
    };
    Refund {
        relist: false,
        cause: Cause::SafetyNet(why),
    }
}

#[cfg(test)]
mod tests;
