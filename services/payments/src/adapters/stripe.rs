//! Stripe's API: cards only, manual capture, one fixed idempotency key per payment and call.
//!
//! What is sent is built field by field in a fixed order, because a repeated request must equal the first one. Of what
//! is answered only what decides is read, so that a provider that leaves the rest out will do.

mod answers;
mod refusal;

use std::time::Duration;

use bigtix_contracts::{Cents, PaymentId};
use bigtix_service::Secret;
use jiff::{SignedDuration, Timestamp};
use miniserde::Deserialize;
use serde::Serialize;
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy};
use stripe_client_core::{RequestBuilder, StripeMethod};

use crate::domain::{Intent, IntentId, Payment, RefundStatus, Source};
use answers::{IntentBody, IntentList, RefundBody, TokenBody};
pub(crate) use refusal::StripeError;

/// How many intents a page of a list holds.
const PAGE: usize = 100;
/// How far Stripe's clock and ours may be apart.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How Stripe is reached.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// Where its API is.
    pub url: String,
    /// The shop's key.
    pub secret_key: Secret,
    /// Where a bank may send the buyer back to.
    pub return_url: Option<String>,
    /// How long one call may take.
    pub deadline: Duration,
}

/// A refund as Stripe has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefundSeen {
    /// Its id.
    pub id: String,
    /// How it stands.
    pub status: RefundStatus,
}

/// Calls Stripe; cheap to clone.
#[derive(Clone)]
pub(crate) struct Stripe {
    client: Client,
    return_url: Option<String>,
}

/// The one setting that makes the client is wrong.
#[derive(Debug, thiserror::Error)]
#[error("STRIPE_API_URL or STRIPE_SECRET_KEY cannot be used")]
pub(crate) struct Unusable;

#[derive(Serialize)]
struct CreateForm<'a> {
    amount: i64,
    currency: &'static str,
    capture_method: &'static str,
    confirm: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method_data: Option<MethodData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation_token: Option<&'a str>,
    payment_method_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
    metadata: Metadata,
}

#[derive(Serialize)]
struct MethodData<'a> {
    r#type: &'static str,
    card: CardData<'a>,
}

#[derive(Serialize)]
struct CardData<'a> {
    token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    order_id: String,
    payment_id: String,
}

#[derive(Serialize)]
struct RefundForm<'a> {
    payment_intent: &'a str,
}

#[derive(Serialize)]
struct ListQuery<'a> {
    limit: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_after: Option<&'a str>,
}

#[derive(Serialize)]
struct Expand {
    expand: [&'static str; 1],
}

impl Stripe {
    /// A client for `config`; nothing is called yet.
    ///
    /// # Errors
    /// [`Unusable`].
    pub(crate) fn new(config: &StripeConfig) -> Result<Self, Unusable> {
        let base = format!("{}/", config.url.trim_end_matches('/'));
        let builder = ClientBuilder::new(config.secret_key.expose())
            .url(base)
            .timeout(config.deadline);
        // The library's own error may repeat the key.
        let client = builder.build().map_err(|_| Unusable)?;
        Ok(Self {
            client,
            return_url: config.return_url.clone(),
        })
    }

    /// Creates and confirms the intent of `payment`; with its key, so that it is made once.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn create(&self, payment: &Payment) -> Result<Intent, StripeError> {
        let attempt = self.create_with(payment, &payment.source).await;
        match (&attempt, &payment.source) {
            // Doubles of Stripe without payment_method_data charge the card behind the token.
            (Err(error), Source::CardToken(token)) if error.is_about_method_data() => {
                let body: TokenBody = self.get(format!("/tokens/{token}"), None::<()>).await?;
                let card = body.card.ok_or(StripeError::Unreadable)?.id;
                self.create_with(payment, &Source::Method(card)).await
            }
            _ => attempt,
        }
    }

    async fn create_with(&self, payment: &Payment, source: &Source) -> Result<Intent, StripeError> {
        let (mut method, mut token, mut confirmation) = (None, None, None);
        match source {
            Source::Method(id) => method = Some(id.as_str()),
            Source::CardToken(id) => token = Some(id.as_str()),
            Source::Confirmation(id) => confirmation = Some(id.as_str()),
        }
        let form = CreateForm {
            amount: payment.amount.0,
            currency: "usd",
            capture_method: "manual",
            confirm: true,
            payment_method: method,
            payment_method_data: token.map(|token| MethodData {
                r#type: "card",
                card: CardData { token },
            }),
            confirmation_token: confirmation,
            payment_method_types: ["card"],
            return_url: self.return_url.as_deref(),
            metadata: Metadata {
                order_id: payment.order_id.to_string(),
                payment_id: payment.id.to_string(),
            },
        };
        self.post_intent(
            "/payment_intents".to_owned(),
            Some(&form),
            &key(payment.id, "create"),
        )
        .await
    }

