//! Stripe in the model: what its documentation promises, and no more kindness than that.

use bigtix_contracts::{Cents, PaymentId};
use bigtix_payments::domain::{Input, Intent, IntentId, IntentStatus, RefundStatus};

use super::rules::{Mistake, Rules};

/// What every payment is over.
pub(crate) const AMOUNT: Cents = Cents(1999);

/// What the bank says when an intent is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Bank {
    /// The money is on hold.
    Approves,
    /// The buyer is to be asked.
    Asks,
    /// The bank takes its time.
    Thinks,
    /// The card is refused.
    Declines,
    /// Stripe fails before anything happens, and forgets the attempt.
    IsNotReached,
}

impl Bank {
    pub(crate) const ALL: [Self; 5] = [
        Self::Approves,
        Self::Asks,
        Self::Thinks,
        Self::Declines,
        Self::IsNotReached,
    ];
}

/// An intent as Stripe has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Record {
    pub(crate) status: IntentStatus,
    /// What the key of its creation answers for ever.
    first: IntentStatus,
    pub(crate) captures: u8,
    pub(crate) refunds: u8,
    /// Whether the key of the refund was used.
    refund_asked: bool,
    /// Whether the bank has yet to take the refund.
    refund_pending: bool,
}

impl Record {
    fn new(status: IntentStatus) -> Self {
        Self {
            status,
            first: status,
            captures: u8::from(status == IntentStatus::Succeeded),
            refunds: 0,
            refund_asked: false,
            refund_pending: false,
        }
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.captures > self.refunds
    }
}

/// Everything that Stripe has of one payment: one intent, as long as its key is the same each time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Books {
    payment: PaymentId,
    pub(crate) intents: Vec<Record>,
}

impl Books {
    pub(crate) fn new(payment: PaymentId) -> Self {
        Self {
            payment,
            intents: Vec::new(),
        }
    }

    /// The intent that a list shows first.
    fn newest(&self) -> Option<(usize, Record)> {
        self.intents.len().checked_sub(1).map(|at| (at, self.intents[at]))
    }

    fn named(&self, id: &IntentId) -> Option<usize> {
        (0..self.intents.len()).find(|at| self.id(*at) == *id)
    }

    fn id(&self, at: usize) -> IntentId {
        IntentId(format!("pi_{}_{at}", self.payment.bytes()[0]))
    }

    fn show(&self, at: usize, record: &Record, status: IntentStatus) -> Input {
        let refunded = if record.refunds > 0 && !record.refund_pending {
            AMOUNT
        } else {
            Cents(0)
        };
        Input::Seen(Intent {
            id: self.id(at),
            status,
            amount: AMOUNT,
            client_secret: Some("secret".to_owned()),
            last_error: (status == IntentStatus::RequiresPaymentMethod).then(|| "declined".to_owned()),
            payment_id: Some(self.payment),
            refunded,
            disputed: false,
        })
    }

    /// How the intent stands now.
    pub(crate) fn retrieve(&self, id: Option<&IntentId>) -> Option<Input> {
        let at = match id {
            Some(id) => self.named(id)?,
            None => self.newest()?.0,
        };
        Some(self.show(at, &self.intents[at], self.intents[at].status))
    }

    /// Creates and confirms the intent; what may be answered. Its key answers what it answered first, and whoever asks
    /// again may have looked at the list before.
    pub(crate) fn create(&mut self, bank: Bank, rules: Rules) -> Vec<Input> {
        if let Some((at, record)) = self.newest()
            && !(rules.makes(Mistake::NewKeyPerCreate) && self.intents.len() < 2)
        {
            let replayed = match record.first {
                IntentStatus::RequiresPaymentMethod => self.declined(at),
                first => self.show(at, &record, first),
            };
            let listed = self.show(at, &record, record.status);
            return vec![replayed, listed];
        }
        let status = match bank {
            Bank::IsNotReached => return vec![Input::NoIntent],
            Bank::Approves if rules.makes(Mistake::AutomaticCapture) => IntentStatus::Succeeded,
            Bank::Approves => IntentStatus::RequiresCapture,
            Bank::Asks => IntentStatus::RequiresAction,
            Bank::Thinks => IntentStatus::Processing,
            Bank::Declines => IntentStatus::RequiresPaymentMethod,
        };
        self.intents.push(Record::new(status));
        let at = self.intents.len() - 1;
        match bank {
            Bank::Declines => vec![self.declined(at)],
            _ => vec![self.show(at, &self.intents[at], status)],
        }
    }

