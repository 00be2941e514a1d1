//! What the bank does: the steps of an intent, the charges that come of them, and who is told.

use super::account::{Account, Answered, ChargeRecord, Context, Outcome};
use super::card::{Card, Decline};
use super::error::StripeError;
use super::intent::{CaptureMethod, Fact, Refusal, Status, Step};

impl Account {
    pub(super) fn card_of(&self, id: &str) -> Answered<&'static Card> {
        let method = self
            .intent(id)?
            .method
            .as_deref()
            .and_then(|method| self.methods.get(method));
        method
            .map(|method| method.given.card)
            .ok_or_else(|| self.refusal(id, Refusal::State(self.status(id))))
    }

    fn status(&self, id: &str) -> Status {
        self.intents
            .get(id)
            .map_or(Status::RequiresPaymentMethod, |record| record.state.status)
    }

    /// Takes a step and tells the world what became true.
    pub(crate) fn advance(&mut self, id: &str, step: Step, context: &Context) -> Answered<Vec<Fact>> {
        let (state, facts) = self
            .intent(id)?
            .state
            .step(step)
            .map_err(|why| self.refusal(id, why))?;
        if let Some(record) = self.intents.get_mut(id) {
            record.state = state;
        }
        for fact in &facts {
            self.note(id, *fact, context);
        }
        Ok(facts)
    }

    fn note(&mut self, id: &str, fact: Fact, context: &Context) {
        let manual = self
            .intents
            .get(id)
            .is_some_and(|it| it.state.capture_method == CaptureMethod::Manual);
        match fact {
            Fact::ActionRequired => self.emit_intent(id, "payment_intent.requires_action", context),
            Fact::Processing => {
                self.charge(id, Outcome::Pending, context);
                self.emit_intent(id, "payment_intent.processing", context);
            }
            Fact::Authorised { .. } => {
                self.charge(id, Outcome::Approved, context);
                self.spend_method(id);
                self.emit_charge(id, "charge.succeeded", context);
                if manual {
                    self.emit_intent(id, "payment_intent.amount_capturable_updated", context);
                }
            }
            Fact::Captured { .. } => {
                if manual {
                    self.emit_charge(id, "charge.captured", context);
                }
                self.emit_intent(id, "payment_intent.succeeded", context);
                if self.card_of(id).is_ok_and(|card| card.disputes) {
                    // The state allows it: it was captured just now.
                    let _ = self.dispute(id, context);
                }
            }
            Fact::Declined(why) => {
                self.charge(id, Outcome::Declined(why), context);
                self.fail(id, self.card_error(id, StripeError::card(why)));
                self.emit_charge(id, "charge.failed", context);
                self.emit_intent(id, "payment_intent.payment_failed", context);
            }
            Fact::AuthenticationFailed => {
                let message = "Your card could not be authenticated. Choose another one and try again.";
                let error = StripeError::state("payment_intent_authentication_failure", message);
                self.fail(id, self.card_error(id, error));
                self.emit_intent(id, "payment_intent.payment_failed", context);
            }
            Fact::Canceled { released } => {
                if let Some(record) = self.intents.get_mut(id) {
                    record.canceled_at = Some(context.now);
                }
                if released > 0 {
                    // Stripe tells the release of a hold as a refund of the charge.
                    self.emit_charge(id, "charge.refunded", context);
                }
                self.emit_intent(id, "payment_intent.canceled", context);
            }
            Fact::Disputed => self.emit_dispute(id, context),
            // Told by the refund, which has an id of its own.
            Fact::Refunded { .. } | Fact::RefundUndone { .. } => {}
        }
    }

    /// The visit to the bank: a pending one gets its outcome, else a new one is written down.
    fn charge(&mut self, id: &str, outcome: Outcome, context: &Context) {
        let Some(record) = self.intents.get(id) else {
            return;
        };
        let pending = record.latest_charge.clone();
        if let Some(charge) = pending.and_then(|charge| self.charges.get_mut(&charge))
            && charge.outcome == Outcome::Pending
        {
            charge.outcome = outcome;
            return;
        }
        let (method, metadata) = (record.method.clone().unwrap_or_default(), record.metadata.clone());
        let charge = ChargeRecord {
            id: self.issue("ch"),
            created: context.now,
            intent: id.to_owned(),
            method,
            outcome,
            metadata,
        };
        if let Some(record) = self.intents.get_mut(id) {
            record.latest_charge = Some(charge.id.clone());
        }
        self.charges.insert(&charge.id.clone(), charge);
    }

    /// A method without a customer pays once.
    fn spend_method(&mut self, id: &str) {
        let method = self.intents.get(id).and_then(|record| record.method.clone());
        if let Some(method) = method.and_then(|method| self.methods.get_mut(&method)) {
            method.spent_on = Some(id.to_owned());
        }
    }

    fn fail(&mut self, id: &str, error: StripeError) {
        if let Some(record) = self.intents.get_mut(id) {
            record.method = None;
            record.last_error = Some(error.inner());
        }
    }

    /// An error with the charge and the card that it is about.
    fn card_error(&self, id: &str, error: StripeError) -> StripeError {
        let Some(record) = self.intents.get(id) else {
            return error;
        };
        let method = record
            .method
            .as_deref()
            .and_then(|method| self.methods.get(method));
        let error = match (&record.latest_charge, record.state.authorisations) {
            (Some(charge), 0) => error.with("charge", charge.as_str()),
            _ => error,
        };
        match method {
            Some(method) => error.with("payment_method", self.method_json(method)),
            None => error,
        }
    }

    /// 402: what `last_payment_error` says, and the intent.
    pub(super) fn declined(&self, id: &str, why: Decline) -> StripeError {
        let Some(record) = self.intents.get(id) else {
            return StripeError::card(why);
        };
        let mut error =
            StripeError::card(why).with("payment_intent", self.intent_json(record, &Context::default()));
        for field in ["charge", "payment_method"] {
            if let Some(value) = record.last_error.as_ref().and_then(|last| last.get(field)) {
                error = error.with(field, value.clone());
            }
        }
        error
    }

    /// A refusal of the state machine in Stripe's words.
    pub(crate) fn refusal(&self, id: &str, why: Refusal) -> StripeError {
        let error = match why {
            Refusal::State(status) => StripeError::state(
                "payment_intent_unexpected_state",
                format!(
                    "This PaymentIntent has a status of {}, which does not allow this.",
                    status.as_str()
                ),
            ),
            Refusal::NoMethod => no_method(),
            Refusal::NotPositive => {
                StripeError::parameter("amount", "The amount must be positive.").executed()
            }
            Refusal::MoreThanAuthorised { capturable } => StripeError::state(
                "amount_too_large",
                format!("The amount to capture is greater than the {capturable} that can be captured."),
            )
            .with("param", "amount_to_capture"),
            Refusal::AlreadyRefunded => StripeError::state(
                "charge_already_refunded",
                "This charge has already been refunded.",
            ),
            Refusal::MoreThanRefundable { refundable } => {
                let message =
                    format!("The refund is greater than the {refundable} of the charge that is left.");
                StripeError::parameter("amount", message).executed()
            }
            Refusal::Disputed => StripeError::state(
                "charge_disputed",
                "This charge is disputed and cannot be refunded.",
            ),
        };
        match (self.intents.get(id), why) {
            (Some(record), Refusal::State(_) | Refusal::NoMethod) => {
                error.with("payment_intent", self.intent_json(record, &Context::default()))
            }
            _ => error,
        }
    }

    pub(crate) fn emit_intent(&mut self, id: &str, kind: &str, context: &Context) {
        if let Some(record) = self.intents.get(id) {
            let object = self.intent_json(record, &Context::default());
            self.emit(kind, object, context);
        }
    }

    pub(crate) fn emit_charge(&mut self, id: &str, kind: &str, context: &Context) {
        let charge = self
            .intents
            .get(id)
            .and_then(|record| self.charges.get(record.latest_charge.as_deref()?));
        if let Some(charge) = charge {
            let object = self.charge_json(charge, &Context::default());
            self.emit(kind, object, context);
        }
    }
}

pub(crate) fn no_method() -> StripeError {
    let message = "This PaymentIntent cannot be confirmed because it is missing a payment method.";
    StripeError::state("payment_intent_unexpected_state", message)
}
