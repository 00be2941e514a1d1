//! The life of a PaymentIntent: a pure state machine over total functions. No clock, no ids, no IO.
//!
//! [`Intent::step`] either refuses, and nothing has changed, or answers the next state with the facts that became true.

mod words;

use super::card::{Decline, Verdict};
pub use words::{CancellationReason, CaptureMethod, Fact, Refusal, Status, Step};

/// A PaymentIntent reduced to what decides. All amounts are cents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Where it stands.
    pub status: Status,
    /// When money is taken.
    pub capture_method: CaptureMethod,
    /// What the shop asks for.
    pub amount: i64,
    /// Whether a card is attached.
    pub has_method: bool,
    /// What the bank put on hold, ever.
    pub authorised: i64,
    /// How often it put something on hold.
    pub authorisations: u32,
    /// What was taken of it.
    pub captured: i64,
    /// How often something was taken.
    pub captures: u32,
    /// What of the hold was given back without being taken.
    pub released: i64,
    /// What was taken and given back.
    pub refunded: i64,
    /// Whether the buyer disputes the charge.
    pub disputed: bool,
    /// Set once it is canceled with a reason.
    pub cancellation: Option<CancellationReason>,
}

type Next = Result<(Intent, Vec<Fact>), Refusal>;

impl Intent {
    /// A new intent over `amount` cents, without a card.
    pub fn new(amount: i64, capture_method: CaptureMethod) -> Self {
        Self {
            status: Status::RequiresPaymentMethod,
            capture_method,
            amount,
            has_method: false,
            authorised: 0,
            authorisations: 0,
            captured: 0,
            captures: 0,
            released: 0,
            refunded: 0,
            disputed: false,
            cancellation: None,
        }
    }

    /// Cents on hold that a capture could take.
    pub fn capturable(&self) -> i64 {
        match self.status {
            Status::RequiresCapture => self.authorised - self.released,
            _ => 0,
        }
    }

    /// Cents that a refund could give back.
    pub fn refundable(&self) -> i64 {
        self.captured - self.refunded
    }

    /// The next state and what became true, or why not.
    ///
    /// # Errors
    /// A [`Refusal`]; the intent is as it was.
    pub fn step(&self, step: Step) -> Next {
        match step {
            Step::Amend(amount) => self.amend(amount),
            Step::Attach => self.attach(),
            Step::Confirm {
                challenge,
                verdict,
                refuse_challenge,
            } => self.confirm(challenge, verdict, refuse_challenge),
            Step::Authenticate { passed, verdict } => self.authenticate(passed, verdict),
            Step::Settle { approved } => self.settle(approved),
            Step::Capture(amount) => self.capture(amount),
            Step::Cancel(reason) => self.cancel(reason),
            Step::Lapse => self.lapse(),
            Step::Refund(amount) => self.refund(amount),
            Step::UndoRefund(amount) => self.undo_refund(amount),
            Step::Dispute => self.dispute(),
        }
    }

    fn amend(&self, amount: i64) -> Next {
        if !self.status.is_open() {
            return Err(Refusal::State(self.status));
        }
        if amount <= 0 {
            return Err(Refusal::NotPositive);
        }
        Ok((Self { amount, ..*self }, Vec::new()))
    }

    fn attach(&self) -> Next {
        if !self.status.is_open() {
            return Err(Refusal::State(self.status));
        }
        Ok((
            Self {
                status: Status::RequiresConfirmation,
                has_method: true,
                ..*self
            },
            Vec::new(),
        ))
    }

    fn confirm(&self, challenge: bool, verdict: Verdict, refuse_challenge: bool) -> Next {
        if !self.status.is_open() {
            return Err(Refusal::State(self.status));
        }
        if !self.has_method {
            return Err(Refusal::NoMethod);
        }
        Ok(match (challenge, refuse_challenge) {
            (true, true) => self.declined(Decline::AuthenticationRequired),
            (true, false) => (
                Self {
                    status: Status::RequiresAction,
                    ..*self
                },
                vec![Fact::ActionRequired],
            ),
            (false, _) => self.decided(verdict),
        })
    }

    fn authenticate(&self, passed: bool, verdict: Verdict) -> Next {
        match (self.status, passed) {
            (Status::RequiresAction, true) => Ok(self.decided(verdict)),
            (Status::RequiresAction, false) => Ok((self.without_method(), vec![Fact::AuthenticationFailed])),
            (status, _) => Err(Refusal::State(status)),
        }
    }

