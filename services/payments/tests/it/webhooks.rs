//! Webhooks that come twice, late, in another order, never, or from somebody else.

use bigtix_contracts::OrderId;
use bigtix_contracts::events::OrderStatus;
use bigtix_testkit::eventually;
use bigtix_testkit::stripe::{Attempt, Fault, WebhookTrouble, signature};
use bson::doc;
use serde_json::json;

use crate::world::{Instance, World};

const PATH: &str = "/api/webhooks/stripe";
const CHALLENGED: &str = "tok_threeDSecure2Required";

async fn kept(world: &World) -> u64 {
    world
        .mongo()
        .await
        .collection("webhook_inbox")
        .count_documents(doc! {})
        .await
        .unwrap()
}

async fn unread(world: &World) -> u64 {
    world
        .mongo()
        .await
        .collection("webhook_inbox")
        .count_documents(doc! {"doneAt": null})
        .await
        .unwrap()
}

async fn pass_the_bank(world: &World, service: &Instance) -> OrderId {
    let order = world.order();
    let asked = world.pay(service, order, CHALLENGED).await.expect(201);
    world.stripe.authenticate(asked.text("stripeId"), true).unwrap();
    world.until(service, order, "succeeded").await;
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_webhooks_the_order_is_paid_once() {
    let (world, service) = World::running().await;
    for trouble in [
        WebhookTrouble::Duplicate,
        WebhookTrouble::Reordered,
        WebhookTrouble::Delayed,
        WebhookTrouble::Lost,
        WebhookTrouble::Replayed,
        WebhookTrouble::WrongSignature,
    ] {
        world.stripe.plan(Fault::webhook(trouble).times(3));
        let order = pass_the_bank(&world, &service).await;
        assert_eq!(world.orders.status(order), OrderStatus::Complete);
        world.assert_paid_once(order);
        eventually("everything is delivered", async || {
            (world.stripe.undelivered() == 0).then_some(())
        })
        .await;
    }
    eventually("everything is read", async || {
        (unread(&world).await == 0).then_some(())
    })
    .await;
    for delivery in world.stripe.deliveries() {
        let expected = match delivery.attempt {
            Attempt::Proper | Attempt::Duplicate => 200,
            Attempt::Replay | Attempt::Forged => 400,
        };
        assert_eq!(delivery.status, Some(expected), "{delivery:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_without_a_valid_signature_leaves_no_trace() {
    let (world, service) = World::running().await;
    let order = world.order();
    let asked = world.pay(&service, order, CHALLENGED).await.expect(201);
    let (intent, payment) = (asked.text("stripeId"), asked.text("id"));
    eventually("everything is delivered", async || {
        (world.stripe.undelivered() == 0).then_some(())
    })
    .await;
    let before = kept(&world).await;
    let object = json!({"id": intent, "object": "payment_intent", "status": "succeeded", "metadata": {"paymentId": payment}});
    let event = json!({"id": "evt_forged", "type": "payment_intent.succeeded", "data": {"object": object}})
        .to_string();
    let now = jiff::Timestamp::now().as_second();
    let genuine = |at| signature(&world.stripe.webhook_secret, at, event.as_bytes());
    for header in [
        None,
        Some("t=1,v1=00".to_owned()),
        Some(genuine(now - 301)),
        Some(signature("whsec_x", now, event.as_bytes())),
    ] {
        let mut request = world.anonymous(&service, PATH).body(event.clone());
        if let Some(header) = header {
            request = request.header("stripe-signature", header);
        }
        assert_eq!(world.send(request).await.expect(400).code(), "invalid_signature");
    }
    assert_eq!(kept(&world).await, before);
    let changed = world
        .anonymous(&service, PATH)
        .header("stripe-signature", genuine(now))
        .body(event.replace("succeeded", "failed"));
    world.send(changed).await.expect(400);
    // A genuine one that lies is not believed either: Stripe is asked.
    let lying = world
        .anonymous(&service, PATH)
        .header("stripe-signature", genuine(now))
        .body(event.clone());
    assert_eq!(
        world.send(lying).await.expect(200).body,
        json!({"received": true})
    );
    eventually("it is read", async || (unread(&world).await == 0).then_some(())).await;
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(200)
            .text("status"),
        "requires_action"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_about_nothing_that_is_known_are_received() {
    let (world, service) = World::running().await;
    for object in [
        json!({"id": "pi_unknown", "object": "payment_intent", "metadata": {}}),
        json!({"id": "pi_unknown", "object": "payment_intent", "metadata": {"paymentId": "64b0c0ffee0000000000beef"}}),
        json!({"id": "plan_1", "object": "plan"}),
    ] {
        let kind = format!("{}.succeeded", object["object"].as_str().unwrap());
        let event =
            json!({"id": bson::oid::ObjectId::new().to_hex(), "type": kind, "data": {"object": object}})
                .to_string();
        let now = jiff::Timestamp::now().as_second();
        let header = signature(&world.stripe.webhook_secret, now, event.as_bytes());
        let request = world
            .anonymous(&service, PATH)
            .header("stripe-signature", header)
            .body(event);
        assert_eq!(
            world.send(request).await.expect(200).body,
            json!({"received": true})
        );
    }
    eventually("everything is read", async || {
        (unread(&world).await == 0).then_some(())
    })
    .await;
}

/// The server's own record of how it answered. Payments are many; no search may read them all.
#[tokio::test(flavor = "multi_thread")]
async fn every_search_has_an_index() {
    let (world, service) = World::running().await;
    let mongo = world.mongo().await;
    let profile = |level: i32| mongo.database().run_command(doc! {"profile": level, "slowms": 0});
    profile(2).await.unwrap();
    let order = pass_the_bank(&world, &service).await;
    world.get(&service, order, world.buyer).await.expect(200);
    eventually("all webhooks are read", async || {
        (unread(&world).await == 0).then_some(())
    })
    .await;
    profile(0).await.unwrap();
    // The test itself counts; change streams read the log of changes from end to end.
    let scans = doc! {"planSummary": "COLLSCAN", "command.find": {"$exists": true}, "nreturned": {"$gte": 0}};
    let searches = doc! {"command.find": "payments", "planSummary": {"$regex": "^IXSCAN"}};
    let record = mongo.collection("system.profile");
    assert!(
        record.count_documents(searches).await.unwrap() > 0,
        "the record has searches"
    );
    assert_eq!(record.find_one(scans).await.unwrap(), None);
}
