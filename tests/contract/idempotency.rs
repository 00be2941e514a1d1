//! `Idempotency-Key`.

use bigtix_contracts::{Cents, ErrorCode};
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{World, scenarios};
use futures::future::join_all;
use serde_json::json;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_repeated_request_has_its_effect_once,
    requests_at_the_same_moment_have_one_effect,
    a_key_with_another_body_is_refused,
    a_refused_request_can_be_tried_again_with_its_key,
    a_repeated_request_is_answered_with_the_resource_as_it_is_now,
    a_key_is_of_one_user_and_one_path,
    a_key_is_printable_and_not_too_long,
    a_payment_is_made_once,
];

async fn a_repeated_request_has_its_effect_once(world: World) {
    let seller = world.person().await;
    let key = unique("key");
    let list = || {
        let body = json!({"title": "Row A", "price": 20, "quantity": 3});
        world.post("/api/tickets").by(&seller).key(&key).json(body)
    };
    let first = list().await.is(201);
    let again = list().await.is(201);
    assert_eq!(first.ids(), again.ids());
    assert_eq!(
        world
            .get("/api/tickets/currentuser")
            .by(&seller)
            .await
            .ids()
            .len(),
        3
    );
    let event_key = unique("key");
    let add = || {
        let body = json!({"title": "Symphony", "venue": "Town Hall", "city": "Springfield",
            "startsAt": "2031-05-01T19:30:00Z", "timeZone": "America/Chicago"});
        world.post("/api/events").by(&seller).key(&event_key).json(body)
    };
    assert_eq!(
        add().await.is(201).string("/id"),
        add().await.is(201).string("/id")
    );
}

async fn requests_at_the_same_moment_have_one_effect(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let key = unique("key");
    let place = || {
        world
            .post("/api/orders")
            .by(&buyer)
            .key(&key)
            .json(json!({"ticketId": ticket.id}))
            .send()
    };
    let answers = join_all((0..10).map(|_| place())).await;
    let ids: std::collections::BTreeSet<String> = answers
        .into_iter()
        .map(|answer| answer.is(201).string("/id"))
        .collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.get("/api/orders").by(&buyer).await.ids().len(), 1);
}

async fn a_key_with_another_body_is_refused(world: World) {
    let seller = world.person().await;
    let key = unique("key");
    let list = |price: i64| {
        let body = json!({"title": "Row A", "price": price});
        world.post("/api/tickets").by(&seller).key(&key).json(body)
    };
    list(20).await.is(201);
    let answer = list(21).await.is(422);
    assert_eq!(answer.problem().code, ErrorCode::IdempotencyKeyReused);
    list(20).await.is(201);
}

async fn a_refused_request_can_be_tried_again_with_its_key(world: World) {
    let (seller, buyer) = world.two_people().await;
    let other = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let held = other.reserves(ticket.id).await;
    let key = unique("key");
    let place = || {
        world
            .post("/api/orders")
            .by(&buyer)
            .key(&key)
            .json(json!({"ticketId": ticket.id}))
    };
    place().await.refuses(400, "Ticket is already reserved");
    place().await.refuses(400, "Ticket is already reserved");
    other.client.cancel_order(held.id).await.expect("a cancellation");
    let placed = place().await.is(201);
    assert_eq!(place().await.is(201).string("/id"), placed.string("/id"));
}

async fn a_repeated_request_is_answered_with_the_resource_as_it_is_now(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let key = unique("key");
    let place = || {
        world
            .post("/api/orders")
            .by(&buyer)
            .key(&key)
            .json(json!({"ticketId": ticket.id}))
    };
    let placed = place().await.is(201);
    assert_eq!(placed.string("/status"), "created");
    world
        .delete(&format!("/api/orders/{}", placed.string("/id")))
        .by(&buyer)
        .await
        .is(204);
    let again = place().await.is(201);
    assert_eq!(again.string("/id"), placed.string("/id"));
    assert_eq!(
        (again.string("/status"), again.string("/reason")),
        ("cancelled".into(), "user".into())
    );
    // Nothing was reserved anew.
    world.person().await.reserves(ticket.id).await;
}

async fn a_key_is_of_one_user_and_one_path(world: World) {
    let (ann, bob) = world.two_people().await;
    let key = unique("key");
    let list = |who: &bigtix_tests::Person| {
        let body = json!({"title": "Row A", "price": 20});
        world.post("/api/tickets").by(who).key(&key).json(body)
    };
    let (first, second) = (list(&ann).await.is(201), list(&bob).await.is(201));
    assert_ne!(first.string("/id"), second.string("/id"));
    let place = world
        .post("/api/orders")
        .by(&ann)
        .key(&key)
        .json(json!({"ticketId": second.string("/id")}));
    place.await.is(201);
}

async fn a_key_is_printable_and_not_too_long(world: World) {
    let seller = world.person().await;
    let list = |key: &str| {
        let body = json!({"title": "Row A", "price": 20});
        world.post("/api/tickets").by(&seller).key(key).json(body)
    };
    for key in ["k".repeat(256), "schlüssel".to_owned(), String::new()] {
        list(&key).await.is(400);
    }
    list(&"k".repeat(255)).await.is(201);
    // Signing up and in take no notice of keys.
    let email = format!("{}@people.test", unique("key"));
    let body = json!({"email": email, "password": bigtix_tests::world::PASSWORD});
    let sign_up = || world.post("/api/users/signup").key("same").json(body.clone());
    sign_up().await.is(201);
    sign_up().await.refuses(400, "Email in use");
}

async fn a_payment_is_made_once(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let (key, card) = (unique("key"), world.good_card().await);
    let pay = || {
        let body = json!({"token": card, "orderId": order.id});
        world.post("/api/payments").by(&buyer).key(&key).json(body)
    };
    let first = pay().await.is(201);
    let again = pay().await.is(201);
    assert_eq!(first.string("/id"), again.string("/id"));
    assert_eq!(first.string("/stripeId"), again.string("/stripeId"));
}
