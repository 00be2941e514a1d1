//! Who may do what, and in which words it is refused.

use serde_json::json;

use crate::world::World;

#[test]
fn generated_openapi_is_current() {
    let document = bigtix_payments::openapi().to_pretty_json().unwrap();
    bigtix_testkit::golden::generated("sdk/openapi/payments.json", &(document + "\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_comes_before_the_body_and_on_the_alias_after_it() {
    let (world, service) = World::running().await;
    assert_eq!(
        world
            .send(world.anonymous(&service, "/api/payments").json(&json!({})))
            .await
            .expect(401)
            .message(),
        "Not authorized"
    );
    let alias = world
        .send(world.anonymous(&service, "/api/payments/new").json(&json!({})))
        .await
        .expect(400);
    assert_eq!(alias.message(), "Request validation failed");
    let order = world.order();
    let body = json!({"orderId": order, "amount": 19.99, "confirmationTokenId": "ctoken_1"});
    world
        .send(world.anonymous(&service, "/api/payments/new").json(&body))
        .await
        .expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_is_validated_before_the_order_is_looked_for() {
    let (world, service) = World::running().await;
    let empty = world
        .send(
            world
                .post(&service, "/api/payments", world.buyer)
                .json(&json!({})),
        )
        .await
        .expect(400);
    let expected = json!([
        {"message": "Token is required", "field": "token"},
        {"message": "Order id is required", "field": "orderId"},
    ]);
    assert_eq!(
        (empty.message(), &empty.body["errors"]),
        ("Request validation failed", &expected)
    );
    let body = json!({"orderId": "x", "token": "tok_visa"});
    let malformed = world
        .send(world.post(&service, "/api/payments", world.buyer).json(&body))
        .await
        .expect(400);
    assert_eq!(malformed.body["errors"][0]["message"], "Order id is invalid");
    let unknown = "64b0c0ffee0000000000beef".parse().unwrap();
    assert_eq!(
        world
            .pay(&service, unknown, "tok_visa")
            .await
            .expect(404)
            .message(),
        "Order not found"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_buyer_pays_and_sees() {
    let (world, service) = World::running().await;
    let (order, body) = (
        world.order(),
        |order| json!({"orderId": order, "token": "tok_visa"}),
    );
    let stranger = world
        .post(&service, "/api/payments", world.seller)
        .json(&body(order));
    assert_eq!(world.send(stranger).await.expect(401).message(), "Not authorized");
    assert!(world.stripe.ledger().intents.is_empty());
    assert_eq!(
        world
            .get(&service, order, world.buyer)
            .await
            .expect(404)
            .message(),
        "Payment not found"
    );
    assert_eq!(
        world.proceed(&service, order).await.expect(404).message(),
        "Payment not found"
    );
    world.get(&service, order, world.seller).await.expect(401);
    world.pay(&service, order, "tok_visa").await.expect(201);
    world.get(&service, order, world.seller).await.expect(401);
    let unknown = "64b0c0ffee0000000000beef".parse().unwrap();
    assert_eq!(
        world
            .get(&service, unknown, world.buyer)
            .await
            .expect(404)
            .message(),
        "Order not found"
    );
    let path = "/api/payments/none/continue";
    let malformed = world
        .send(world.post(&service, path, world.buyer))
        .await
        .expect(400);
    assert_eq!(
        malformed.body["errors"][0],
        json!({"message": "ID is invalid", "field": "id"})
    );
}
