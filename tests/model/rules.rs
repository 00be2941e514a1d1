//! The production transition functions, and the same with one planted mistake.

use bigtix_contracts::events::{CancelReason, OrderState, OrderStatus};
use bigtix_orders::domain::order::{self, Command, Guard, Verdict};
use bigtix_payments::domain::{self, Decision, End, Failure, Input, Payment, Phase};
use jiff::Timestamp;

/// A defect that the checker has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// An authorisation is captured before the order is asked.
    CaptureWithoutConfirm,
    /// Stripe is told to capture when it authorises.
    AutomaticCapture,
    /// A confirmed order is completed without the money.
    CompleteWithoutCapture,
    /// A repeated create has a new idempotency key.
    NewKeyPerCreate,
    /// A repeated refund has a new idempotency key.
    NewKeyPerRefund,
    /// An order is expired as it was read, whatever it is by then.
    ExpiryWithoutCompareAndSet,
    /// An order that awaits its payment expires.
    ExpiryOfAwaiting,
    /// The store's clock is not asked when an order is confirmed.
    ConfirmWithoutClock,
    /// A cancelled order is confirmed.
    ConfirmOfCancelled,
    /// A buyer cancels an order whose payment is under way.
    CancelOfAwaiting,
    /// A payment is stored over whatever it became meanwhile.
    NoVersionCheck,
    /// A payment goes on although its order is closed.
    ClosureIgnored,
    /// A payment whose order is closed ends without its hold being given back.
    NothingVoided,
    /// A capture without an answer counts as one that failed.
    TimeoutIsFailure,
    /// Any payment can fail the order.
    FailByAnyPayment,
    /// A refund in Stripe's dashboard is not looked at.
    RefundByHandIgnored,
    /// Tickets are read to be free, then claimed without a unique index.
    NoUniqueIndex,
}

impl Mistake {
    pub(crate) const ALL: [Self; 17] = [
        Self::CaptureWithoutConfirm,
        Self::AutomaticCapture,
        Self::CompleteWithoutCapture,
        Self::NewKeyPerCreate,
        Self::NewKeyPerRefund,
        Self::ExpiryWithoutCompareAndSet,
        Self::ExpiryOfAwaiting,
        Self::ConfirmWithoutClock,
        Self::ConfirmOfCancelled,
        Self::CancelOfAwaiting,
        Self::NoVersionCheck,
        Self::ClosureIgnored,
        Self::NothingVoided,
        Self::TimeoutIsFailure,
        Self::FailByAnyPayment,
        Self::RefundByHandIgnored,
        Self::NoUniqueIndex,
    ];
}

/// What decides in the model: production's functions, wrapped where a mistake is planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) mistake: Option<Mistake>,
}

impl Rules {
    pub(crate) fn makes(self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// What a command on an order comes to.
    pub(crate) fn decide(self, order: &OrderState, command: Command, now: Timestamp) -> Verdict {
        let is = |status| order.status == status;
        match (self.mistake, command) {
            (Some(Mistake::ConfirmOfCancelled), Command::Confirm(payment)) if is(OrderStatus::Cancelled) => {
                let confirmed = OrderState {
                    status: OrderStatus::AwaitingPayment,
                    reason: None,
                    payment_id: Some(payment),
                    ..order.clone()
                };
                Verdict::Change(Box::new(confirmed), Guard::None)
            }
            (Some(Mistake::CancelOfAwaiting), Command::Cancel) if is(OrderStatus::AwaitingPayment) => {
                cancelled(order, CancelReason::User)
            }
            (Some(Mistake::ExpiryOfAwaiting), Command::Expire)
                if is(OrderStatus::AwaitingPayment) && order.expires_at <= now =>
            {
                cancelled(order, CancelReason::Expired)
            }
            (Some(Mistake::FailByAnyPayment), Command::Fail(_)) if is(OrderStatus::AwaitingPayment) => {
                cancelled(order, CancelReason::Failed)
            }
            _ => order::decide(order, command, now),
        }
    }

    /// What a payment becomes.
    pub(crate) fn next(self, payment: &Payment, input: &Input) -> Decision {
        let become_phase = |phase: Phase, live: bool| {
            Decision::Become(Box::new(Payment {
                phase,
                live,
                ..payment.clone()
            }))
        };
        let decision = domain::next(payment, input);
        match (self.mistake, input, &payment.phase) {
            (Some(Mistake::CompleteWithoutCapture), Input::Confirmed, Phase::Authorised) => {
                become_phase(Phase::Captured, true)
            }
            (Some(Mistake::ClosureIgnored), Input::OrderClosed(_), _) => Decision::Stay,
            (Some(Mistake::NothingVoided), Input::OrderClosed(_), Phase::Authorised) => match decision {
                Decision::Become(after) => match after.phase {
                    Phase::Voiding(End::Cancelled(why)) => become_phase(Phase::Cancelled(why), false),
                    _ => Decision::Become(after),
                },
                Decision::Stay => Decision::Stay,
            },
            (Some(Mistake::RefundByHandIgnored), Input::Seen(intent), Phase::Succeeded)
                if intent.is_refunded() =>
            {
                Decision::Stay
            }
            (Some(Mistake::CaptureWithoutConfirm), Input::Seen(_), Phase::Creating) => match decision {
                Decision::Become(after) if after.phase == Phase::Authorised => {
                    Decision::Become(Box::new(Payment {
                        phase: Phase::Capturing,
                        ..*after
                    }))
                }
                decision => decision,
            },
            _ => decision,
        }
    }

    /// What a worker takes a call without an answer for.
    pub(crate) fn unanswered(self, payment: &Payment) -> Decision {
        if self.makes(Mistake::TimeoutIsFailure) && payment.phase == Phase::Capturing {
            let phase = Phase::Lapsed(Failure::Lapsed);
            return Decision::Become(Box::new(Payment {
                phase,
                ..payment.clone()
            }));
        }
        // Nothing is learnt: the call stays due.
        Decision::Stay
    }

    /// Whether the store's clock lets a change through.
    pub(crate) fn lets_through(self, guard: Guard, order: &OrderState, now: Timestamp) -> bool {
        match guard {
            Guard::None => true,
            Guard::NotOverdue => order.expires_at > now || self.makes(Mistake::ConfirmWithoutClock),
            Guard::Overdue => order.expires_at <= now,
        }
    }
}

fn cancelled(order: &OrderState, reason: CancelReason) -> Verdict {
    let next = OrderState {
        status: OrderStatus::Cancelled,
        reason: Some(reason),
        ..order.clone()
    };
    Verdict::Change(Box::new(next), Guard::None)
}
