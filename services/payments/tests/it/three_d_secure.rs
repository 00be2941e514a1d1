//! Cards whose bank asks the buyer first.

use bigtix_contracts::events::{CancelReason, Envelope, OrderState, OrderStatus};
use bigtix_contracts::internal::paths;
use bigtix_service::Secret;
use bigtix_service::nats::{Bus, NatsConfig};
use bigtix_service::outbox::{Outbox, ReadError};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::shared;
use bigtix_testkit::stripe::{Fault, WebhookTrouble};
use bson::{Bson, Document, doc};
use tokio_util::sync::CancellationToken;

use crate::orders::Trouble;
use crate::world::{Answer, World};

const CHALLENGED: &str = "tok_threeDSecure2Required";

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_who_passes_pays() {
    let (world, service) = World::running().await;
    for event in [
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
    ] {
        world.stripe.plan(Fault::webhook_of(event, WebhookTrouble::Lost));
    }
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    assert_eq!(
        (asked.text("status"), &asked.body["success"]),
        ("requires_action", &false.into())
    );
    assert!(asked.text("clientSecret").starts_with(asked.text("stripeId")));
    assert_eq!(world.orders.status(order), OrderStatus::Created);
    let still = world.proceed(&service, order).await.expect(201);
    assert_eq!(still.text("status"), "requires_action");
    world.stripe.authenticate(asked.text("stripeId"), true).unwrap();
    let paid = world.proceed(&service, order).await.expect(201);
    assert_eq!(
        (paid.text("status"), paid.text("id")),
        ("succeeded", asked.text("id"))
    );
    assert!(paid.body.get("clientSecret").is_none());
    assert_eq!(world.orders.status(order), OrderStatus::Complete);
    world.assert_paid_once(order);
    assert_eq!(world.proceed(&service, order).await.expect(201).body, paid.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_who_fails_can_pay_anew() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    world.stripe.authenticate(asked.text("stripeId"), false).unwrap();
    let failed = world.proceed(&service, order).await.expect(402);
    assert_eq!(failed.code(), "card_declined");
    assert!(failed.message().contains("authenticat"), "{}", failed.message());
    // The browser knows the intent's secret, so it must be good for nothing any more.
    assert_eq!(world.ledger(order)[0].status, "canceled");
    world.assert_nothing_taken(order);
    world.pay(&service, order, "tok_visa").await.expect(201);
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_is_declined_after_all_is_a_decline() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world
        .pay(&service, order, "tok_threeDSecureRequiredChargeDeclined")
        .await
        .expect(201);
    world.stripe.authenticate(asked.text("stripeId"), true).unwrap();
    assert_eq!(
        world.proceed(&service, order).await.expect(402).message(),
        "Your card was declined."
    );
    world.assert_nothing_taken(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_webhook_alone_finishes_the_payment() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    world.stripe.authenticate(asked.text("stripeId"), true).unwrap();
    world.until(&service, order, "succeeded").await;
    assert_eq!(world.orders.status(order), OrderStatus::Complete);
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reconciler_alone_finishes_the_payment() {
    let world = World::new().await;
    // Stripe knows no address to deliver to.
    let service = world.start().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    world.stripe.authenticate(asked.text("stripeId"), true).unwrap();
    world.until(&service, order, "succeeded").await;
    world.assert_paid_once(order);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_payment_takes_the_place_of_one_that_waits_for_the_bank() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    let paid = world.pay(&service, order, "tok_visa").await.expect(201);
    assert_ne!(asked.text("id"), paid.text("id"));
    let entries = world.ledger(order);
    assert_eq!((entries.len(), entries[0].status.as_str()), (2, "canceled"));
    world.assert_paid_once(order);
    assert!(world.stripe.authenticate(asked.text("stripeId"), true).is_err());
}

/// Gives the order's waiting payment up for another one, which is then never begun.
async fn supersede_and_die(world: &World, asked: &Answer) {
    let payments = world.mongo().await.collection("payments");
    let phase = doc! {"name": "cancelled", "with": "superseded"};
    let given_up = doc! {"$set": {"phase": phase, "live": false, "nextAttemptAt": Bson::Null}, "$inc": {"version": 1_i64}};
    let updated = payments
        .update_one(doc! {"intent": asked.text("stripeId")}, given_up)
        .await
        .unwrap();
    assert_eq!(updated.modified_count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_given_up_for_one_that_never_began_can_be_made_anew() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    supersede_and_die(&world, &asked).await;
    assert_eq!(
        world.proceed(&service, order).await.expect(402).code(),
        "card_declined"
    );
    world.pay(&service, order, "tok_visa").await.expect(201);
    assert_eq!(
        world.proceed(&service, order).await.expect(201).text("status"),
        "succeeded"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_was_given_up_for_one_that_never_began_ends_with_its_order() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    supersede_and_die(&world, &asked).await;
    world.orders.cancel(order, CancelReason::Expired);
    assert_eq!(
        world.proceed(&service, order).await.expect(400).message(),
        "Order has expired"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keys_answer_stays_after_the_order_of_a_waiting_payment_has_expired() {
    let (world, service) = World::running().await;
    let order = world.order();
    let pay = || {
        let request = world.paying(&service, order, CHALLENGED);
        world.send(request.header("idempotency-key", "once"))
    };
    let asked = pay().await.expect(201);
    world.orders.cancel(order, CancelReason::Expired);
    world.until(&service, order, "cancelled").await;
    let again = pay().await.expect(201);
    assert_eq!(
        (again.text("id"), again.text("status")),
        (asked.text("id"), "cancelled")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_who_comes_back_too_late_is_not_charged() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    world.orders.cause(paths::CONFIRM, Trouble::ExpireBefore);
    world.stripe.authenticate(asked.text("stripeId"), true).unwrap();
    assert_eq!(
        world.proceed(&service, order).await.expect(400).message(),
        "Order has expired"
    );
    world.assert_nothing_taken(order);
}

fn read(document: &Document) -> Result<Envelope<OrderState>, ReadError> {
    let wrong = |error: &dyn std::fmt::Display| ReadError(error.to_string());
    let state = document.get_str("state").map_err(|error| wrong(&error))?;
    let state = serde_json::from_str(state).map_err(|error| wrong(&error))?;
    let version = document.get_i64("version").map_err(|error| wrong(&error))?;
    Ok(Envelope::new(state, version, jiff::Timestamp::now(), None))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_closes_takes_its_waiting_payment_with_it() {
    let (world, service) = World::running().await;
    let (mongo, nats) = (world.mongo().await, Secret::new(shared().nats_url()));
    let bus = Bus::connect(
        &NatsConfig {
            url: nats,
            prefix: world.prefix.clone(),
            replicas: 1,
        },
        "orders",
    )
    .await
    .unwrap();
    let outbox = Outbox {
        collection: "orders_of_the_double",
        filter: Document::new(),
        read,
    };
    let stop = CancellationToken::new();
    let relay = tokio::spawn(outbox.relay(mongo.clone(), bus).run(stop.clone()));
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    let closed = world.orders.cancel(order, CancelReason::Expired);
    // Reading the order would tell it, too.
    world.orders.cause(paths::READ_ORDER, Trouble::Away);
    let row = doc! {"version": closed.version, "state": serde_json::to_string(&closed.state).unwrap()};
    mongo
        .collection("orders_of_the_double")
        .insert_one(row)
        .await
        .unwrap();
    eventually("the intent is cancelled", async || {
        (world.ledger(order)[0].status == "canceled").then_some(())
    })
    .await;
    world.orders.calm();
    world.until(&service, order, "cancelled").await;
    assert!(world.stripe.authenticate(asked.text("stripeId"), true).is_err());
    stop.cancel();
    relay.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reconciler_notices_an_order_that_closed() {
    let (world, service) = World::running().await;
    let order = world.order();
    world.pay(&service, order, CHALLENGED).await.expect(201);
    world.orders.cancel(order, CancelReason::User);
    world.until(&service, order, "cancelled").await;
    assert_eq!(world.ledger(order)[0].status, "canceled");
    assert_eq!(
        world.proceed(&service, order).await.expect(400).message(),
        "Cannot pay for a cancelled order"
    );
}
