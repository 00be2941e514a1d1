//! Stripe's API: cards only, manual capture, one fixed idempotency key per payment and call.
//!
//! What is sent is built field by field in a fixed order, because a repeated request must equal the first one. Of what
//! is answered only what decides is read, so that a provider that leaves the rest out will do.

mod answers;
mod refusal;

use std::time::Duration;

use bigtix_contracts::{Cents, PaymentId};
use bigtix_service::{Secret, StartError};
use jiff::{SignedDuration, Timestamp};
use miniserde::Deserialize;
use serde::Serialize;
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy};
use stripe_client_core::{RequestBuilder, StripeMethod};
use tracing::Instrument;

use crate::domain::{Intent, IntentId, Payment, RefundStatus, Source};
use answers::{IntentBody, IntentList, MethodBody, RefundBody, TokenBody};
pub(crate) use refusal::StripeError;

/// How many intents a page of a list holds.
const PAGE: usize = 100;
/// How long a start waits for Stripe to say that it knows the key, and how soon it asks again where nobody answers: what
/// has just been started may have no way out yet.
const LONGEST_CHECK: Duration = Duration::from_secs(5);
const CHECK_AGAIN: Duration = Duration::from_millis(250);
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
    confirmation_token: Option<&'a str>,
    payment_method_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
    metadata: Metadata,
}

#[derive(Serialize)]
struct MethodForm<'a> {
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

/// Stripe wants a form even where it has no fields.
#[derive(Serialize)]
struct NoFields {}

#[derive(Serialize)]
struct RefundForm<'a> {
    payment_intent: &'a str,
}

