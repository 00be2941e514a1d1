//! Paying with a card that does as it is told, and with one that does not.

use std::sync::{Arc, Mutex};

use bigtix_contracts::OrderId;
use bigtix_contracts::events::{CancelReason, Envelope, OrderStatus, PaymentState, PaymentStatus};
use bigtix_contracts::internal::paths;
use bigtix_service::Secret;
use bigtix_service::inbox::Subscription;
use bigtix_service::nats::{Bus, NatsConfig};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::shared;
use bigtix_testkit::stripe::{Fault, Operation, RequestTrouble};
use bson::doc;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::orders::Trouble;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn paying_completes_the_order() {
    let (world, service) = World::running().await;
    for token in ["pm_card_visa", "tok_visa"] {
        let order = world.order();
        let paid = world.pay(&service, order, token).await.expect(201);
        assert_eq!(
            (paid.text("status"), &paid.body["success"]),
            ("succeeded", &json!(true))
        );
        assert_eq!(paid.body["amount"], json!(19.99));
        assert!(paid.body.get("clientSecret").is_none());
        let state = world.orders.order(order);
        assert_eq!(state.status, OrderStatus::Complete);
        assert_eq!(
            state.payment_id.map(|id| id.to_string()).as_deref(),
            Some(paid.text("id"))
        );
        world.assert_paid_once(order);
        assert_eq!(world.ledger(order)[0].metadata["paymentId"], paid.text("id"));
        let read = world.get(&service, order, world.buyer).await.expect(200);
        assert_eq!(read.body, paid.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_card_leaves_the_order_payable() {
    let (world, service) = World::running().await;
    let order = world.order();
    let declined = world
        .pay(&service, order, "tok_chargeDeclinedInsufficientFunds")
        .await
        .expect(402);
    assert_eq!(
        (declined.message(), declined.code()),
        ("Your card has insufficient funds.", "card_declined")
    );
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(200)
            .text("status"),
        "failed"
    );
    assert_eq!(world.orders.status(order), OrderStatus::Created);
    world.assert_nothing_taken(order);
    world.pay(&service, order, "tok_visa").await.expect(201);
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_requests_at_once_pay_once_and_answer_alike() {
    let (world, service) = World::running().await;
    let second = world.start().await;
    for _ in 0..5 {
        let order = world.order();
        let pay = || async { world.pay(&service, order, "tok_visa").await.expect(201) };
        let elsewhere = || async { world.pay(&second, order, "pm_card_visa").await.expect(201) };
        let (a, b, c) = tokio::join!(pay(), elsewhere(), pay());
        assert_eq!((a.text("id"), a.text("id")), (b.text("id"), c.text("id")));
        assert_eq!(a.text("status"), "succeeded");
        world.assert_paid_once(order);
        assert_eq!(world.ledger(order).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_gets_the_decline_of_the_first() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.stripe.plan(
        Fault::request(Operation::Create, RequestTrouble::Slow)
            .lasting(std::time::Duration::from_millis(300)),
    );
    let pay = || async { world.pay(&service, order, "tok_chargeDeclined").await };
    let (a, b) = tokio::join!(pay(), pay());
    assert_eq!(
        (a.expect(402).message(), b.expect(402).message()),
        ("Your card was declined.", "Your card was declined.")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_paid_for_is_refused_and_nothing_is_asked_of_stripe() {
    let (world, service) = World::running().await;
    let (expired, cancelled, paid) = (world.order(), world.order(), world.order());
    world.orders.cancel(expired, CancelReason::Expired);
    world.orders.cancel(cancelled, CancelReason::User);
    world.pay(&service, paid, "tok_visa").await.expect(201);
    for (order, message, code) in [
        (expired, "Order has expired", "order_expired"),
        (cancelled, "Cannot pay for a cancelled order", "order_cancelled"),
        (paid, "Order is already complete", "order_complete"),
    ] {
        let refused = world.pay(&service, order, "tok_visa").await.expect(400);
        assert_eq!((refused.message(), refused.code()), (message, code));
    }
    assert_eq!(world.stripe.ledger().intents.len(), 1);
    let dear = world
        .orders
        .place(world.buyer, world.seller, &[60_000_000, 60_000_000]);
    let refused = world.pay(&service, dear, "tok_visa").await.expect(400);
    assert_eq!(
        (refused.message(), refused.code()),
        ("Order total is too large", "total_too_large")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_expires_while_the_card_is_authorised_is_not_charged() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.orders.cause(paths::CONFIRM, Trouble::ExpireBefore);
    let refused = world.pay(&service, order, "tok_visa").await.expect(400);
    assert_eq!(refused.message(), "Order has expired");
    assert_eq!(world.orders.status(order), OrderStatus::Cancelled);
    let entries = world.ledger(order);
    assert_eq!(
        (entries.len(), entries[0].authorised, entries[0].released),
        (1, 1999, 1999)
    );
    world.assert_nothing_taken(order);
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(200)
            .text("status"),
        "cancelled"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_stripe_does_not_know_is_refused() {
    let (world, service) = World::running().await;
    let order = world.order();
    for token in ["tok_nobody", "pm_nobody", "ctoken_nobody"] {
        let refused = world.pay(&service, order, token).await.expect(400);
        assert_eq!(
            refused.body["errors"][0],
            json!({"message": "Token is invalid", "field": "token"})
        );
    }
    world.pay(&service, order, "tok_visa").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_alias_wants_the_amount_to_be_the_total() {
    let (world, service) = World::running().await;
    let order = world.order();
    let pay = |order: OrderId, amount| {
        let body = json!({"orderId": order, "amount": amount, "confirmationTokenId": "pm_card_visa"});
        world.send(world.post(&service, "/api/payments/new", world.buyer).json(&body))
    };
    let refused = pay(order, json!(20)).await.expect(400);
    assert_eq!(
        (refused.message(), refused.code()),
        ("Payment amount does not match order amount", "amount_mismatch")
    );
    assert_eq!(world.stripe.ledger().intents.len(), 0);
    let paid = pay(order, json!("19.99")).await.expect(201);
    assert_eq!(paid.body, json!({"status": "succeeded", "clientSecret": null}));
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_is_one_payment() {
    let (world, service) = World::running().await;
    let order = world.order();
    let pay = |key: &'static str, token: &'static str| {
        world.send(
            world
                .paying(&service, order, token)
                .header("Idempotency-Key", key),
        )
    };
    let declined = pay("k1", "tok_chargeDeclined").await.expect(402);
    assert_eq!(declined.code(), "card_declined");
    let first = pay("k1", "tok_visa").await.expect(201);
    let again = pay("k1", "tok_visa").await.expect(201);
    assert_eq!(first.body, again.body);
    assert_eq!(
        pay("k1", "tok_mastercard").await.expect(422).code(),
        "idempotency_key_reused"
    );
    assert_eq!(pay("k2", "tok_visa").await.expect(400).code(), "order_complete");
    // A repetition that is under way, or that died, is nothing to wait for: it changes nothing any more.
    let keys = world.mongo().await.collection("idempotency");
    let running = doc! {"$set": {"running": true, "leaseAt": bson::DateTime::now()}};
    keys.update_many(doc! {}, running).await.unwrap();
    let beside = pay("k1", "tok_visa").await.expect(201);
    assert_eq!(first.body, beside.body);
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_token_pays() {
    let (world, service) = World::running().await;
    let order = world.order();
    let made = reqwest::Client::new()
        .post(format!(
            "{}/v1/test_helpers/confirmation_tokens",
            world.stripe.url
        ))
        .bearer_auth(&world.stripe.secret_key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("payment_method=pm_card_visa");
    let made: serde_json::Value =
        serde_json::from_str(&made.send().await.unwrap().text().await.unwrap()).unwrap();
    world
        .pay(&service, order, made["id"].as_str().unwrap())
        .await
        .expect(201);
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_payment_is_published_with_its_trace() {
    let (world, service) = World::running().await;
    let url = Secret::new(shared().nats_url());
    let bus = Bus::connect(
        &NatsConfig {
            url,
            prefix: world.prefix.clone(),
            replicas: 1,
        },
        "payments",
    )
    .await
    .unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    let subscription = Subscription::new("tests-payments", move |batch: Vec<Envelope<PaymentState>>| {
        ears.lock().unwrap().extend(batch);
        async { Ok(()) }
    });
    let stop = CancellationToken::new();
    let hearing = tokio::spawn(subscription.run(world.mongo().await, bus, stop.clone()));
    let order = world.order();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let paid = world
        .send(
            world
                .paying(&service, order, "tok_visa")
                .header("traceparent", trace),
        )
        .await
        .expect(201);
    let last = eventually("the payment is heard of", async || {
        let heard = heard.lock().unwrap();
        heard
            .iter()
            .rfind(|event: &&Envelope<PaymentState>| event.data.status == PaymentStatus::Succeeded)
            .cloned()
    })
    .await;
    assert_eq!(
        (last.event_type.as_str(), last.traceparent.as_deref()),
        ("payment.succeeded", Some(trace))
    );
    assert_eq!(
        (last.data.order_id, last.version),
        (order, paid.body["version"].as_i64().unwrap())
    );
    stop.cancel();
    hearing.await.unwrap();
}
