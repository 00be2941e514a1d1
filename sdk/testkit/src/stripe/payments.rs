//! Calls about payment intents, and what the bank does about them.

use serde_json::Value;

use super::account::{Account, Answered, Context, IntentRecord};
use super::bank::no_method;
use super::error::StripeError;
use super::intent::{CancellationReason, Fact, Intent, Refusal, Step};
use super::methods::Chosen;
use super::params::{ConfirmFlags, ConfirmIntent, MethodSource, NewIntent, UpdateIntent};

impl Account {
    pub(crate) fn create_intent(&mut self, new: NewIntent, context: &Context) -> Answered<Value> {
        if new.confirm {
            if new.method.is_none() {
                return Err(no_method());
            }
            self.check_return_url(new.redirects, new.method.as_ref(), &new.flags)?;
        }
        let chosen = new
            .method
            .as_ref()
            .map(|source| self.resolve(source, context))
            .transpose()?;
        let id = self.issue("pi");
        let record = IntentRecord {
            client_secret: format!("{id}_secret_{}", self.issue("cs").trim_start_matches("cs_")),
            id: id.clone(),
            created: context.now,
            state: Intent::new(new.amount, new.capture_method),
            currency: new.currency,
            confirmation_method: new.confirmation_method,
            description: new.description,
            receipt_email: new.receipt_email,
            statement_descriptor_suffix: new.statement_descriptor_suffix,
            metadata: new
                .metadata
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            types: new.types,
            redirects: new.redirects,
            method: None,
            latest_charge: None,
            last_error: None,
            canceled_at: None,
            return_url: None,
            use_stripe_sdk: false,
            fault: None,
        };
        self.intents.insert(&id, record);
        if let Some(chosen) = chosen {
            self.attach(&id, chosen, context)?;
        }
        self.emit_intent(&id, "payment_intent.created", context);
        if new.confirm {
            self.take_to_bank(&id, &new.flags, context)?;
        }
        self.intent(&id).map(|record| self.intent_json(record, context))
    }

    pub(crate) fn update_intent(
        &mut self,
        id: &str,
        update: UpdateIntent,
        context: &Context,
    ) -> Answered<Value> {
        let state = self.intent(id)?.state;
        let chosen = match &update.method {
            Some(source) => {
                // Asked before a token is spent on it.
                state.step(Step::Attach).map_err(|why| self.refusal(id, why))?;
                Some(self.resolve(source, context)?)
            }
            None => None,
        };
        if let Some(amount) = update.amount {
            self.advance(id, Step::Amend(amount), context)?;
        }
        if let Some(chosen) = chosen {
            self.attach(id, chosen, context)?;
        }
        let record = self
            .intents
            .get_mut(id)
            .ok_or_else(|| StripeError::no_such("payment_intent", id))?;
        if update.clear_metadata {
            record.metadata.clear();
        }
        for (key, value) in update.metadata {
            // An empty value takes the key away.
            if value.is_empty() {
                record.metadata.remove(&key);
            } else {
                record.metadata.insert(key, value);
            }
        }
        record.description = update.description.or(record.description.take());
        record.receipt_email = update.receipt_email.or(record.receipt_email.take());
        self.intent(id).map(|record| self.intent_json(record, context))
    }

    pub(crate) fn confirm_intent(
        &mut self,
        id: &str,
        confirm: ConfirmIntent,
        context: &Context,
    ) -> Answered<Value> {
        let record = self.intent(id)?;
        // Confirming is legal where choosing a card is: ask before a token is spent on it.
        record
            .state
            .step(Step::Attach)
            .map_err(|why| self.refusal(id, why))?;
        if confirm.method.is_none() && !record.state.has_method {
            return Err(self.refusal(id, Refusal::NoMethod));
        }
        let redirects = record.redirects && record.return_url.is_none();
        self.check_return_url(redirects, confirm.method.as_ref(), &confirm.flags)?;
        if let Some(source) = &confirm.method {
            let chosen = self.resolve(source, context)?;
            self.attach(id, chosen, context)?;
        }
        self.take_to_bank(id, &confirm.flags, context)?;
        self.intent(id).map(|record| self.intent_json(record, context))
    }