#[derive(Clone, Copy, Serialize)]
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
        let (method, confirmation) = match &payment.source {
            Source::Method(id) => (Some(id.clone()), None),
            Source::CardToken(token) => (Some(self.method_of(payment.id, token).await?), None),
            Source::Confirmation(id) => (None, Some(id.as_str())),
        };
        let form = CreateForm {
            amount: payment.amount.0,
            currency: "usd",
            capture_method: "manual",
            confirm: true,
            payment_method: method.as_deref(),
            confirmation_token: confirmation,
            payment_method_types: ["card"],
            return_url: self.return_url.as_deref(),
            metadata: Metadata {
                order_id: payment.order_id.to_string(),
                payment_id: payment.id.to_string(),
            },
        };
        let strategy = RequestStrategy::Idempotent(key(payment.id, "create"));
        self.post_intent("create", "/payment_intents".to_owned(), &form, strategy)
            .await
            .map_err(StripeError::of_a_source)
    }

    /// The payment method that a card token becomes: an intent takes no token. Its key makes it the same one each time,
    /// although a token can be used once.
    async fn method_of(&self, payment: PaymentId, token: &str) -> Result<String, StripeError> {
        let form = MethodForm {
            r#type: "card",
            card: CardData { token },
        };
        let request = RequestBuilder::new(StripeMethod::Post, "/payment_methods").form(&form);
        let made = self
            .send::<MethodBody>(
                "make_method",
                request,
                RequestStrategy::Idempotent(key(payment, "method")),
            )
            .await;
        match made {
            Ok(method) => Ok(method.id),
            // Doubles of Stripe without methods of tokens charge the card behind the token.
            Err(error) if error.is_a_bare_refusal() => {
                let read = self.get("read_token", format!("/tokens/{token}"), None::<()>);
                let body: TokenBody = read.await.map_err(StripeError::of_a_source)?;
                Ok(body.card.ok_or(StripeError::Unreadable)?.id)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the money. Without a key, under which Stripe would repeat its own errors for a day: an intent is captured
    /// once, however often that is asked for.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn capture(&self, intent: &IntentId) -> Result<Intent, StripeError> {
        self.post_intent(
            "capture",
            format!("/payment_intents/{intent}/capture"),
            &NoFields {},
            RequestStrategy::Once,
        )
        .await
    }

    /// Gives up the intent. Without a key, as [`Stripe::capture`].
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn cancel(&self, intent: &IntentId) -> Result<Intent, StripeError> {
        self.post_intent(
            "cancel",
            format!("/payment_intents/{intent}/cancel"),
            &NoFields {},
            RequestStrategy::Once,
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
            .get("retrieve", format!("/payment_intents/{intent}"), Some(expand))
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
            let list: IntentList = self
                .get("list", "/payment_intents".to_owned(), Some(query))
                .await?;
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

    /// Asks whether Stripe knows the key, so that a wrong one is noticed before a buyer does. That Stripe cannot be
    /// asked just now keeps nobody from starting.
    ///
    /// # Errors
    /// [`StartError::Refused`].
    pub(crate) async fn accepts_key(&self) -> Result<(), StartError> {
        match tokio::time::timeout(LONGEST_CHECK, self.until_answered()).await {
            Ok(Err(StripeError::Refused { status: 401, reason })) => Err(StartError::Refused {
                what: "use STRIPE_SECRET_KEY".to_owned(),
                reason: format!("Stripe refuses it: {reason}"),
            }),
            Ok(Err(error)) => {
                tracing::warn!(%error, "Stripe did not say whether it knows the key");
                Ok(())
            }
            Err(_) => {
                tracing::warn!("Stripe could not be asked in time whether it knows the key");
                Ok(())
            }
            Ok(Ok(_)) => Ok(()),
        }
    }

    /// Asks for whatever intent was made last, until Stripe has said something to it.
    async fn until_answered(&self) -> Result<IntentList, StripeError> {
        let query = ListQuery {
            limit: 1,
            starting_after: None,
        };
        loop {
            match self.get("list", "/payment_intents".to_owned(), Some(query)).await {
                Err(error @ (StripeError::NoAnswer(_) | StripeError::Broken(_) | StripeError::Busy(_))) => {
                    tracing::debug!(%error, "Stripe could not be asked whether it knows the key");
                    tokio::time::sleep(CHECK_AGAIN).await;
                }
                outcome => return outcome,
            }
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
        self.post_refund(intent, RequestStrategy::Idempotent(key(payment, "refund")))
            .await
    }

    /// As [`Stripe::refund`], once Stripe has ended an attempt with an error of its own, which it repeats under the key.
    /// Money that has gone back does not go back again.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn refund_without_key(&self, intent: &IntentId) -> Result<RefundSeen, StripeError> {
        self.post_refund(intent, RequestStrategy::Once).await
    }

    async fn post_refund(
        &self,
        intent: &IntentId,
        strategy: RequestStrategy,
    ) -> Result<RefundSeen, StripeError> {
        let form = RefundForm {
            payment_intent: &intent.0,
        };
        let request = RequestBuilder::new(StripeMethod::Post, "/refunds").form(&form);
        let body: RefundBody = self.send("refund", request, strategy).await?;
        body.read()
    }

    /// The refund as it is now.
    ///
    /// # Errors
    /// [`StripeError`].
    pub(crate) async fn read_refund(&self, id: &str) -> Result<RefundSeen, StripeError> {
        let body: RefundBody = self
            .get("read_refund", format!("/refunds/{id}"), None::<()>)
            .await?;
        body.read()
    }

    async fn post_intent<F: Serialize>(
        &self,
        call: &'static str,
        path: String,
        form: &F,
        strategy: RequestStrategy,
    ) -> Result<Intent, StripeError> {
        let request = RequestBuilder::new(StripeMethod::Post, path).form(form);
        let body: IntentBody = self.send(call, request, strategy).await?;
        body.read()
    }

    async fn get<A: Deserialize, Q: Serialize>(
        &self,
        call: &'static str,
        path: String,
        query: Option<Q>,
    ) -> Result<A, StripeError> {
        let request = RequestBuilder::new(StripeMethod::Get, path);
        let request = match query {
            Some(query) => request.query(&query),
            None => request,
        };
        self.send(call, request, RequestStrategy::Once).await
    }

    /// `call` is what traces name it: a path may hold a card's token.
    async fn send<A: Deserialize>(
        &self,
        call: &'static str,
        request: RequestBuilder,
        strategy: RequestStrategy,
    ) -> Result<A, StripeError> {
        request
            .customize()
            .request_strategy(strategy)
            .send(&self.client)
            .instrument(tracing::info_span!("stripe", call))
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

#[cfg(test)]
mod tests;
