//! Trouble with requests.

use std::time::Duration;

use bigtix_testkit::eventually;
use bigtix_testkit::stripe::{Fault, Operation, RequestTrouble, Running};

use super::support::{Http, double, payment, text};

const INTENTS: &str = "/v1/payment_intents";
const BRIEFLY: Duration = Duration::from_millis(20);

async fn with(operation: Operation, trouble: RequestTrouble) -> (Running, Http) {
    let double = double().await;
    double.plan(Fault::request(operation, trouble).lasting(BRIEFLY));
    let http = Http::new(&double);
    (double, http)
}

#[tokio::test]
async fn a_timeout_before_the_effect_leaves_nothing_and_the_key_free() {
    let (double, http) = with(Operation::Create, RequestTrouble::TimeoutBefore).await;
    assert!(
        http.send("POST", INTENTS, Some("k"), &payment("pm_card_visa"))
            .await
            .is_none(),
        "no answer"
    );
    assert!(double.ledger().intents.is_empty());
    let retry = http.keyed("k", INTENTS, &payment("pm_card_visa")).await;
    assert_eq!((retry.status, retry.header("idempotent-replayed")), (200, None));
}

#[tokio::test]
async fn a_timeout_after_the_effect_leaves_it_and_the_key_answers() {
    let (double, http) = with(Operation::Create, RequestTrouble::TimeoutAfter).await;
    assert!(
        http.send("POST", INTENTS, Some("k"), &payment("pm_card_visa"))
            .await
            .is_none(),
        "no answer"
    );
    assert_eq!(double.ledger().held(), 2000);
    let retry = http.keyed("k", INTENTS, &payment("pm_card_visa")).await;
    assert_eq!(
        (retry.status, retry.header("idempotent-replayed")),
        (200, Some("true"))
    );
    assert_eq!(double.ledger().intents.len(), 1);
}

#[tokio::test]
async fn a_500_after_the_effect_is_what_the_key_answers_for_ever() {
    let (double, http) = with(Operation::Create, RequestTrouble::ErrorAfter).await;
    for _ in 0..3 {
        assert_eq!(
            http.keyed("k", INTENTS, &payment("pm_card_visa"))
                .await
                .error(500)["type"],
            "api_error"
        );
    }
    assert_eq!(double.ledger().held(), 2000);
    let list = http.get(INTENTS).await.ok();
    assert_eq!(
        list["data"][0]["metadata"]["orderId"], "order-1",
        "the effect is found by listing"
    );
}

#[tokio::test]
async fn a_500_before_the_effect_is_forgotten_or_stored() {
    let (double, http) = with(Operation::Create, RequestTrouble::ErrorBefore).await;
    assert_eq!(
        http.keyed("k", INTENTS, &payment("pm_card_visa")).await.status,
        500
    );
    assert_eq!(
        http.keyed("k", INTENTS, &payment("pm_card_visa")).await.status,
        200
    );
    assert_eq!(double.ledger().intents.len(), 1);
    double.plan(Fault::request(
        Operation::Create,
        RequestTrouble::ErrorBeforeStored,
    ));
    for _ in 0..2 {
        assert_eq!(
            http.keyed("k2", INTENTS, &payment("pm_card_visa")).await.status,
            500
        );
    }
    assert_eq!(double.ledger().intents.len(), 1);
}

