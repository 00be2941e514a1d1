//! The ledger is the oracle for money.

use bigtix_testkit::stripe::Ledger;

use super::support::{Http, double, text};

#[tokio::test]
async fn the_ledger_knows_every_cent() {
    let double = double().await;
    let http = Http::new(&double);
    let (held, paid, void) = (http.held().await, http.held().await, http.held().await);
    http.post(&format!("/v1/payment_intents/{paid}/capture"), "")
        .await
        .ok();
    http.post("/v1/refunds", &format!("payment_intent={paid}&amount=700"))
        .await
        .ok();
    http.post("/v1/refunds", &format!("payment_intent={paid}&amount=300"))
        .await
        .ok();
    http.post(&format!("/v1/payment_intents/{void}/cancel"), "")
        .await
        .ok();
    let ledger = double.ledger();
    assert_eq!((ledger.kept(), ledger.held()), (1000, 2000));
    let entry = ledger.get(&paid).expect("an entry");
    assert_eq!(
        (entry.captured, entry.captures, entry.refunded, entry.refunds),
        (2000, 1, 1000, 2)
    );
    let entry = ledger.get(&void).expect("an entry");
    assert_eq!(
        (entry.authorised, entry.held, entry.released, entry.captured),
        (2000, 0, 2000, 0)
    );
    assert_eq!(ledger.get(&held).expect("an entry").held, 2000);
    assert_eq!(ledger.with("orderId", "order-1").count(), 3);
    assert_eq!(ledger.with("orderId", "order-2").count(), 0);
}

#[tokio::test]
async fn the_ledger_is_read_over_http_too() {
    let double = double().await;
    let http = Http::new(&double);
    let id = http.held().await;
    let read: Ledger = serde_json::from_value(http.get("/_double/ledger").await.ok()).expect("a ledger");
    assert_eq!(read, double.ledger());
    let dispute = http
        .post(&format!("/_double/payment_intents/{id}/dispute"), "")
        .await
        .error(400);
    assert_eq!(text(&dispute["code"]), "payment_intent_unexpected_state");
    assert_eq!(http.get("/_double/deliveries").await.ok()["pending"], 0);
}

#[tokio::test]
async fn secrets_are_not_shown_when_debugging() {
    let double = double().await;
    let shown = format!("{double:?} {:?}", bigtix_testkit::stripe::Options::default());
    for secret in [&double.secret_key, &double.webhook_secret] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
