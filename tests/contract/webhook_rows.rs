//! What Stripe tells.

use bigtix_contracts::{Cents, ErrorCode};
use bigtix_tests::stripe::{look_up, signature};
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{Ask, World, scenarios};
use serde_json::json;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_signed_webhook_is_received_whatever_it_says,
    a_webhook_without_a_good_signature_is_refused,
    an_old_signature_is_refused,
    a_repeated_webhook_changes_nothing,
];

fn webhook(world: &World, at: i64, body: &str) -> Ask {
    let secret = &world.shop().stripe().webhook_secret;
    sent(world, &signature(secret, at, body), body)
}

fn sent(world: &World, signature: &str, body: &str) -> Ask {
    world
        .post("/api/webhooks/stripe")
        .header("stripe-signature", signature)
        .body("application/json", body)
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

fn event(kind: &str, intent: &str) -> String {
    let object = json!({"id": intent, "object": "payment_intent", "metadata": {}, "status": "succeeded"});
    json!({"id": unique("evt").replace('-', "_"), "object": "event", "type": kind, "created": now(),
        "livemode": false, "api_version": "2025-01-01", "data": {"object": object}})
    .to_string()
}

async fn a_signed_webhook_is_received_whatever_it_says(world: World) {
    for (kind, intent) in [
        ("payment_intent.succeeded", "pi_nobodys"),
        ("payment_intent.payment_failed", "pi_nobodys"),
        ("customer.created", "cus_nobodys"),
        ("something.new", "x"),
    ] {
        let answer = webhook(&world, now(), &event(kind, intent)).await.is(200);
        assert_eq!(answer.json, json!({"received": true}));
    }
}

async fn a_webhook_without_a_good_signature_is_refused(world: World) {
    let body = event("payment_intent.succeeded", "pi_nobodys");
    let secret = &world.shop().stripe().webhook_secret;
    let good = signature(secret, now(), &body);
    let unsigned = world
        .post("/api/webhooks/stripe")
        .body("application/json", body.clone());
    let of_another = signature("whsec_of_somebody_else", now(), &body);
    for ask in [
        unsigned,
        sent(&world, "nonsense", &body),
        sent(&world, "t=1,v1=00", &body),
        sent(&world, &of_another, &body),
        sent(&world, &good, &body.replace("pi_nobodys", "pi_somebodys")),
    ] {
        let answer = ask.await.is(400);
        assert_eq!(answer.problem().code, ErrorCode::InvalidSignature, "{answer}");
    }
    sent(&world, &good, &body).await.is(200);
}

async fn an_old_signature_is_refused(world: World) {
    let body = event("payment_intent.succeeded", "pi_nobodys");
    let answer = webhook(&world, now() - 330, &body).await.is(400);
    assert_eq!(answer.problem().code, ErrorCode::InvalidSignature);
    webhook(&world, now() - 240, &body).await.is(200);
}

async fn a_repeated_webhook_changes_nothing(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let (order, payment) = buyer.buys(&world, ticket.id).await;
    let intent = payment.stripe_id.expect("Stripe's id");
    let body = event("payment_intent.succeeded", &intent);
    let failed = event("payment_intent.payment_failed", &intent);
    for body in [&body, &body, &failed] {
        webhook(&world, now(), body).await.is(200);
    }
    let shown = buyer.client.payment(order.id).await.expect("the payment");
    assert!(shown.success);
    let order = buyer.client.order(order.id).await.expect("the order");
    assert_eq!(json!(order.status), "complete");
    let charged = look_up(world.shop(), &intent).await;
    assert_eq!((charged.amount, charged.refunded), (Cents(2000), Cents(0)));
}