#[tokio::test]
async fn a_429_is_not_stored() {
    let (double, http) = with(Operation::Capture, RequestTrouble::RateLimited).await;
    let path = format!("{INTENTS}/{}/capture", http.held().await);
    assert_eq!(http.keyed("k", &path, "").await.error(429)["code"], "rate_limit");
    assert_eq!(http.keyed("k", &path, "").await.ok()["status"], "succeeded");
    assert_eq!(double.ledger().intents[0].captures, 1);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_undo_what_it_asked_for() {
    let double = double().await;
    double.plan(Fault::request(Operation::Capture, RequestTrouble::Slow).lasting(Duration::from_millis(300)));
    let http = Http::new(&double);
    let id = http.held().await;
    let path = format!("{INTENTS}/{id}/capture");
    let left = tokio::time::timeout(Duration::from_millis(50), http.keyed("k", &path, "")).await;
    assert!(left.is_err(), "the client gave up");
    eventually("the capture to happen all the same", async || {
        (double.ledger().kept() == 2000).then_some(())
    })
    .await;
    assert_eq!(
        http.keyed("k", &path, "").await.header("idempotent-replayed"),
        Some("true")
    );
}

#[tokio::test]
async fn each_operation_has_its_own_trouble() {
    let double = double().await;
    let http = Http::new(&double);
    let id = http.held().await;
    for operation in [
        Operation::Confirm,
        Operation::Capture,
        Operation::Cancel,
        Operation::Retrieve,
        Operation::List,
        Operation::Refund,
    ] {
        double.plan(Fault::request(operation, RequestTrouble::ErrorBefore));
    }
    assert_eq!(
        http.post(&format!("{INTENTS}/{id}/confirm"), "").await.status,
        500
    );
    assert_eq!(
        http.post(&format!("{INTENTS}/{id}/capture"), "").await.status,
        500
    );
    assert_eq!(http.post(&format!("{INTENTS}/{id}/cancel"), "").await.status, 500);
    assert_eq!(http.get(&format!("{INTENTS}/{id}")).await.status, 500);
    assert_eq!(http.get(INTENTS).await.status, 500);
    assert_eq!(
        http.post("/v1/refunds", &format!("payment_intent={id}"))
            .await
            .status,
        500
    );
    assert!(double.planned().is_empty());
    assert_eq!(
        http.get(&format!("{INTENTS}/{id}")).await.ok()["status"],
        "requires_capture"
    );
}

#[tokio::test]
async fn plans_are_made_over_http_too() {
    let double = double().await;
    let http = Http::new(&double);
    let body = r#"[{"request": {"operation": "retrieve", "kind": "rate_limited", "times": 2}},
                   {"delivery": {"webhook": "lost", "event": "charge.refunded"}}]"#;
    http.post("/_double/faults", body).await.ok();
    assert_eq!(http.get("/v1/payment_intents/pi_1").await.status, 429);
    let left = http.get("/_double/faults").await.ok();
    assert_eq!(
        (
            left[0]["request"]["times"].as_i64(),
            left[1]["delivery"]["webhook"].as_str()
        ),
        (Some(1), Some("lost"))
    );
    http.send("DELETE", "/_double/faults", None, "")
        .await
        .expect("an answer")
        .ok();
    assert_eq!(http.get("/v1/payment_intents/pi_1").await.status, 404);
    assert_eq!(
        http.post("/_double/faults", r#"{"request": {"operation": "dance"}}"#)
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_card_carries_its_trouble_along() {
    let double = double().await;
    let http = Http::new(&double);
    let form = "type=card&card[token]=tok_visa_fault_capture_error_after";
    let method = text(&http.post("/v1/payment_methods", form).await.ok()["id"]);
    let form = format!("payment_method={method}");
    let token = text(
        &http
            .post("/v1/test_helpers/confirmation_tokens", &form)
            .await
            .ok()["id"],
    );
    let pay = payment("").replace("payment_method=&", &format!("confirmation_token={token}&"));
    let id = text(&http.keyed("create", INTENTS, &pay).await.ok()["id"]);
    let capture = format!("{INTENTS}/{id}/capture");
    assert_eq!(http.keyed("capture", &capture, "").await.status, 500);
    assert_eq!(
        http.get(&format!("{INTENTS}/{id}")).await.ok()["status"],
        "succeeded"
    );

    for key in ["a", "b"] {
        let pay = payment("pm_card_visa_fault_create_error_before");
        assert_eq!(
            http.keyed(key, INTENTS, &pay).await.status,
            500,
            "each attempt meets it once"
        );
        assert_eq!(http.keyed(key, INTENTS, &pay).await.status, 200);
    }
}
