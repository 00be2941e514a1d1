//! Stripe's JSON of each object, with every field that the real one carries for cards.

use serde_json::{Value, json};

use super::account::{
    Account, ChargeRecord, ConfirmationRecord, Context, Given, IntentRecord, MethodRecord, Outcome,
    RefundRecord, TokenRecord,
};
use super::intent::{CaptureMethod, Status};

/// How long a hold lasts, in seconds.
const HOLD: i64 = 7 * 24 * 3_600;
/// How long a confirmation token lasts, in seconds.
const CONFIRMATION: i64 = 12 * 3_600;

impl Account {
    pub(crate) fn intent_json(&self, record: &IntentRecord, context: &Context) -> Value {
        let state = &record.state;
        let charge = record
            .latest_charge
            .as_deref()
            .and_then(|id| self.charges.get(id));
        let method = record.method.as_deref().and_then(|id| self.methods.get(id));
        let automatic = record.types.is_none().then(|| {
            json!({ "enabled": true, "allow_redirects": if record.redirects { "always" } else { "never" } })
        });
        json!({
            "id": record.id, "object": "payment_intent",
            "allowed_payment_method_types": record.types,
            "amount": state.amount, "amount_capturable": state.capturable(), "amount_details": { "tip": {} },
            "amount_received": state.captured,
            "application": null, "application_fee_amount": null,
            "automatic_payment_methods": automatic,
            "canceled_at": record.canceled_at,
            "cancellation_reason": state.cancellation.map(|reason| reason.as_str()),
            "capture_method": state.capture_method.as_str(),
            "client_secret": record.client_secret,
            "confirmation_method": record.confirmation_method,
            "created": record.created, "currency": record.currency,
            "customer": null, "customer_account": null,
            "description": record.description,
            "excluded_payment_method_types": null, "hooks": null,
            "last_payment_error": record.last_error,
            "latest_charge": match (charge, context.expands("latest_charge")) {
                (Some(charge), true) => self.charge_json(charge, &Context::default()),
                _ => json!(record.latest_charge),
            },
            "livemode": false, "metadata": record.metadata,
            "next_action": self.next_action(record),
            "on_behalf_of": null, "payment_details": null,
            "payment_method": match (method, context.expands("payment_method")) {
                (Some(method), true) => self.method_json(method),
                _ => json!(record.method),
            },
            "payment_method_configuration_details": null,
            "payment_method_options": { "card": {
                "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic",
            } },
            "payment_method_types": record.types.clone().unwrap_or_else(|| vec!["card".to_owned()]),
            "processing": (state.status == Status::Processing)
                .then(|| json!({ "type": "card", "card": { "customer_notification": null } })),
            "receipt_email": record.receipt_email, "review": null, "setup_future_usage": null, "shipping": null,
            "source": null, "statement_descriptor": null,
            "statement_descriptor_suffix": record.statement_descriptor_suffix,
            "status": state.status.as_str(), "transfer_data": null, "transfer_group": null,
        })
    }

    /// Where the buyer meets the bank: a page, or a script on the shop's own page.
    fn next_action(&self, record: &IntentRecord) -> Value {
        if record.state.status != Status::RequiresAction {
            return Value::Null;
        }
        let bank = self.bank_page(&record.id);
        match &record.return_url {
            Some(return_url) if !record.use_stripe_sdk => json!({
                "type": "redirect_to_url", "redirect_to_url": { "return_url": return_url, "url": bank },
            }),
            _ => json!({
                "type": "use_stripe_sdk",
                "use_stripe_sdk": { "type": "three_d_secure_redirect", "source": record.id, "stripe_js": bank },
            }),
        }
    }

    /// The page that stands for the buyer's bank.
    pub(crate) fn bank_page(&self, intent: &str) -> String {
        format!("{}/_double/payment_intents/{intent}/bank", self.base_url)
    }

