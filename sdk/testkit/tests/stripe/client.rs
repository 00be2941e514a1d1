//! The double through the shop's own library: every object that it needs can be read.

use std::collections::HashMap;
use std::time::Duration;

use bigtix_testkit::stripe::{Fault, Operation, RequestTrouble, Running};
use stripe::{ApiErrors, ApiErrorsCode, ApiErrorsType};
use stripe::{Client, ClientBuilder, IdempotencyKey, RequestStrategy, StripeError, StripeRequest as _};
use stripe_core::charge::RetrieveCharge;
use stripe_core::event::{ListEvent, RetrieveEvent};
use stripe_core::payment_intent::{
    CancelPaymentIntent, CapturePaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent, ListPaymentIntent,
    RetrievePaymentIntent, UpdatePaymentIntent,
};
use stripe_core::refund::{CreateRefund, ListRefund, RetrieveRefund};
use stripe_core::token::RetrieveToken;
use stripe_core::{PaymentIntentAllowedPaymentMethodTypes, PaymentIntentCaptureMethod, PaymentIntentStatus};
use stripe_payment::confirmation_token::RetrieveConfirmationToken;
use stripe_payment::payment_method::RetrievePaymentMethod;
use stripe_types::Currency;

use super::support::{Http, double, text};

fn client(double: &Running) -> Client {
    ClientBuilder::new(double.secret_key.clone())
        .url(format!("{}/", double.url))
        .timeout(Duration::from_secs(5))
        .build()
        .expect("a client")
}

fn payment(card: &str) -> CreatePaymentIntent {
    CreatePaymentIntent::new(2000, Currency::USD)
        .capture_method(PaymentIntentCaptureMethod::Manual)
        .confirm(true)
        .payment_method(card)
        .return_url("http://shop.test/back")
        .allowed_payment_method_types([PaymentIntentAllowedPaymentMethodTypes::Card])
        .metadata(HashMap::from([("orderId".to_owned(), "order-1".to_owned())]))
}

fn keyed(key: &str) -> RequestStrategy {
    RequestStrategy::Idempotent(IdempotencyKey::new(key).expect("a key"))
}

/// Stripe's own refusal and its status.
fn refusal<T: std::fmt::Debug>(answer: Result<T, StripeError>) -> (u16, ApiErrors) {
    match answer.expect_err("refused") {
        StripeError::Stripe(error, status) => (status, *error),
        other => panic!("not in Stripe's shape: {other}"),
    }
}

#[tokio::test]
async fn a_payment_from_authorisation_to_refund() {
    let double = double().await;
    let client = client(&double);
    let intent = payment("pm_card_visa").send(&client).await.expect("authorised");
    assert_eq!(
        (intent.status, intent.amount_capturable),
        (PaymentIntentStatus::RequiresCapture, 2000)
    );
    assert_eq!(intent.metadata["orderId"], "order-1");
    let id = intent.id;
    let capture = CapturePaymentIntent::new(id.clone())
        .amount_to_capture(1500)
        .expand(["latest_charge".to_owned()]);
    let intent = capture
        .customize()
        .request_strategy(keyed("capture"))
        .send(&client)
        .await
        .expect("captured");
    assert_eq!(
        (intent.status, intent.amount_received),
        (PaymentIntentStatus::Succeeded, 1500)
    );
    let charge = intent
        .latest_charge
        .expect("a charge")
        .into_object()
        .expect("expanded");
    assert!(charge.captured && charge.paid);
    let card = charge
        .payment_method_details
        .and_then(|details| details.card)
        .expect("a card");
    assert_eq!(card.last4.as_deref(), Some("4242"));
    let charge = RetrieveCharge::new(charge.id)
        .send(&client)
        .await
        .expect("a charge");
    assert_eq!((charge.amount_captured, charge.amount_refunded), (1500, 500));
    let refund = CreateRefund::new()
        .payment_intent(id.to_string())
        .amount(500)
        .send(&client)
        .await
        .expect("refunded");
    assert_eq!(refund.status.as_deref(), Some("succeeded"));
    RetrieveRefund::new(refund.id)
        .send(&client)
        .await
        .expect("a refund");
    let refunds = ListRefund::new()
        .payment_intent(id.to_string())
        .send(&client)
        .await
        .expect("refunds");
    assert_eq!(refunds.data.len(), 1);
    let listed = ListPaymentIntent::new()
        .limit(10)
        .send(&client)
        .await
        .expect("intents");
    assert_eq!((listed.data.len(), listed.has_more), (1, false));
    assert_eq!(double.ledger().kept(), 1000);
}

