//! One Stripe account in memory: its objects, and what a call does to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::card::{Card, Decline, RefundCourse};
use super::error::StripeError;
use super::fault::{self, Plan, RequestFault};
use super::idempotency::Keys;
use super::intent::Intent;
use super::params::{CardSource, MethodSource, Page};
use super::request::Call;
use super::table::Table;
use super::webhook::{Delivery, Endpoint, Job};

/// Who asks, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// The request's id, unless nobody asked (the bank did something).
    pub(crate) request: Option<String>,
    pub(crate) key: Option<String>,
    /// Fields to show as objects instead of ids.
    pub(crate) expand: Vec<String>,
}

impl Context {
    pub(crate) fn expands(&self, field: &str) -> bool {
        self.expand
            .iter()
            .any(|path| path.strip_prefix("data.").unwrap_or(path) == field)
    }
}

pub(crate) type Answered<T> = Result<T, StripeError>;

/// A payment intent.
#[derive(Clone, Debug)]
pub(crate) struct IntentRecord {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) state: Intent,
    pub(crate) currency: String,
    pub(crate) client_secret: String,
    pub(crate) confirmation_method: &'static str,
    pub(crate) description: Option<String>,
    pub(crate) receipt_email: Option<String>,
    pub(crate) statement_descriptor_suffix: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) types: Option<Vec<String>>,
    pub(crate) redirects: bool,
    pub(crate) method: Option<String>,
    pub(crate) latest_charge: Option<String>,
    pub(crate) last_error: Option<Value>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) return_url: Option<String>,
    pub(crate) use_stripe_sdk: bool,
    /// The fault that its card's name asks for.
    pub(crate) fault: Option<RequestFault>,
}

/// How a charge went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Approved,
    Declined(Decline),
    Pending,
}

/// One visit to the bank.
#[derive(Clone, Debug)]
pub(crate) struct ChargeRecord {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) intent: String,
    pub(crate) method: String,
    pub(crate) outcome: Outcome,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A refund.
#[derive(Clone, Debug)]
pub(crate) struct RefundRecord {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) intent: String,
    pub(crate) charge: String,
    pub(crate) amount: i64,
    pub(crate) currency: String,
    pub(crate) reason: Option<&'static str>,
    pub(crate) metadata: BTreeMap<String, String>,
    /// `succeeded`, `pending` or `failed`.
    pub(crate) status: &'static str,
    pub(crate) course: RefundCourse,
}

/// A card as somebody gave it to Stripe.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) card: &'static Card,
    pub(crate) exp_month: i64,
    pub(crate) exp_year: i64,
    pub(crate) fault: Option<RequestFault>,
}

/// A payment method.
#[derive(Clone, Debug)]
pub(crate) struct MethodRecord {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) given: Given,
    /// The intent that it paid; without a customer it pays no other.
    pub(crate) spent_on: Option<String>,
}

/// A card token.
#[derive(Clone, Debug)]
pub(crate) struct TokenRecord {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) given: Given,
    pub(crate) used: bool,
}

/// A confirmation token.
#[derive(Clone, Debug)]
pub(crate) struct ConfirmationRecord {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) given: Given,
    pub(crate) return_url: Option<String>,
    pub(crate) intent: Option<String>,
}

/// An event.
#[derive(Clone, Debug)]
pub(crate) struct EventRecord {
    pub(crate) kind: String,
    pub(crate) created: i64,
    /// Stripe's JSON, written down: many times smaller than what it says in memory.
    pub(crate) body: Arc<str>,
}

impl EventRecord {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("it was written from a value")
    }
}

/// The account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    /// Where the double answers, for the links it hands out.
    pub(crate) base_url: String,
    /// Differs from run to run, so that no two runs share an id.
    pub(crate) run: String,
    pub(crate) issued: u64,
    pub(crate) intents: Table<IntentRecord>,
    pub(crate) charges: Table<ChargeRecord>,
    pub(crate) refunds: Table<RefundRecord>,
    pub(crate) methods: Table<MethodRecord>,
    pub(crate) tokens: Table<TokenRecord>,
    pub(crate) confirmations: Table<ConfirmationRecord>,
    pub(crate) events: Table<EventRecord>,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) keys: Keys,
    pub(crate) faults: Plan,
    pub(crate) queue: VecDeque<Job>,
    pub(crate) undelivered: usize,
    pub(crate) deliveries: VecDeque<Delivery>,
}

impl Account {
    /// A new id such as `pi_3d0b1e00000007`.
    pub(crate) fn issue(&mut self, prefix: &str) -> String {
        self.issued += 1;
        format!("{prefix}_3{}{:08x}", self.run, self.issued)
    }