    pub(crate) fn charge_json(&self, record: &ChargeRecord, context: &Context) -> Value {
        let intent = self.intents.get(&record.intent);
        let method = self.methods.get(&record.method);
        let approved = record.outcome == Outcome::Approved;
        let state = intent.map(|intent| intent.state);
        let amount = state.map_or(0, |state| if approved { state.authorised } else { state.amount });
        let money = state.filter(|_| approved);
        let captured = money.is_some_and(|state| state.captures > 0);
        let refunded = money.map_or(0, |state| state.released + state.refunded);
        let decline = match record.outcome {
            Outcome::Declined(why) => Some(why),
            Outcome::Approved | Outcome::Pending => None,
        };
        let expanded = intent.filter(|_| context.expands("payment_intent"));
        let manual = state.is_some_and(|state| state.capture_method == CaptureMethod::Manual);
        json!({
            "id": record.id, "object": "charge",
            "amount": amount, "amount_captured": money.map_or(0, |state| state.captured), "amount_refunded": refunded,
            "application": null, "application_fee": null, "application_fee_amount": null,
            "balance_transaction": captured.then(|| record.id.replacen("ch_", "txn_", 1)),
            "billing_details": billing_details(), "calculated_statement_descriptor": "BIGTIX",
            "captured": captured, "created": record.created,
            "currency": intent.map_or("usd", |intent| intent.currency.as_str()),
            "customer": null, "description": intent.and_then(|intent| intent.description.as_deref()),
            "disputed": money.is_some_and(|state| state.disputed),
            "failure_balance_transaction": null,
            "failure_code": decline.map(|why| why.code()), "failure_message": decline.map(|why| why.message()),
            "fraud_details": {}, "livemode": false, "metadata": record.metadata, "on_behalf_of": null,
            "outcome": outcome(record.outcome), "paid": approved,
            "payment_intent": match expanded {
                Some(intent) => self.intent_json(intent, &Context::default()),
                None => json!(record.intent),
            },
            "payment_method": record.method,
            "payment_method_details": method.map(|method| json!({
                "type": "card",
                "card": charged_card(&method.given, amount, (manual && !captured).then_some(record.created + HOLD)),
            })),
            "presentment_details": null, "radar_options": {},
            "receipt_email": intent.and_then(|intent| intent.receipt_email.as_deref()), "receipt_number": null,
            "receipt_url": null,
            "refunded": amount > 0 && refunded == amount, "review": null, "shipping": null, "source": null,
            "source_transfer": null, "statement_descriptor": null, "statement_descriptor_suffix": null,
            "status": match record.outcome {
                Outcome::Approved => "succeeded",
                Outcome::Declined(_) => "failed",
                Outcome::Pending => "pending",
            },
            "transfer_data": null, "transfer_group": null,
        })
    }

    pub(crate) fn refund_json(&self, record: &RefundRecord, context: &Context) -> Value {
        let charge = self
            .charges
            .get(&record.charge)
            .filter(|_| context.expands("charge"));
        let intent = self
            .intents
            .get(&record.intent)
            .filter(|_| context.expands("payment_intent"));
        let failed = record.status == "failed";
        json!({
            "id": record.id, "object": "refund", "amount": record.amount,
            "balance_transaction": record.id.replacen("re_", "txn_", 1),
            "charge": charge.map_or(json!(record.charge), |charge| self.charge_json(charge, &Context::default())),
            "created": record.created, "currency": record.currency,
            "customer": null, "customer_account": null, "description": null,
            "destination_details": { "type": "card", "card": {
                "reference": null, "reference_status": "pending", "reference_type": "acquirer_reference_number",
                "type": "refund",
            } },
            "failure_balance_transaction": null, "failure_reason": failed.then_some("unknown"),
            "metadata": record.metadata, "next_action": null,
            "payment_intent": intent.map_or(json!(record.intent), |it| self.intent_json(it, &Context::default())),
            "payment_method": null, "pending_reason": (record.status == "pending").then_some("processing"),
            "reason": record.reason, "receipt_number": null, "source_transfer_reversal": null,
            "status": record.status, "transfer_reversal": null,
        })
    }

    pub(crate) fn method_json(&self, record: &MethodRecord) -> Value {
        json!({
            "id": record.id, "object": "payment_method", "allow_redisplay": "unspecified",
            "billing_details": billing_details(), "card": stored_card(&record.given), "created": record.created,
            "customer": null, "customer_account": null, "livemode": false, "metadata": {}, "radar_options": {},
            "type": "card",
        })
    }