#[tokio::test]
async fn a_decline_is_read_with_its_intent() {
    let double = double().await;
    let client = client(&double);
    let (status, error) = refusal(
        payment("pm_card_visa_chargeDeclinedInsufficientFunds")
            .send(&client)
            .await,
    );
    assert_eq!((status, error.code), (402, Some(ApiErrorsCode::CardDeclined)));
    assert_eq!(error.decline_code.as_deref(), Some("insufficient_funds"));
    assert_eq!(
        error.message.as_deref(),
        Some("Your card has insufficient funds.")
    );
    let intent = error.payment_intent.expect("the intent");
    assert_eq!(intent.status, PaymentIntentStatus::RequiresPaymentMethod);
    assert!(
        intent
            .last_payment_error
            .is_some_and(|last| last.payment_method.is_some())
    );
    let read = RetrievePaymentIntent::new(intent.id)
        .send(&client)
        .await
        .expect("it exists");
    assert_eq!(
        read.last_payment_error
            .and_then(|last| last.decline_code)
            .as_deref(),
        Some("insufficient_funds")
    );
}

#[tokio::test]
async fn three_d_secure_both_ways() {
    let double = double().await;
    let client = client(&double);
    let intent = payment("pm_card_threeDSecure2Required")
        .send(&client)
        .await
        .expect("waits");
    assert_eq!(intent.status, PaymentIntentStatus::RequiresAction);
    let action = intent.next_action.expect("an action");
    assert!(
        action
            .redirect_to_url
            .and_then(|redirect| redirect.url)
            .is_some_and(|url| url.starts_with(&double.url))
    );
    double.authenticate(&intent.id, true).expect("it waits");
    let intent = RetrievePaymentIntent::new(intent.id)
        .send(&client)
        .await
        .expect("an intent");
    assert_eq!(intent.status, PaymentIntentStatus::RequiresCapture);

    let sdk = payment("pm_card_authenticationRequired")
        .use_stripe_sdk(true)
        .send(&client)
        .await
        .expect("waits");
    let action = sdk.next_action.expect("an action");
    assert_eq!(
        (action.type_.as_str(), action.use_stripe_sdk.is_some()),
        ("use_stripe_sdk", true)
    );
    double.authenticate(&sdk.id, false).expect("it waits");
    let failed = RetrievePaymentIntent::new(sdk.id)
        .send(&client)
        .await
        .expect("an intent");
    assert_eq!(
        failed.last_payment_error.and_then(|last| last.code),
        Some(ApiErrorsCode::PaymentIntentAuthenticationFailure)
    );
}

#[tokio::test]
async fn update_confirm_and_cancel() {
    let double = double().await;
    let client = client(&double);
    let create = CreatePaymentIntent::new(2000, Currency::USD)
        .capture_method(PaymentIntentCaptureMethod::Manual)
        .allowed_payment_method_types([PaymentIntentAllowedPaymentMethodTypes::Card]);
    let id = create.send(&client).await.expect("created").id;
    let update =
        UpdatePaymentIntent::new(id.clone()).metadata(HashMap::from([("a".to_owned(), "1".to_owned())]));
    assert_eq!(update.send(&client).await.expect("updated").metadata["a"], "1");
    let confirm = ConfirmPaymentIntent::new(id.clone()).payment_method("pm_card_visa");
    assert_eq!(
        confirm.send(&client).await.expect("confirmed").status,
        PaymentIntentStatus::RequiresCapture
    );
    let canceled = CancelPaymentIntent::new(id.clone())
        .send(&client)
        .await
        .expect("canceled");
    assert_eq!(
        (canceled.status, canceled.canceled_at.is_some()),
        (PaymentIntentStatus::Canceled, true)
    );
    let (status, error) = refusal(CapturePaymentIntent::new(id).send(&client).await);
    assert_eq!(
        (status, error.code),
        (400, Some(ApiErrorsCode::PaymentIntentUnexpectedState))
    );
    assert_eq!(
        error.payment_intent.map(|intent| intent.status),
        Some(PaymentIntentStatus::Canceled)
    );
}

