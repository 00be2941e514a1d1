//! Money that goes back: refunds, and disputes.

use serde_json::{Value, json};

use super::account::{Account, Answered, Context, IntentRecord, RefundRecord};
use super::card::RefundCourse;
use super::error::StripeError;
use super::intent::{Refusal, Status, Step};
use super::params::NewRefund;

impl Account {
    pub(crate) fn create_refund(&mut self, new: NewRefund, context: &Context) -> Answered<Value> {
        let id = match (&new.intent, &new.charge) {
            (Some(id), charge) => {
                let Some(record) = self.intents.get(id) else {
                    return Err(StripeError::no_such_parameter(
                        "payment_intent",
                        id,
                        "payment_intent",
                    ));
                };
                if charge.is_some() && *charge != record.latest_charge {
                    return Err(
                        StripeError::parameter("charge", "The charge is not the payment intent's.")
                            .executed(),
                    );
                }
                id.clone()
            }
            (None, Some(charge)) => match self.charges.get(charge) {
                Some(charge) => charge.intent.clone(),
                None => return Err(StripeError::no_such_parameter("charge", charge, "charge")),
            },
            (None, None) => return Err(StripeError::missing("payment_intent")),
        };
        let record = self.intent(&id)?;
        let amount = new.amount.unwrap_or(record.state.refundable());
        let (charge, currency) = (
            record.latest_charge.clone().unwrap_or_default(),
            record.currency.clone(),
        );
        let method = record
            .method
            .as_deref()
            .and_then(|method| self.methods.get(method));
        let course = method.map_or(RefundCourse::Immediate, |method| method.given.card.refunds);
        self.advance(&id, Step::Refund(new.amount), context)
            .map_err(|error| match self.intents.get(&id) {
                // A hold is given back by canceling.
                Some(record) if record.state.status == Status::RequiresCapture => self.uncaptured(&id),
                _ => error,
            })?;
        let refund = RefundRecord {
            id: self.issue("re"),
            created: context.now,
            intent: id.clone(),
            charge,
            amount,
            currency,
            reason: new.reason,
            metadata: new
                .metadata
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
            status: if course == RefundCourse::Pending {
                "pending"
            } else {
                "succeeded"
            },
            course,
        };
        let refund_id = refund.id.clone();
        self.refunds.insert(&refund_id, refund);
        self.emit_refund(&refund_id, "refund.created", context);
        self.emit_charge(&id, "charge.refunded", context);
        self.refund(&refund_id)
            .map(|refund| self.refund_json(refund, context))
    }

    pub(crate) fn update_refund(
        &mut self,
        id: &str,
        metadata: Vec<(String, String)>,
        context: &Context,
    ) -> Answered<Value> {
        let refund = self
            .refunds
            .get_mut(id)
            .ok_or_else(|| StripeError::no_such("refund", id))?;
        for (key, value) in metadata {
            if value.is_empty() {
                refund.metadata.remove(&key);
            } else {
                refund.metadata.insert(key, value);
            }
        }
        self.emit_refund(id, "refund.updated", context);
        self.refund(id).map(|refund| self.refund_json(refund, context))
    }

    /// The bank's late answer to a refund.
    pub(crate) fn settle_refund(&mut self, id: &str, arrived: bool, context: &Context) -> Answered<()> {
        let refund = self.refund(id)?.clone();
        let settles = match (refund.course, refund.status, arrived) {
            (RefundCourse::Pending, "pending", _) => true,
            (RefundCourse::FailsLater, "succeeded", false) => true,
            (RefundCourse::Immediate | RefundCourse::Pending | RefundCourse::FailsLater, _, _) => false,
        };
        if !settles {
            return Err(StripeError::state(
                "status_transition_invalid",
                "This refund has nothing left to settle.",
            ));
        }
        if !arrived {
            self.advance(&refund.intent, Step::UndoRefund(refund.amount), context)?;
        }
        if let Some(record) = self.refunds.get_mut(id) {
            record.status = if arrived { "succeeded" } else { "failed" };
        }
        self.emit_refund(id, "refund.updated", context);
        if !arrived {
            self.emit_refund(id, "refund.failed", context);
        }
        Ok(())
    }

    pub(crate) fn emit_dispute(&mut self, intent: &str, context: &Context) {
        let id = self.issue("dp");
        if let Some(record) = self.intents.get(intent) {
            let method = record
                .method
                .as_deref()
                .and_then(|method| self.methods.get(method));
            let brand = method.map_or("visa", |method| method.given.card.brand);
            let object = dispute_json(&id, record, brand, context.now);
            self.emit("charge.dispute.created", object, context);
        }
    }

    fn emit_refund(&mut self, id: &str, kind: &str, context: &Context) {
        if let Some(refund) = self.refunds.get(id) {
            let object = self.refund_json(refund, &Context::default());
            self.emit(kind, object, context);
        }
    }

    fn uncaptured(&self, intent: &str) -> StripeError {
        self.refusal(intent, Refusal::State(Status::RequiresCapture))
    }
}

/// Stripe's dispute object over a whole charge.
fn dispute_json(id: &str, intent: &IntentRecord, brand: &str, created: i64) -> Value {
    json!({
        "id": id, "object": "dispute", "amount": intent.state.captured, "balance_transactions": [],
        "charge": intent.latest_charge, "created": created, "currency": intent.currency,
        "enhanced_eligibility_types": [], "evidence": { "enhanced_evidence": {} },
        "evidence_details": {
            "due_by": created + 7 * 24 * 3_600, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": false, "livemode": false, "metadata": {}, "network_reason_code": "10.4",
        "payment_intent": intent.id, "reason": "fraudulent", "status": "needs_response",
        "payment_method_details": { "type": "card", "card": {
            "brand": brand, "case_type": "chargeback", "network": brand, "network_reason_code": "10.4",
        } },
    })
}