    pub(crate) fn token_json(&self, record: &TokenRecord) -> Value {
        let Given {
            card,
            exp_month,
            exp_year,
            ..
        } = record.given;
        json!({
            "id": record.id, "object": "token", "client_ip": "127.0.0.1", "created": record.created, "livemode": false,
            "type": "card", "used": record.used, "bank_account": null,
            "card": {
                "id": record.id.replacen("tok_", "card_", 1), "object": "card", "address_city": null,
                "address_country": null, "address_line1": null, "address_line1_check": null, "address_line2": null,
                "address_state": null, "address_zip": null, "address_zip_check": null, "brand": brand_name(card.brand),
                "country": "US", "cvc_check": "unchecked", "dynamic_last4": null, "exp_month": exp_month,
                "exp_year": exp_year, "fingerprint": fingerprint(card.number), "funding": card.funding,
                "last4": card.last4(), "metadata": {}, "name": null, "networks": { "preferred": null },
                "regulated_status": "unregulated", "tokenization_method": null,
            },
        })
    }

    pub(crate) fn confirmation_json(&self, record: &ConfirmationRecord) -> Value {
        json!({
            "id": record.id, "object": "confirmation_token", "created": record.created,
            "expires_at": record.created + CONFIRMATION, "livemode": false, "mandate_data": null, "metadata": null,
            "payment_intent": record.intent, "payment_method": null, "payment_method_options": null,
            "payment_method_preview": {
                "allow_redisplay": "unspecified", "billing_details": billing_details(),
                "card": stored_card(&record.given), "customer": null, "type": "card",
            },
            "return_url": record.return_url, "setup_future_usage": null, "setup_intent": null, "shipping": null,
            "use_stripe_sdk": true,
        })
    }
}

/// Whether a confirmation token made then is still good now.
pub(crate) fn confirmation_is_fresh(created: i64, now: i64) -> bool {
    now < created + CONFIRMATION
}

fn outcome(outcome: Outcome) -> Value {
    let text = |status: &str, kind: &str, seller: &str| {
        json!({
            "advice_code": null, "network_advice_code": null, "network_decline_code": null, "network_status": status,
            "reason": null, "risk_level": "normal", "risk_score": 12, "rule": null, "seller_message": seller,
            "type": kind,
        })
    };
    match outcome {
        Outcome::Approved => text("approved_by_network", "authorized", "Payment complete."),
        Outcome::Declined(why) => {
            let mut declined = text(
                "declined_by_network",
                "issuer_declined",
                "The bank declined the payment.",
            );
            declined["reason"] = json!(why.decline_code().unwrap_or(why.code()));
            declined
        }
        Outcome::Pending => Value::Null,
    }
}

fn billing_details() -> Value {
    json!({
        "address": {
            "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
        },
        "email": null, "name": null, "phone": null, "tax_id": null,
    })
}

fn checks() -> Value {
    json!({ "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" })
}

fn stored_card(given: &Given) -> Value {
    let card = given.card;
    json!({
        "brand": card.brand, "checks": checks(), "country": "US", "display_brand": card.brand,
        "exp_month": given.exp_month, "exp_year": given.exp_year, "fingerprint": fingerprint(card.number),
        "funding": card.funding, "generated_from": null, "last4": card.last4(),
        "networks": { "available": [card.brand], "preferred": null }, "regulated_status": "unregulated",
        "three_d_secure_usage": { "supported": true }, "wallet": null,
    })
}

fn charged_card(given: &Given, amount: i64, capture_before: Option<i64>) -> Value {
    let card = given.card;
    json!({
        "amount_authorized": amount, "authorization_code": null, "brand": card.brand, "capture_before": capture_before,
        "checks": checks(), "country": "US", "exp_month": given.exp_month, "exp_year": given.exp_year,
        "extended_authorization": { "status": "disabled" }, "fingerprint": fingerprint(card.number),
        "funding": card.funding, "incremental_authorization": { "status": "unavailable" }, "installments": null,
        "last4": card.last4(), "mandate": null, "multicapture": { "status": "unavailable" }, "network": card.brand,
        "network_token": { "used": false }, "network_transaction_id": null,
        "overcapture": { "maximum_amount_capturable": amount, "status": "unavailable" },
        "regulated_status": "unregulated",
        "three_d_secure": card.challenge.then(|| json!({
            "authentication_flow": "challenge", "electronic_commerce_indicator": "05", "exemption_indicator": null,
            "result": "authenticated", "result_reason": null, "transaction_id": null, "version": "2.2.0",
        })),
        "wallet": null,
    })
}

/// The same for the same number, like Stripe's.
fn fingerprint(number: &str) -> String {
    let sum = number.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{sum:016x}")
}

/// Tokens spell brands as names.
fn brand_name(brand: &str) -> &str {
    match brand {
        "visa" => "Visa",
        "mastercard" => "MasterCard",
        "amex" => "American Express",
        "discover" => "Discover",
        other => other,
    }
}