#[tokio::test]
async fn tokens_methods_and_confirmation_tokens_are_read() {
    let double = double().await;
    let (client, http) = (client(&double), Http::new(&double));
    let form = "payment_method=pm_card_visa&return_url=http://shop.test/back";
    let id = text(&http.post("/v1/test_helpers/confirmation_tokens", form).await.ok()["id"]);
    let token = RetrieveConfirmationToken::new(id.clone())
        .send(&client)
        .await
        .expect("a confirmation token");
    let card = token
        .payment_method_preview
        .and_then(|preview| preview.card)
        .expect("a card");
    assert_eq!(
        (card.last4.as_str(), token.return_url.as_deref()),
        ("4242", Some("http://shop.test/back"))
    );
    let paid = CreatePaymentIntent::new(2000, Currency::USD)
        .confirm(true)
        .confirmation_token(id);
    let paid = paid.send(&client).await.expect("paid");
    assert_eq!(paid.status, PaymentIntentStatus::Succeeded);
    let method = paid.payment_method.expect("a method").into_id();
    let method = RetrievePaymentMethod::new(method)
        .send(&client)
        .await
        .expect("a method");
    assert_eq!(method.card.map(|card| card.brand).as_deref(), Some("visa"));
    let form = "card[number]=5555555555554444&card[exp_month]=12&card[exp_year]=2034";
    let id = text(&http.post("/v1/tokens", form).await.ok()["id"]);
    let token = RetrieveToken::new(id).send(&client).await.expect("a token");
    assert_eq!(
        (token.card.map(|card| card.brand).as_deref(), token.used),
        (Some("MasterCard"), false)
    );
}

#[tokio::test]
async fn events_are_listed_and_read() {
    let double = double().await;
    let (client, http) = (client(&double), Http::new(&double));
    http.held().await;
    let kinds = ["charge.succeeded".to_owned(), "payment_intent.created".to_owned()];
    let events = ListEvent::new().types(kinds).send(&client).await.expect("events");
    assert_eq!(events.data.len(), 2);
    let id = events.data[0].id.clone();
    assert_eq!(
        RetrieveEvent::new(id.clone())
            .send(&client)
            .await
            .expect("an event")
            .id,
        id
    );
}

#[tokio::test]
async fn what_is_refused_before_it_starts_is_read() {
    let double = double().await;
    let client = client(&double);
    let (status, error) = refusal(CreatePaymentIntent::new(10, Currency::USD).send(&client).await);
    assert_eq!((status, error.code), (400, Some(ApiErrorsCode::AmountTooSmall)));
    let (status, error) = refusal(RetrievePaymentIntent::new("pi_nobody").send(&client).await);
    assert_eq!((status, error.code), (404, Some(ApiErrorsCode::ResourceMissing)));
    let stranger = ClientBuilder::new("sk_test_wrong")
        .url(format!("{}/", double.url))
        .build()
        .expect("a client");
    assert_eq!(refusal(ListPaymentIntent::new().send(&stranger).await).0, 401);
    double.plan(Fault::request(Operation::List, RequestTrouble::RateLimited));
    let (status, error) = refusal(ListPaymentIntent::new().send(&client).await);
    assert_eq!((status, error.code), (429, Some(ApiErrorsCode::RateLimit)));
    double.plan(Fault::request(Operation::List, RequestTrouble::ErrorBefore));
    assert_eq!(refusal(ListPaymentIntent::new().send(&client).await).0, 500);
}

#[tokio::test]
async fn an_unanswered_request_is_resolved_by_its_key() {
    let double = double().await;
    let client = client(&double);
    double.plan(
        Fault::request(Operation::Create, RequestTrouble::TimeoutAfter).lasting(Duration::from_millis(20)),
    );
    let pay = || payment("pm_card_visa").customize().request_strategy(keyed("pay"));
    assert!(
        matches!(pay().send(&client).await, Err(StripeError::ClientError(_))),
        "the connection was dropped"
    );
    double.plan(Fault::request(Operation::Create, RequestTrouble::TimeoutAfter));
    let patience = pay().timeout(Duration::from_millis(50)).send(&client).await;
    assert!(
        matches!(patience, Err(StripeError::Timeout)),
        "the connection was held"
    );
    let intent = pay().send(&client).await.expect("the stored answer");
    assert_eq!(intent.status, PaymentIntentStatus::RequiresCapture);
    let (status, error) = refusal(
        payment("pm_card_mastercard")
            .customize()
            .request_strategy(keyed("pay"))
            .send(&client)
            .await,
    );
    assert_eq!((status, error.type_), (400, ApiErrorsType::IdempotencyError));
    assert_eq!(double.ledger().intents.len(), 1);
}