    /// Takes the money.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn capture(&self, payment: PaymentId, intent: &IntentId) -> Result<Intent, StripeError> {
        self.post_intent(
            format!("/payment_intents/{intent}/capture"),
            None::<&()>,
            &key(payment, "capture"),
        )
        .await
    }

    /// Gives up the intent.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn cancel(&self, payment: PaymentId, intent: &IntentId) -> Result<Intent, StripeError> {
        self.post_intent(
            format!("/payment_intents/{intent}/cancel"),
            None::<&()>,
            &key(payment, "cancel"),
        )
        .await
    }

    /// The intent as it is now.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn retrieve(&self, intent: &IntentId) -> Result<Intent, StripeError> {
        let expand = Expand {
            expand: ["latest_charge"],
        };
        let body: IntentBody = self
            .get(format!("/payment_intents/{intent}"), Some(expand))
            .await?;
        body.read()
    }

    /// The intent that was made for `payment`, found by its metadata. Lists are up to date; searches may lag.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn find(&self, payment: &Payment) -> Result<Option<Intent>, StripeError> {
        let oldest = payment.created_at - SKEW;
        let mut after: Option<String> = None;
        loop {
            let query = ListQuery {
                limit: PAGE,
                starting_after: after.as_deref(),
            };
            let list: IntentList = self.get("/payment_intents".to_owned(), Some(query)).await?;
            if let Some(body) = list
                .data
                .iter()
                .find(|body| body.payment_id() == Some(payment.id))
            {
                return body.read().map(Some);
            }
            let Some(last) = list.data.last() else {
                return Ok(None);
            };
            let created = Timestamp::from_second(last.created).unwrap_or(Timestamp::MIN);
            if !list.has_more || created < oldest {
                return Ok(None);
            }
            after = Some(last.id.clone());
        }
    }

    /// Sends all of the money back.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn refund(
        &self,
        payment: PaymentId,
        intent: &IntentId,
    ) -> Result<RefundSeen, StripeError> {
        let form = RefundForm {
            payment_intent: &intent.0,
        };
        let request = RequestBuilder::new(StripeMethod::Post, "/refunds").form(&form);
        let body: RefundBody = self
            .send(request, RequestStrategy::Idempotent(key(payment, "refund")))
            .await?;
        body.read()
    }

    /// The refund as it is now.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn read_refund(&self, id: &str) -> Result<RefundSeen, StripeError> {
        let body: RefundBody = self.get(format!("/refunds/{id}"), None::<()>).await?;
        body.read()
    }

    async fn post_intent<F: Serialize>(
        &self,
        path: String,
        form: Option<&F>,
        key: &IdempotencyKey,
    ) -> Result<Intent, StripeError> {
        let request = RequestBuilder::new(StripeMethod::Post, path);
        let request = match form {
            Some(form) => request.form(form),
            None => request,
        };
        let body: IntentBody = self
            .send(request, RequestStrategy::Idempotent(key.clone()))
            .await?;
        body.read()
    }

    async fn get<A: Deserialize, Q: Serialize>(
        &self,
        path: String,
        query: Option<Q>,
    ) -> Result<A, StripeError> {
        let request = RequestBuilder::new(StripeMethod::Get, path);
        let request = match query {
            Some(query) => request.query(&query),
            None => request,
        };
        self.send(request, RequestStrategy::Once).await
    }

    async fn send<A: Deserialize>(
        &self,
        request: RequestBuilder,
        strategy: RequestStrategy,
    ) -> Result<A, StripeError> {
        request
            .customize()
            .request_strategy(strategy)
            .send(&self.client)
            .await
            .map_err(StripeError::from)
    }
}

fn key(payment: PaymentId, call: &str) -> IdempotencyKey {
    IdempotencyKey::new(format!("{payment}:{call}"))
        .expect("an id and a word are no longer than 255 characters")
}

/// What a payment of this amount is refused with before anything is asked of Stripe.
pub(crate) const LARGEST: Cents = Cents(99_999_999);