    pub(crate) fn capture_intent(
        &mut self,
        id: &str,
        amount: Option<i64>,
        context: &Context,
    ) -> Answered<Value> {
        self.advance(id, Step::Capture(amount), context)?;
        self.intent(id).map(|record| self.intent_json(record, context))
    }

    pub(crate) fn cancel_intent(
        &mut self,
        id: &str,
        reason: Option<CancellationReason>,
        context: &Context,
    ) -> Answered<Value> {
        self.advance(id, Step::Cancel(reason), context)?;
        self.intent(id).map(|record| self.intent_json(record, context))
    }

    /// The buyer's bank has made up its mind about the buyer.
    pub(crate) fn authenticate(&mut self, id: &str, passed: bool, context: &Context) -> Answered<()> {
        let verdict = self.card_of(id)?.verdict;
        self.advance(id, Step::Authenticate { passed, verdict }, context)
            .map(drop)
    }

    /// The bank's late answer.
    pub(crate) fn settle(&mut self, id: &str, approved: bool, context: &Context) -> Answered<()> {
        self.advance(id, Step::Settle { approved }, context).map(drop)
    }

    /// The hold lapses, as it does at Stripe after seven days.
    pub(crate) fn lapse(&mut self, id: &str, context: &Context) -> Answered<()> {
        self.advance(id, Step::Lapse, context).map(drop)
    }

    /// The buyer disputes the charge.
    pub(crate) fn dispute(&mut self, id: &str, context: &Context) -> Answered<()> {
        self.advance(id, Step::Dispute, context).map(drop)
    }

    /// Stripe wants to know where to send the buyer back to, when the method may send the buyer away.
    fn check_return_url(
        &self,
        redirects: bool,
        method: Option<&MethodSource>,
        flags: &ConfirmFlags,
    ) -> Answered<()> {
        let brought = match method {
            Some(MethodSource::ConfirmationToken(id)) => self
                .confirmations
                .get(id)
                .is_some_and(|token| token.return_url.is_some()),
            _ => false,
        };
        if redirects && !brought && flags.return_url.is_none() {
            let message = "A return_url is needed because payment methods that redirect are allowed. Name \
                payment_method_types, or set automatic_payment_methods[allow_redirects]=never, to do without.";
            return Err(StripeError::parameter("return_url", message));
        }
        Ok(())
    }

    fn attach(&mut self, id: &str, chosen: Chosen, context: &Context) -> Answered<()> {
        self.advance(id, Step::Attach, context)?;
        let fault = self
            .methods
            .get(&chosen.method)
            .and_then(|method| method.given.fault);
        if let Some(token) = chosen
            .confirmation
            .as_deref()
            .and_then(|token| self.confirmations.get_mut(token))
        {
            token.intent = Some(id.to_owned());
        }
        if let Some(record) = self.intents.get_mut(id) {
            record.return_url = chosen.return_url.or(record.return_url.take());
            record.method = Some(chosen.method);
            record.fault = fault;
        }
        Ok(())
    }

    fn take_to_bank(&mut self, id: &str, flags: &ConfirmFlags, context: &Context) -> Answered<()> {
        let card = self.card_of(id)?;
        if let Some(record) = self.intents.get_mut(id) {
            record.return_url = flags.return_url.clone().or(record.return_url.take());
            record.use_stripe_sdk = flags.use_stripe_sdk.unwrap_or(false);
            record.last_error = None;
        }
        let step = Step::Confirm {
            challenge: card.challenge || flags.ask_three_d_secure,
            verdict: card.verdict,
            refuse_challenge: flags.refuse_challenge(),
        };
        let facts = self.advance(id, step, context)?;
        match facts.iter().find_map(|fact| {
            if let Fact::Declined(why) = fact {
                Some(*why)
            } else {
                None
            }
        }) {
            Some(why) => Err(self.declined(id, why)),
            None => Ok(()),
        }
    }
}
