//! Deliveries of events.

use std::time::Duration;

use bigtix_testkit::eventually;
use bigtix_testkit::stripe::{Attempt, Fault, Running, WebhookTrouble, signature};
use stripe_webhook::{EventObject, EventType, Webhook};

use super::support::{Http, Received, Receiver, double, text};

async fn shop() -> (Running, Http, Receiver) {
    let (double, receiver) = (double().await, Receiver::start().await);
    double.set_webhook(&receiver.url);
    let http = Http::new(&double);
    (double, http, receiver)
}

async fn quiet(double: &Running) {
    eventually("every event to be delivered", async || {
        (double.undelivered() == 0).then_some(())
    })
    .await;
}

fn sorted(mut kinds: Vec<String>) -> Vec<String> {
    kinds.sort();
    kinds
}

/// Whether the shop's library takes the delivery.
fn genuine(double: &Running, received: &Received) -> bool {
    Webhook::construct_event(&received.body, &received.signature, &double.webhook_secret).is_ok()
}

#[tokio::test]
async fn every_transition_is_told_and_signed() {
    let (double, http, receiver) = shop().await;
    let id = http.held().await;
    http.post(&format!("/v1/payment_intents/{id}/capture"), "")
        .await
        .ok();
    http.post("/v1/refunds", &format!("payment_intent={id}"))
        .await
        .ok();
    quiet(&double).await;
    let expected = [
        "charge.captured",
        "charge.refunded",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "payment_intent.created",
        "payment_intent.succeeded",
        "refund.created",
    ];
    assert_eq!(sorted(receiver.kinds()), expected);
    for received in receiver.received() {
        let event = Webhook::construct_event(&received.body, &received.signature, &double.webhook_secret)
            .unwrap_or_else(|error| panic!("{}: {error}", received.kind()));
        let about_the_intent = match event.data.object {
            EventObject::PaymentIntentCreated(it)
            | EventObject::PaymentIntentAmountCapturableUpdated(it)
            | EventObject::PaymentIntentSucceeded(it) => it.id.as_str() == id,
            EventObject::ChargeSucceeded(it)
            | EventObject::ChargeCaptured(it)
            | EventObject::ChargeRefunded(it) => it
                .payment_intent
                .is_some_and(|intent| intent.into_id().as_str() == id),
            EventObject::RefundCreated(it) => it
                .payment_intent
                .is_some_and(|intent| intent.into_id().as_str() == id),
            other => panic!("not expected: {other:?}"),
        };
        assert!(about_the_intent, "{}", received.kind());
    }
}

#[tokio::test]
async fn failures_cancellations_and_disputes_are_told() {
    let (double, http, receiver) = shop().await;
    http.pay("pm_card_chargeDeclined").await.error(402);
    let waiting = text(&http.pay("pm_card_threeDSecure2Required").await.ok()["id"]);
    double.authenticate(&waiting, true).expect("it waits");
    http.post(&format!("/v1/payment_intents/{waiting}/cancel"), "")
        .await
        .ok();
    let disputed = text(&http.pay("pm_card_createDispute").await.ok()["id"]);
    http.post(&format!("/v1/payment_intents/{disputed}/capture"), "")
        .await
        .ok();
    let slow = text(&http.pay("pm_card_visa_processing").await.ok()["id"]);
    double.settle(&slow, false).expect("it is processing");
    quiet(&double).await;
    for (kind, count) in [
        ("payment_intent.created", 4),
        ("payment_intent.payment_failed", 2),
        ("charge.failed", 2),
        ("payment_intent.requires_action", 1),
        ("payment_intent.canceled", 1),
        ("charge.refunded", 1),
        ("payment_intent.processing", 1),
        ("charge.dispute.created", 1),
    ] {
        assert_eq!(receiver.count(kind), count, "{kind} in {:?}", receiver.kinds());
    }
    for received in receiver.received() {
        Webhook::construct_event(&received.body, &received.signature, &double.webhook_secret)
            .unwrap_or_else(|error| panic!("{error}: {}", received.body));
    }
    assert!(double.ledger().get(&disputed).expect("an entry").disputed);
    let refund = http
        .post("/v1/refunds", &format!("payment_intent={disputed}"))
        .await
        .error(400);
    assert_eq!(refund["code"], "charge_disputed");
}

#[tokio::test]
async fn a_refused_delivery_is_repeated_until_it_is_accepted() {
    let (double, http, receiver) = shop().await;
    receiver.refuse("charge.succeeded", 2);
    http.held().await;
    quiet(&double).await;
    assert_eq!(receiver.count("charge.succeeded"), 3);
    let statuses: Vec<_> = double
        .deliveries()
        .into_iter()
        .filter(|it| it.kind == "charge.succeeded")
        .map(|it| it.status)
        .collect();
    assert_eq!(statuses, [Some(503), Some(503), Some(200)]);
}