    /// Does what is asked and answers Stripe's JSON.
    pub(crate) fn execute(&mut self, call: Call, context: &Context) -> Answered<Value> {
        match call {
            Call::CreateIntent(new) => self.create_intent(*new, context),
            Call::RetrieveIntent(id) => self.intent(&id).map(|intent| self.intent_json(intent, context)),
            Call::UpdateIntent(id, update) => self.update_intent(&id, update, context),
            Call::ConfirmIntent(id, confirm) => self.confirm_intent(&id, confirm, context),
            Call::CaptureIntent(id, amount) => self.capture_intent(&id, amount, context),
            Call::CancelIntent(id, reason) => self.cancel_intent(&id, reason, context),
            Call::CreateRefund(new) => self.create_refund(new, context),
            Call::UpdateRefund(id, metadata) => self.update_refund(&id, metadata, context),
            Call::RetrieveRefund(id) => self.refund(&id).map(|refund| self.refund_json(refund, context)),
            Call::RetrieveCharge(id) => {
                let charge = self
                    .charges
                    .get(&id)
                    .ok_or_else(|| StripeError::no_such("charge", &id))?;
                Ok(self.charge_json(charge, context))
            }
            Call::CreateMethod(source) => self.create_method(source, context),
            Call::RetrieveMethod(id) => {
                let method = self
                    .methods
                    .get(&id)
                    .ok_or_else(|| StripeError::no_such("PaymentMethod", &id))?;
                Ok(self.method_json(method))
            }
            Call::CreateToken(source) => self.create_token(source, context),
            Call::RetrieveToken(id) => {
                let token = self
                    .tokens
                    .get(&id)
                    .ok_or_else(|| StripeError::no_such("token", &id))?;
                Ok(self.token_json(token))
            }
            Call::CreateConfirmationToken(new) => self.create_confirmation_token(new, context),
            Call::RetrieveConfirmationToken(id) => {
                let token = self
                    .confirmations
                    .get(&id)
                    .ok_or_else(|| StripeError::no_such("confirmation_token", &id))?;
                Ok(self.confirmation_json(token))
            }
            Call::RetrieveEvent(id) => {
                let event = self
                    .events
                    .get(&id)
                    .ok_or_else(|| StripeError::no_such("event", &id))?;
                Ok(event.json())
            }
            Call::CreateEndpoint(new) => Ok(self.create_endpoint(new, context)),
            Call::RetrieveEndpoint(id) => self.endpoint(&id).map(|endpoint| endpoint.json(false)),
            Call::DeleteEndpoint(id) => self.delete_endpoint(&id),
            Call::ListIntents(page) => Ok(self.list_intents(&page, context)),
            Call::ListRefunds(page) => Ok(self.list_refunds(&page, context)),
            Call::ListCharges(page) => Ok(self.list_charges(&page, context)),
            Call::ListEvents(page) => Ok(self.list_events(&page)),
            Call::ListEndpoints => Ok(list(
                "/v1/webhook_endpoints",
                self.endpoints.iter().map(|it| it.json(false)),
                false,
            )),
        }
    }

    pub(crate) fn intent(&self, id: &str) -> Answered<&IntentRecord> {
        self.intents
            .get(id)
            .ok_or_else(|| StripeError::no_such("payment_intent", id))
    }

    pub(crate) fn refund(&self, id: &str) -> Answered<&RefundRecord> {
        self.refunds
            .get(id)
            .ok_or_else(|| StripeError::no_such("refund", id))
    }

    fn list_intents(&self, page: &Page, context: &Context) -> Value {
        let (rows, more) = self.intents.page(page, |_| true, |row| row.created);
        list(
            "/v1/payment_intents",
            rows.into_iter().map(|row| self.intent_json(row, context)),
            more,
        )
    }

    fn list_refunds(&self, page: &Page, context: &Context) -> Value {
        let fits = |row: &RefundRecord| {
            page.filter("payment_intent").all(|id| row.intent == id)
                && page.filter("charge").all(|id| row.charge == id)
        };
        let (rows, more) = self.refunds.page(page, fits, |row| row.created);
        list(
            "/v1/refunds",
            rows.into_iter().map(|row| self.refund_json(row, context)),
            more,
        )
    }

    fn list_charges(&self, page: &Page, context: &Context) -> Value {
        let fits = |row: &ChargeRecord| page.filter("payment_intent").all(|id| row.intent == id);
        let (rows, more) = self.charges.page(page, fits, |row| row.created);
        list(
            "/v1/charges",
            rows.into_iter().map(|row| self.charge_json(row, context)),
            more,
        )
    }

    fn list_events(&self, page: &Page) -> Value {
        let fits = |row: &EventRecord| {
            let mut types = page.filter("types").peekable();
            page.filter("type").all(|kind| row.kind == kind)
                && (types.peek().is_none() || types.any(|kind| row.kind == kind))
        };
        let (rows, more) = self.events.page(page, fits, |row| row.created);
        list("/v1/events", rows.into_iter().map(EventRecord::json), more)
    }

    /// The fault that the card of this call asks for, and the scope in which its strikes are counted.
    pub(crate) fn carried_fault(&self, call: &Call, key: Option<&str>) -> Option<(RequestFault, String)> {
        if let Some(source) = call.method() {
            let scope = call.intent().or(key).unwrap_or_default();
            let (name, fault) = match source {
                MethodSource::Id(id) => (id, self.methods.get(id).and_then(|method| method.given.fault)),
                MethodSource::ConfirmationToken(id) => {
                    (id, self.confirmations.get(id).and_then(|it| it.given.fault))
                }
                MethodSource::Card(CardSource::Token(id)) => {
                    (id, self.tokens.get(id).and_then(|it| it.given.fault))
                }
                MethodSource::Card(CardSource::Typed { .. }) => return None,
            };
            return Some((fault.or(fault::carried_by(name).1)?, format!("{name} {scope}")));
        }
        let intent = self.intents.get(call.intent()?)?;
        Some((intent.fault?, intent.id.clone()))
    }
}

/// Stripe's list object.
fn list(url: &str, data: impl Iterator<Item = Value>, has_more: bool) -> Value {
    json!({ "object": "list", "url": url, "has_more": has_more, "data": data.collect::<Vec<_>>() })
}