    fn settle(&self, approved: bool) -> Next {
        match (self.status, approved) {
            (Status::Processing, true) => Ok(self.approved()),
            (Status::Processing, false) => Ok(self.declined(Decline::Generic)),
            (status, _) => Err(Refusal::State(status)),
        }
    }

    fn decided(&self, verdict: Verdict) -> (Self, Vec<Fact>) {
        match verdict {
            Verdict::Approved => self.approved(),
            Verdict::Declined(why) => self.declined(why),
            Verdict::Pending => (
                Self {
                    status: Status::Processing,
                    ..*self
                },
                vec![Fact::Processing],
            ),
        }
    }

    fn approved(&self) -> (Self, Vec<Fact>) {
        let amount = self.amount;
        let held = Self {
            authorised: amount,
            authorisations: self.authorisations + 1,
            ..*self
        };
        let authorised = Fact::Authorised { amount };
        match self.capture_method {
            CaptureMethod::Manual => (
                Self {
                    status: Status::RequiresCapture,
                    ..held
                },
                vec![authorised],
            ),
            CaptureMethod::Automatic | CaptureMethod::AutomaticAsync => (
                Self {
                    status: Status::Succeeded,
                    captured: amount,
                    captures: self.captures + 1,
                    ..held
                },
                vec![authorised, Fact::Captured { amount, released: 0 }],
            ),
        }
    }

    fn declined(&self, why: Decline) -> (Self, Vec<Fact>) {
        (self.without_method(), vec![Fact::Declined(why)])
    }

    fn without_method(&self) -> Self {
        Self {
            status: Status::RequiresPaymentMethod,
            has_method: false,
            ..*self
        }
    }

    fn capture(&self, amount: Option<i64>) -> Next {
        let capturable = self.capturable();
        if self.status != Status::RequiresCapture {
            return Err(Refusal::State(self.status));
        }
        let amount = amount.unwrap_or(capturable);
        if amount <= 0 {
            return Err(Refusal::NotPositive);
        }
        if amount > capturable {
            return Err(Refusal::MoreThanAuthorised { capturable });
        }
        let released = capturable - amount;
        let next = Self {
            status: Status::Succeeded,
            captured: amount,
            captures: self.captures + 1,
            released: self.released + released,
            ..*self
        };
        Ok((next, vec![Fact::Captured { amount, released }]))
    }

    fn cancel(&self, reason: Option<CancellationReason>) -> Next {
        let released = self.capturable();
        if !self.status.is_open() && self.status != Status::RequiresCapture {
            return Err(Refusal::State(self.status));
        }
        let next = Self {
            status: Status::Canceled,
            released: self.released + released,
            cancellation: reason,
            ..*self
        };
        Ok((next, vec![Fact::Canceled { released }]))
    }

    fn lapse(&self) -> Next {
        match self.status {
            Status::RequiresCapture => self.cancel(Some(CancellationReason::Expired)),
            status => Err(Refusal::State(status)),
        }
    }

    fn refund(&self, amount: Option<i64>) -> Next {
        let refundable = self.refundable();
        if self.captured == 0 {
            return Err(Refusal::State(self.status));
        }
        if self.disputed {
            return Err(Refusal::Disputed);
        }
        if refundable == 0 {
            return Err(Refusal::AlreadyRefunded);
        }
        let amount = amount.unwrap_or(refundable);
        if amount <= 0 {
            return Err(Refusal::NotPositive);
        }
        if amount > refundable {
            return Err(Refusal::MoreThanRefundable { refundable });
        }
        Ok((
            Self {
                refunded: self.refunded + amount,
                ..*self
            },
            vec![Fact::Refunded { amount }],
        ))
    }

    fn undo_refund(&self, amount: i64) -> Next {
        if amount <= 0 || amount > self.refunded {
            return Err(Refusal::NotPositive);
        }
        Ok((
            Self {
                refunded: self.refunded - amount,
                ..*self
            },
            vec![Fact::RefundUndone { amount }],
        ))
    }

    fn dispute(&self) -> Next {
        if self.captured == 0 || self.disputed {
            return Err(Refusal::State(self.status));
        }
        Ok((
            Self {
                disputed: true,
                ..*self
            },
            vec![Fact::Disputed],
        ))
    }
}

#[cfg(test)]
mod tests;
