//! Paths of orders that clients of the systems replaced still use, in their own words for an order's status.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    create_reserves_what_can_be_had,
    create_refuses_when_nothing_can_be_had,
    create_validates_before_it_asks_who_it_is,
    a_paid_order_is_called_paid,
    an_order_is_deleted_with_true,
    an_order_is_updated_to_cancelled_and_nothing_else,
];

const NOBODYS: &str = "64b0c0ffee0000000000beef";

async fn create_reserves_what_can_be_had(world: World) {
    let (seller, buyer) = world.two_people().await;
    let other = world.person().await;
    let (free, also, taken) = (
        seller.lists(Cents(1000)).await,
        seller.lists(Cents(2000)).await,
        seller.lists(Cents(3000)).await,
    );
    other.reserves(taken.id).await;
    let body = json!({"tickets": [{"id": free.id, "price": 1}, {"ticketId": taken.id}, {"ticketId": also.id}, {"id": NOBODYS}]});
    let placed = world
        .post("/api/orders/create")
        .by(&buyer)
        .json(body)
        .await
        .is(201);
    placed.has_exactly(&["order", "tickets", "unavailableTickets", "ticketsNotFound"]);
    assert_eq!(placed.json["unavailableTickets"], json!([taken.id]));
    assert_eq!(placed.json["ticketsNotFound"], json!([NOBODYS]));
    assert_eq!(placed.json["order"]["total"], json!(30));
    assert_eq!(placed.json["tickets"], placed.json["order"]["tickets"]);
    assert_eq!(placed.string("/order/status"), "created");
}

async fn create_refuses_when_nothing_can_be_had(world: World) {
    let (seller, buyer) = world.two_people().await;
    let taken = seller.lists(Cents(3000)).await;
    world.person().await.reserves(taken.id).await;
    let create = |tickets: Value| {
        world
            .post("/api/orders/create")
            .by(&buyer)
            .json(json!({"tickets": tickets}))
    };
    create(json!([{"id": taken.id}]))
        .await
        .refuses(400, "All tickets are unavailable");
    create(json!([{"id": taken.id}, {"id": NOBODYS}]))
        .await
        .refuses(400, "All tickets are unavailable");
}

async fn create_validates_before_it_asks_who_it_is(world: World) {
    let create = |body: Value| world.post("/api/orders/create").json(body);
    create(json!({})).await.refuses_field("tickets");
    create(json!({"tickets": []})).await.refuses_field("tickets");
    create(json!({"tickets": [{"id": "x"}]}))
        .await
        .refuses_field("tickets[0].id");
    create(json!({"tickets": [{"id": NOBODYS}]}))
        .await
        .refuses(401, "Not authorized");
    let update = |body: Value| world.put(&format!("/api/orders/update/{NOBODYS}")).json(body);
    update(json!({})).await.refuses_field("status");
    update(json!({"status": "cancelled"}))
        .await
        .refuses(401, "Not authorized");
}

async fn a_paid_order_is_called_paid(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let (order, _) = buyer.buys(&world, ticket.id).await;
    let get = |path: &str| world.get(&format!("/api/orders{path}")).by(&buyer);
    let one = get(&format!("/get-order/{}", order.id)).await.is(200);
    one.has_exactly(&crate::order_rows::FIELDS);
    assert_eq!(one.string("/status"), "paid");
    for list in ["/all", "/currentuser"] {
        assert_eq!(get(list).await.is(200).string("/0/status"), "paid");
    }
    assert_eq!(get("").await.is(200).string("/0/status"), "complete");
}

async fn an_order_is_deleted_with_true(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let path = format!("/api/orders/delete/{}", order.id);
    assert_eq!(world.delete(&path).by(&buyer).await.is(200).json, json!(true));
    assert_eq!(world.delete(&path).by(&buyer).await.is(200).json, json!(true));
    let shown = world
        .get(&format!("/api/orders/get-order/{}", order.id))
        .by(&buyer)
        .await
        .is(200);
    assert_eq!(shown.string("/status"), "cancelled");
    buyer.buys(&world, ticket.id).await;
    let paid = world.get("/api/orders").by(&buyer).await.string("/0/id");
    world
        .delete(&format!("/api/orders/delete/{paid}"))
        .by(&buyer)
        .await
        .refuses(400, "Order cannot be cancelled");
}

async fn an_order_is_updated_to_cancelled_and_nothing_else(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let update = |status: Value| {
        world
            .put(&format!("/api/orders/update/{}", order.id))
            .by(&buyer)
            .json(json!({"status": status}))
    };
    for status in [json!("paid"), json!("created"), json!(""), json!(4)] {
        update(status).await.refuses_field("status");
    }
    let cancelled = update(json!("cancelled")).await.is(200);
    assert_eq!(cancelled.string("/status"), "cancelled");
    let unknown = world
        .put(&format!("/api/orders/update/{NOBODYS}"))
        .by(&buyer)
        .json(json!({"status": "cancelled"}));
    unknown.await.refuses(404, "Order not found");
}
