//! What Stripe does not have: the double's own paths below `/_double`, for tests and for the buyer's bank.
//!
//! They ask for no key. A double belongs on loopback, or behind a network policy.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::account::{Account, Answered, Context};
use super::error::StripeError;
use super::fault::Fault;
use super::http::outcome;
use super::intent::Status;
use super::ledger::Ledger;
use super::server::{Shared, now};

type Double = State<Arc<Shared>>;

#[derive(Deserialize)]
struct Outcome {
    success: bool,
}

/// The double's own routes, and the script for browsers.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v3/", get(script))
        .route("/_double/ledger", get(ledger))
        .route("/_double/deliveries", get(deliveries))
        .route("/_double/faults", get(faults).post(plan).delete(clear))
        .route("/_double/payment_intents/{id}/authenticate", post(authenticate))
        .route("/_double/payment_intents/{id}/settle", post(settle))
        .route("/_double/payment_intents/{id}/lapse", post(lapse))
        .route("/_double/payment_intents/{id}/dispute", post(dispute))
        .route("/_double/payment_intents/{id}/bank", get(bank).post(bank_answer))
        .route("/_double/refunds/{id}/settle", post(settle_refund))
}

impl Shared {
    /// Lets the bank or the buyer do something, and wakes the courier.
    pub(crate) fn happen<T>(
        &self,
        happening: impl FnOnce(&mut Account, &Context) -> Answered<T>,
    ) -> Answered<T> {
        let context = Context {
            now: now(),
            ..Context::default()
        };
        let done = happening(&mut self.account(), &context);
        self.news.notify_one();
        done
    }
}

/// What a page loads in the place of Stripe's script.
async fn script() -> Response {
    let kind = (
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/javascript; charset=utf-8"),
    );
    ([kind], include_str!("script.js")).into_response()
}

async fn ledger(State(shared): Double) -> Response {
    outcome(Ok(json!(Ledger::of(&shared.account()))))
}

async fn deliveries(State(shared): Double) -> Response {
    let account = shared.account();
    outcome(Ok(
        json!({ "pending": account.undelivered, "deliveries": account.deliveries }),
    ))
}

async fn faults(State(shared): Double) -> Response {
    outcome(Ok(json!(shared.account().faults.waiting())))
}

/// One fault, or an array of them.
async fn plan(State(shared): Double, body: Bytes) -> Response {
    let planned = serde_json::from_slice::<Vec<Fault>>(&body)
        .or_else(|_| serde_json::from_slice::<Fault>(&body).map(|fault| vec![fault]))
        .map_err(|error| StripeError::parameter("", format!("This is no fault: {error}")));
    outcome(planned.map(|planned| {
        let mut account = shared.account();
        for fault in planned {
            account.faults.add(fault);
        }
        json!(account.faults.waiting())
    }))
}

async fn clear(State(shared): Double) -> Response {
    shared.account().faults.clear();
    outcome(Ok(json!([])))
}

fn success(body: &[u8]) -> Answered<bool> {
    serde_json::from_slice::<Outcome>(body)
        .map(|outcome| outcome.success)
        .map_err(|_| StripeError::parameter("success", "Say {\"success\": true} or {\"success\": false}."))
}

fn shown(account: &Account, id: &str) -> Answered<Value> {
    account
        .intent(id)
        .map(|record| account.intent_json(record, &Context::default()))
}

async fn authenticate(State(shared): Double, Path(id): Path<String>, body: Bytes) -> Response {
    outcome(success(&body).and_then(|passed| {
        shared.happen(|account, context| {
            account.authenticate(&id, passed, context)?;
            shown(account, &id)
        })
    }))
}

async fn settle(State(shared): Double, Path(id): Path<String>, body: Bytes) -> Response {
    outcome(success(&body).and_then(|approved| {
        shared.happen(|account, context| {
            account.settle(&id, approved, context)?;
            shown(account, &id)
        })
    }))
}

async fn lapse(State(shared): Double, Path(id): Path<String>) -> Response {
    outcome(shared.happen(|account, context| {
        account.lapse(&id, context)?;
        shown(account, &id)
    }))
}

async fn dispute(State(shared): Double, Path(id): Path<String>) -> Response {
    outcome(shared.happen(|account, context| {
        account.dispute(&id, context)?;
        shown(account, &id)
    }))
}

async fn settle_refund(State(shared): Double, Path(id): Path<String>, body: Bytes) -> Response {
    outcome(success(&body).and_then(|arrived| {
        shared.happen(|account, context| {
            account.settle_refund(&id, arrived, context)?;
            account
                .refund(&id)
                .map(|refund| account.refund_json(refund, context))
        })
    }))
}

/// The page of the buyer's bank, for browsers.
async fn bank(State(shared): Double, Path(id): Path<String>) -> Response {
    let account = shared.account();
    match account.intent(&id) {
        Err(error) => outcome(Err(error)),
        Ok(record) if record.state.status != Status::RequiresAction => {
            Html("<!doctype html><title>Bank</title><p>There is nothing to confirm.</p>").into_response()
        }
        Ok(_) => Html(
            "<!doctype html><html lang=en><title>Bank</title><h1>Is it you?</h1><form method=post>\
             <button name=success value=true>Complete authentication</button> \
             <button name=success value=false>Fail authentication</button></form></html>",
        )
        .into_response(),
    }
}

/// The buyer presses a button there, and is sent back to the shop.
async fn bank_answer(State(shared): Double, Path(id): Path<String>, body: Bytes) -> Response {
    let passed = body.as_ref() == b"success=true";
    let back = shared.happen(|account, context| {
        account.authenticate(&id, passed, context)?;
        let record = account.intent(&id)?;
        let back = record.return_url.as_deref().and_then(|url| Url::parse(url).ok());
        Ok(back.map(|mut back| {
            let status = if record.state.status == Status::RequiresPaymentMethod {
                "failed"
            } else {
                "succeeded"
            };
            back.query_pairs_mut()
                .append_pair("payment_intent", &record.id)
                .append_pair("payment_intent_client_secret", &record.client_secret)
                .append_pair("redirect_status", status);
            back
        }))
    });
    match back.map(|back| back.and_then(|back| HeaderValue::from_str(back.as_str()).ok())) {
        Ok(Some(back)) => (StatusCode::SEE_OTHER, [(header::LOCATION, back)]).into_response(),
        Ok(None) => {
            Html("<!doctype html><title>Bank</title><p>Done. Go back to the shop.</p>").into_response()
        }
        Err(error) => outcome(Err(error)),
    }
}
