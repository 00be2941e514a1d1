//! Idempotency keys.

use std::time::Duration;

use bigtix_testkit::eventually;
use bigtix_testkit::stripe::{Fault, Operation, RequestTrouble};

use super::support::{Http, double, payment};

const INTENTS: &str = "/v1/payment_intents";

#[tokio::test]
async fn the_same_request_has_one_effect_and_one_answer() {
    let double = double().await;
    let http = Http::new(&double);
    let first = http.keyed("k1", INTENTS, &payment("pm_card_visa")).await;
    let second = http.keyed("k1", INTENTS, &payment("pm_card_visa")).await;
    assert_eq!((first.status, &first.text), (second.status, &second.text));
    assert_eq!(
        (
            first.header("idempotent-replayed"),
            second.header("idempotent-replayed")
        ),
        (None, Some("true"))
    );
    assert_eq!(first.header("request-id"), second.header("original-request"));
    assert_eq!(double.ledger().intents.len(), 1);
    http.keyed("k2", INTENTS, &payment("pm_card_visa")).await.ok();
    assert_eq!(double.ledger().intents.len(), 2);
}

#[tokio::test]
async fn a_decline_is_an_answer_too() {
    let double = double().await;
    let http = Http::new(&double);
    let first = http.keyed("k", INTENTS, &payment("pm_card_chargeDeclined")).await;
    let second = http.keyed("k", INTENTS, &payment("pm_card_chargeDeclined")).await;
    assert_eq!((first.status, second.status), (402, 402));
    assert_eq!(first.text, second.text);
    assert_eq!(double.ledger().intents.len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_parameters_and_its_path() {
    let double = double().await;
    let http = Http::new(&double);
    http.keyed("k", INTENTS, "amount=2000&currency=usd&metadata[a]=1")
        .await
        .ok();
    let reordered = http
        .keyed("k", INTENTS, "metadata[a]=1&currency=usd&amount=2000")
        .await;
    assert_eq!(reordered.header("idempotent-replayed"), Some("true"));
    let error = http
        .keyed("k", INTENTS, "amount=2001&currency=usd&metadata[a]=1")
        .await
        .error(400);
    assert_eq!(error["type"], "idempotency_error");
    let error = http
        .keyed(
            "k",
            "/v1/tokens",
            "card[number]=4242424242424242&card[exp_month]=1&card[exp_year]=2034",
        )
        .await;
    assert_eq!(error.error(400)["type"], "idempotency_error");
    assert_eq!(double.ledger().intents.len(), 1);
}

#[tokio::test]
async fn a_request_that_breaks_the_rules_leaves_its_key_free() {
    let double = double().await;
    let http = Http::new(&double);
    assert_eq!(
        http.keyed("k", INTENTS, "amount=1&currency=usd").await.status,
        400
    );
    assert_eq!(
        http.keyed("k", INTENTS, "amount=2000&currency=usd").await.status,
        200
    );
    let long = "x".repeat(256);
    assert_eq!(
        http.keyed(&long, INTENTS, "amount=2000&currency=usd")
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_refused_transition_was_executed_and_keeps_its_key() {
    let double = double().await;
    let http = Http::new(&double);
    let id = http.held().await;
    let path = format!("{INTENTS}/{id}/capture");
    http.post(&path, "").await.ok();
    let first = http.keyed("k", &path, "").await;
    assert_eq!(first.status, 400);
    assert_eq!(
        http.keyed("k", &path, "").await.header("idempotent-replayed"),
        Some("true")
    );
}

#[tokio::test]
async fn a_key_in_flight_is_refused_and_the_first_request_goes_on() {
    let double = double().await;
    let http = Http::new(&double);
    double.plan(Fault::request(Operation::Create, RequestTrouble::Slow).lasting(Duration::from_millis(400)));
    let slow = tokio::spawn({
        let http = http.clone();
        async move { http.keyed("k", INTENTS, &payment("pm_card_visa")).await }
    });
    eventually("the slow request to begin", async || {
        double.planned().is_empty().then_some(())
    })
    .await;
    let error = http
        .keyed("k", INTENTS, &payment("pm_card_visa"))
        .await
        .error(409);
    assert_eq!(error["code"], "idempotency_key_in_use");
    let first = slow.await.expect("it ends");
    let replay = http.keyed("k", INTENTS, &payment("pm_card_visa")).await;
    assert_eq!((first.status, first.text), (replay.status, replay.text));
    assert_eq!(double.ledger().intents.len(), 1);
}

#[tokio::test]
async fn fifty_at_once_with_one_key_have_one_effect() {
    let double = double().await;
    let http = Http::new(&double);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let http = http.clone();
        tasks.spawn(async move { http.keyed("k", INTENTS, &payment("pm_card_visa")).await.status });
    }
    let statuses = tasks.join_all().await;
    assert!(
        statuses.iter().all(|status| matches!(status, 200 | 409)),
        "{statuses:?}"
    );
    assert_eq!(double.ledger().intents.len(), 1);
}