    fn declined(&self, at: usize) -> Input {
        Input::Declined {
            message: "declined".to_owned(),
            intent: Some(self.id(at)),
        }
    }

    pub(crate) fn capture(&mut self, id: &IntentId) -> Option<Input> {
        let at = self.named(id)?;
        let record = &mut self.intents[at];
        if record.status == IntentStatus::RequiresCapture {
            record.status = IntentStatus::Succeeded;
            record.captures += 1;
        }
        self.retrieve(Some(id))
    }

    pub(crate) fn cancel(&mut self, id: &IntentId) -> Option<Input> {
        let at = self.named(id)?;
        let record = &mut self.intents[at];
        if record.status != IntentStatus::Succeeded {
            record.status = IntentStatus::Canceled;
        }
        self.retrieve(Some(id))
    }

    /// Sends the money back once per key. Stripe itself refuses to return more than was taken; nothing rests on that.
    pub(crate) fn refund(&mut self, id: &IntentId, is_slow: bool, rules: Rules) -> Option<Input> {
        let at = self.named(id)?;
        let is_repeated = self.intents[at].refund_asked && !rules.makes(Mistake::NewKeyPerRefund);
        let record = &mut self.intents[at];
        if record.status != IntentStatus::Succeeded {
            return self.retrieve(Some(id));
        }
        if !record.refund_asked && record.refunds > 0 {
            // Somebody else sent it back; the refusal is followed by a look.
            return self.retrieve(Some(id));
        }
        if !is_repeated {
            record.refund_asked = true;
            record.refund_pending = is_slow;
            record.refunds = (record.refunds + 1).min(2);
        }
        Some(self.refund_shown(at))
    }

    fn refund_shown(&self, at: usize) -> Input {
        Input::RefundSeen {
            id: "re_1".to_owned(),
            status: if self.intents[at].refund_pending {
                RefundStatus::Pending
            } else {
                RefundStatus::Succeeded
            },
        }
    }

    pub(crate) fn read_refund(&self, id: &IntentId) -> Option<Input> {
        self.named(id).map(|at| self.refund_shown(at))
    }

    /// What happens at Stripe without the shop: banks and buyers answer, holds lapse, people press buttons.
    pub(crate) fn happenings(&self) -> Vec<Happening> {
        let Some((_, record)) = self.newest() else {
            return Vec::new();
        };
        match record.status {
            IntentStatus::RequiresAction | IntentStatus::Processing => {
                vec![Happening::Approved, Happening::Refused]
            }
            IntentStatus::RequiresCapture => vec![Happening::Lapsed],
            IntentStatus::Succeeded if record.refund_pending => vec![Happening::RefundArrived],
            IntentStatus::Succeeded if record.refunds == 0 => vec![Happening::RefundedByHand],
            IntentStatus::Succeeded
            | IntentStatus::RequiresPaymentMethod
            | IntentStatus::RequiresConfirmation
            | IntentStatus::Canceled => Vec::new(),
        }
    }

    pub(crate) fn happens(&mut self, what: Happening) {
        let Some(record) = self.intents.last_mut() else {
            return;
        };
        match what {
            Happening::Approved => record.status = IntentStatus::RequiresCapture,
            Happening::Refused => record.status = IntentStatus::RequiresPaymentMethod,
            Happening::Lapsed => record.status = IntentStatus::Canceled,
            Happening::RefundArrived => record.refund_pending = false,
            Happening::RefundedByHand => record.refunds += 1,
        }
    }
}

/// Something that happens at Stripe by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Happening {
    /// The bank or its buyer agrees.
    Approved,
    /// The bank or its buyer does not.
    Refused,
    /// The hold is given up, by the bank or in Stripe's dashboard.
    Lapsed,
    /// The bank takes the refund.
    RefundArrived,
    /// Somebody refunds in Stripe's dashboard.
    RefundedByHand,
}