#[tokio::test]
async fn a_receiver_that_moves_gets_what_it_missed() {
    let (double, http) = (double().await, Http::new(&double().await));
    // Nobody listens there.
    double.set_webhook("http://127.0.0.1:9/hook");
    Http::new(&double).held().await;
    drop(http);
    eventually("an attempt in vain", async || {
        double.deliveries().first().map(drop)
    })
    .await;
    let receiver = Receiver::start().await;
    double.set_webhook(&receiver.url);
    quiet(&double).await;
    assert_eq!(receiver.kinds().len(), 3);
}

#[tokio::test]
async fn a_lost_event_stays_readable() {
    let (double, http, receiver) = shop().await;
    double.plan(Fault::webhook_of(
        "payment_intent.succeeded",
        WebhookTrouble::Lost,
    ));
    let id = http.held().await;
    http.post(&format!("/v1/payment_intents/{id}/capture"), "")
        .await
        .ok();
    quiet(&double).await;
    assert_eq!(receiver.count("payment_intent.succeeded"), 0);
    let events = http.get("/v1/events?type=payment_intent.succeeded").await.ok();
    assert_eq!(events["data"][0]["data"]["object"]["id"], id);
    let one = http
        .get(&format!("/v1/events/{}", text(&events["data"][0]["id"])))
        .await
        .ok();
    assert_eq!(one, events["data"][0]);
}

#[tokio::test]
async fn an_event_can_come_twice_late_or_in_another_order() {
    let (double, http, receiver) = shop().await;
    double.plan(Fault::webhook_of(
        "payment_intent.created",
        WebhookTrouble::Reordered,
    ));
    double.plan(Fault::webhook_of("charge.succeeded", WebhookTrouble::Duplicate));
    let late = Fault::webhook_of(
        "payment_intent.amount_capturable_updated",
        WebhookTrouble::Delayed,
    );
    double.plan(late.lasting(Duration::from_millis(300)));
    http.held().await;
    quiet(&double).await;
    let kinds = receiver.kinds();
    let place = |kind: &str| kinds.iter().position(|it| it == kind).expect("delivered");
    assert!(
        place("payment_intent.created") > place("charge.succeeded"),
        "{kinds:?}"
    );
    assert_eq!(
        place("payment_intent.amount_capturable_updated"),
        kinds.len() - 1,
        "{kinds:?}"
    );
    let twice: Vec<_> = receiver
        .received()
        .into_iter()
        .filter(|it| it.kind() == "charge.succeeded")
        .collect();
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0].body, twice[1].body, "the same event, to the byte");
}

#[tokio::test]
async fn forged_and_replayed_deliveries_are_not_genuine() {
    let (double, http, receiver) = shop().await;
    double.plan(Fault::webhook_of(
        "payment_intent.created",
        WebhookTrouble::WrongSignature,
    ));
    double.plan(Fault::webhook_of("charge.succeeded", WebhookTrouble::Replayed));
    http.held().await;
    quiet(&double).await;
    let genuine = |kind: &str| -> Vec<bool> {
        receiver
            .received()
            .iter()
            .filter(|it| it.kind() == kind)
            .map(|it| genuine(&double, it))
            .collect()
    };
    assert_eq!(genuine("payment_intent.created"), [false, true]);
    assert_eq!(genuine("charge.succeeded"), [true, false]);
    let attempts: Vec<_> = double
        .deliveries()
        .into_iter()
        .map(|delivery| delivery.attempt)
        .collect();
    assert_eq!(
        attempts
            .iter()
            .filter(|attempt| **attempt == Attempt::Forged)
            .count(),
        1
    );
    assert_eq!(
        attempts
            .iter()
            .filter(|attempt| **attempt == Attempt::Replay)
            .count(),
        1
    );
}

#[tokio::test]
async fn an_endpoint_hears_what_it_asked_for_under_a_secret_of_its_own() {
    let (double, receiver) = (double().await, Receiver::start().await);
    let http = Http::new(&double);
    let form = format!(
        "url={}&enabled_events[]=payment_intent.amount_capturable_updated",
        receiver.url
    );
    let endpoint = http.post("/v1/webhook_endpoints", &form).await.ok();
    let secret = text(&endpoint["secret"]);
    http.held().await;
    quiet(&double).await;
    let received = receiver.received();
    assert_eq!(receiver.kinds(), ["payment_intent.amount_capturable_updated"]);
    let event =
        Webhook::construct_event(&received[0].body, &received[0].signature, &secret).expect("genuine");
    assert_eq!(event.type_, EventType::PaymentIntentAmountCapturableUpdated);
    let id = text(&endpoint["id"]);
    assert!(
        http.get(&format!("/v1/webhook_endpoints/{id}")).await.ok()["secret"].is_null(),
        "told once"
    );
    http.send("DELETE", &format!("/v1/webhook_endpoints/{id}"), None, "")
        .await
        .expect("an answer")
        .ok();
    assert_eq!(
        http.get("/v1/webhook_endpoints").await.ok()["data"],
        serde_json::json!([])
    );
}

#[test]
fn a_signature_of_the_double_is_one_of_the_library() {
    let header = Webhook::generate_test_header("{}", "whsec_x", Some(1_700_000_000));
    assert_eq!(header, signature("whsec_x", 1_700_000_000, b"{}"));
}
