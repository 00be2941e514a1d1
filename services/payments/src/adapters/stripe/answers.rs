//! What is read of Stripe's answers.

use std::collections::HashMap;

use bigtix_contracts::{Cents, PaymentId};
use miniserde::json::Value;

use super::{RefundSeen, StripeError};
use crate::domain::{Intent, IntentId, IntentStatus, RefundStatus};

#[derive(miniserde::Deserialize)]
pub(super) struct IntentBody {
    pub(super) id: String,
    status: String,
    amount: i64,
    pub(super) created: i64,
    client_secret: Option<String>,
    last_payment_error: Option<ErrorBody>,
    metadata: Option<HashMap<String, String>>,
    /// An id, or the charge where it was asked for.
    latest_charge: Option<Value>,
}

#[derive(miniserde::Deserialize)]
struct ErrorBody {
    message: Option<String>,
}

#[derive(miniserde::Deserialize)]
pub(super) struct IntentList {
    pub(super) data: Vec<IntentBody>,
    pub(super) has_more: bool,
}

#[derive(miniserde::Deserialize)]
pub(super) struct RefundBody {
    id: String,
    status: Option<String>,
}

#[derive(miniserde::Deserialize)]
pub(super) struct MethodBody {
    pub(super) id: String,
}

#[derive(miniserde::Deserialize)]
pub(super) struct TokenBody {
    pub(super) card: Option<CardBody>,
}

#[derive(miniserde::Deserialize)]
pub(super) struct CardBody {
    pub(super) id: String,
}

impl IntentBody {
    pub(super) fn payment_id(&self) -> Option<PaymentId> {
        self.metadata.as_ref()?.get("paymentId")?.parse().ok()
    }

    pub(super) fn read(&self) -> Result<Intent, StripeError> {
        let charge = match &self.latest_charge {
            Some(Value::Object(charge)) => Some(charge),
            _ => None,
        };
        let refunded = match charge.and_then(|charge| charge.get("amount_refunded")) {
            Some(Value::Number(miniserde::json::Number::U64(cents))) => {
                i64::try_from(*cents).unwrap_or(i64::MAX)
            }
            Some(Value::Number(miniserde::json::Number::I64(cents))) => *cents,
            _ => 0,
        };
        let disputed = matches!(
            charge.and_then(|charge| charge.get("disputed")),
            Some(Value::Bool(true))
        );
        Ok(Intent {
            id: IntentId(self.id.clone()),
            status: status(&self.status).ok_or(StripeError::Unreadable)?,
            amount: Cents(self.amount),
            client_secret: self.client_secret.clone(),
            last_error: self
                .last_payment_error
                .as_ref()
                .and_then(|error| error.message.clone()),
            payment_id: self.payment_id(),
            refunded: Cents(refunded),
            disputed,
        })
    }
}

fn status(word: &str) -> Option<IntentStatus> {
    Some(match word {
        "requires_payment_method" => IntentStatus::RequiresPaymentMethod,
        "requires_confirmation" => IntentStatus::RequiresConfirmation,
        "requires_action" => IntentStatus::RequiresAction,
        "processing" => IntentStatus::Processing,
        "requires_capture" => IntentStatus::RequiresCapture,
        "succeeded" => IntentStatus::Succeeded,
        "canceled" => IntentStatus::Canceled,
        _ => return None,
    })
}

impl RefundBody {
    pub(super) fn read(self) -> Result<RefundSeen, StripeError> {
        let status = match self.status.as_deref() {
            Some("succeeded") => RefundStatus::Succeeded,
            Some("pending" | "requires_action") => RefundStatus::Pending,
            Some("failed" | "canceled") => RefundStatus::Failed,
            _ => return Err(StripeError::Unreadable),
        };
        Ok(RefundSeen { id: self.id, status })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_read_with_and_without_its_charge() {
        let short = r#"{"id": "pi_1", "status": "requires_capture", "amount": 1999, "created": 1, "latest_charge": "ch_1",
            "metadata": {"paymentId": "64b0c0ffee0000000000beef"}, "currency": "usd"}"#;
        let intent = miniserde::json::from_str::<IntentBody>(short)
            .unwrap()
            .read()
            .unwrap();
        assert_eq!(
            (intent.status, intent.amount, intent.refunded),
            (IntentStatus::RequiresCapture, Cents(1999), Cents(0))
        );
        assert_eq!(
            intent.payment_id.map(|id| id.to_string()).as_deref(),
            Some("64b0c0ffee0000000000beef")
        );
        let full = r#"{"id": "pi_1", "status": "succeeded", "amount": 1999, "created": 1,
            "latest_charge": {"id": "ch_1", "amount_refunded": 1999, "disputed": true}}"#;
        let intent = miniserde::json::from_str::<IntentBody>(full)
            .unwrap()
            .read()
            .unwrap();
        assert!(intent.is_refunded() && intent.disputed);
    }

    #[test]
    fn an_unknown_word_is_not_guessed_at() {
        let body = r#"{"id": "pi_1", "status": "napping", "amount": 1999, "created": 1}"#;
        let intent = miniserde::json::from_str::<IntentBody>(body).unwrap().read();
        assert!(matches!(intent, Err(StripeError::Unreadable)));
    }
}
