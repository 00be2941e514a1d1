//! Money that goes back.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::OrderStatus;
use bigtix_contracts::internal::paths;
use bigtix_testkit::eventually;
use bigtix_testkit::stripe::{Fault, Operation, RequestTrouble};
use serde_json::json;

use crate::orders::Trouble;
use crate::world::{Answer, Instance, World};

async fn refund(world: &World, service: &Instance, order: OrderId, key: Option<&str>) -> Answer {
    let mut request = world.post(service, &format!("/api/payments/{order}/refund"), world.seller);
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    world.send(request).await
}

async fn paid(world: &World, service: &Instance, token: &str) -> OrderId {
    let order = world.order();
    world.pay(service, order, token).await.expect(201);
    order
}

#[track_caller]
fn assert_refunded_once(world: &World, order: OrderId) {
    let entries = world.ledger(order);
    assert_eq!(
        (entries.len(), entries[0].captures, entries[0].refunds),
        (1, 1, 1),
        "{entries:#?}"
    );
    assert_eq!((entries[0].refunded, entries[0].kept()), (1999, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seller_sends_the_money_back_once() {
    let (world, service) = World::running().await;
    let order = paid(&world, &service, "tok_visa").await;
    let (a, b) = tokio::join!(
        refund(&world, &service, order, Some("k")),
        refund(&world, &service, order, Some("k"))
    );
    let (a, b) = (a.expect(201), b.expect(201));
    assert_eq!((a.text("status"), &a.body), ("refunded", &b.body));
    assert_eq!(
        refund(&world, &service, order, Some("k")).await.expect(201).body,
        a.body
    );
    let again = refund(&world, &service, order, None).await.expect(400);
    assert_eq!(
        (again.message(), again.code()),
        ("Only a complete order can be refunded", "order_not_refundable")
    );
    let state = world.orders.order(order);
    assert_eq!((state.status, state.relisted), (OrderStatus::Refunded, false));
    assert_refunded_once(&world, order);
    assert_eq!(
        world.pay(&service, order, "tok_visa").await.expect(400).message(),
        "Order is already complete"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_seller_of_all_tickets_and_administrators_may() {
    let (world, service) = World::running().await;
    let order = paid(&world, &service, "tok_visa").await;
    let path = format!("/api/payments/{order}/refund");
    world.send(world.anonymous(&service, &path)).await.expect(401);
    assert_eq!(
        world
            .send(world.post(&service, &path, world.buyer))
            .await
            .expect(401)
            .message(),
        "Not authorized"
    );
    assert_eq!(world.ledger(order)[0].refunds, 0);
    let admin = world
        .anonymous(&service, &path)
        .bearer_auth(world.token(world.buyer, true))
        .json(&json!({"relist": true}));
    world.send(admin).await.expect(201);
    assert!(world.orders.order(order).relisted);
    assert_refunded_once(&world, order);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_complete_order_can_be_refunded() {
    let (world, service) = World::running().await;
    let order = world.order();
    assert_eq!(
        refund(&world, &service, order, None).await.expect(400).code(),
        "order_not_refundable"
    );
    let request = world.post(
        &service,
        "/api/payments/64b0c0ffee0000000000beef/refund",
        world.seller,
    );
    assert_eq!(world.send(request).await.expect(404).message(), "Order not found");
    let wrong = world
        .post(&service, &format!("/api/payments/{order}/refund"), world.seller)
        .json(&json!({"relist": 1}));
    assert_eq!(
        world.send(wrong).await.expect(400).body["errors"][0]["field"],
        "relist"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_the_request_the_money_goes_back_once() {
    let (world, service) = World::running().await;
    for trouble in [
        RequestTrouble::TimeoutBefore,
        RequestTrouble::TimeoutAfter,
        RequestTrouble::ErrorBefore,
        RequestTrouble::ErrorBeforeStored,
        RequestTrouble::ErrorAfter,
        RequestTrouble::RateLimited,
    ] {
        let order = paid(&world, &service, "tok_visa").await;
        world.stripe.plan(Fault::request(Operation::Refund, trouble));
        let answer = refund(&world, &service, order, None).await;
        assert_eq!(answer.status.as_u16(), 201, "{trouble:?}: {:#}", answer.body);
        assert_refunded_once(&world, order);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_made_at_stripe_reaches_the_order() {
    let (world, service) = World::running().await;
    let order = paid(&world, &service, "tok_visa").await;
    let intent = world.ledger(order)[0].id.clone();
    let by_hand = reqwest::Client::new()
        .post(format!("{}/v1/refunds", world.stripe.url))
        .bearer_auth(&world.stripe.secret_key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("payment_intent={intent}"));
    assert!(by_hand.send().await.unwrap().status().is_success());
    world.until(&service, order, "refunded").await;
    let state = world.orders.order(order);
    assert_eq!((state.status, state.relisted), (OrderStatus::Refunded, false));
    assert_refunded_once(&world, order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_money_that_went_back_by_hand_leaves_the_order_complete() {
    let (world, service) = World::running().await;
    let order = paid(&world, &service, "tok_visa").await;
    let intent = world.ledger(order)[0].id.clone();
    let by_hand = reqwest::Client::new()
        .post(format!("{}/v1/refunds", world.stripe.url))
        .bearer_auth(&world.stripe.secret_key)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("payment_intent={intent}&amount=500"));
    assert!(by_hand.send().await.unwrap().status().is_success());
    eventually("everything is delivered", async || {
        (world.stripe.undelivered() == 0).then_some(())
    })
    .await;
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(200)
            .text("status"),
        "succeeded"
    );
    refund(&world, &service, order, None).await.expect(201);
    assert_eq!(world.ledger(order)[0].kept(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_takes_its_time_is_waited_for() {
    let mut world = World::new().await;
    world.set("PAYMENT_PATIENCE_MILLISECONDS", "3000");
    let service = world.start().await;
    let order = paid(&world, &service, "tok_pendingRefund").await;
    assert_eq!(
        refund(&world, &service, order, None).await.expect(503).code(),
        "outcome_unknown"
    );
    assert_eq!(world.orders.status(order), OrderStatus::Complete);
    let list = reqwest::Client::new()
        .get(format!("{}/v1/refunds", world.stripe.url))
        .bearer_auth(&world.stripe.secret_key);
    let text = list.send().await.unwrap().text().await.unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    world
        .stripe
        .settle_refund(list["data"][0]["id"].as_str().unwrap(), true)
        .unwrap();
    world.until(&service, order, "refunded").await;
    assert_refunded_once(&world, order);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_was_taken_for_a_closed_order_goes_back_by_itself() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.orders.cause(paths::COMPLETE, Trouble::ForgetBefore);
    let refused = world.pay(&service, order, "tok_visa").await.expect(400);
    assert_eq!(refused.message(), "Cannot pay for a cancelled order");
    assert_refunded_once(&world, order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_is_noted_and_changes_nothing() {
    let (world, service) = World::running().await;
    let order = paid(&world, &service, "tok_visa").await;
    world.stripe.dispute(&world.ledger(order)[0].id).unwrap();
    let payments = world.mongo().await.collection("payments");
    eventually("it is noted", async || {
        payments.find_one(bson::doc! {"disputed": true}).await.unwrap()
    })
    .await;
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(200)
            .text("status"),
        "succeeded"
    );
    assert_eq!(
        refund(&world, &service, order, None).await.expect(400).code(),
        "order_not_refundable"
    );
    assert_eq!(world.orders.status(order), OrderStatus::Complete);
}
