//! Editing and withdrawing tickets.

use bigtix_contracts::{Cents, ErrorCode};
use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use serde_json::json;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    the_owner_changes_a_listing,
    a_put_needs_title_and_price_and_a_patch_does_not,
    a_stranger_changes_nothing,
    a_reserved_ticket_cannot_be_edited,
    a_sold_and_a_withdrawn_ticket_cannot_be_edited,
    a_stale_version_is_refused,
    a_free_listing_is_withdrawn_once,
    a_reserved_ticket_cannot_be_withdrawn,
    a_withdrawn_ticket_is_no_longer_for_sale,
    a_cancelled_order_makes_a_ticket_editable,
];

async fn the_owner_changes_a_listing(world: World) {
    let seller = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let path = format!("/api/tickets/{}", ticket.id);
    let body = json!({"title": "Row G", "price": "21.50", "description": "New"});
    let changed = world.put(&path).by(&seller).json(body).await.is(200);
    assert_eq!(
        (changed.string("/title"), changed.string("/description")),
        ("Row G".into(), "New".into())
    );
    assert_eq!(changed.json["price"], json!(21.5));
    let version = changed.json["version"].as_i64().expect("a version");
    assert!(version > ticket.version);
    let patched = world
        .patch(&path)
        .by(&seller)
        .json(json!({"price": 22}))
        .await
        .is(200);
    assert_eq!(patched.string("/title"), "Row G");
    assert!(patched.json["version"].as_i64() > Some(version));
    assert_eq!(patched.json["serialNumber"], json!(ticket.serial_number));
    assert_eq!(world.get(&path).await.is(200).json, patched.json);
}

async fn a_put_needs_title_and_price_and_a_patch_does_not(world: World) {
    let seller = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let path = format!("/api/tickets/{}", ticket.id);
    let put = world.put(&path).by(&seller).json(json!({"price": 5})).await;
    put.refuses(400, "Title is required").about("title");
    let put = world.put(&path).by(&seller).json(json!({"title": "A"})).await;
    put.refuses_field("price");
    let patch = world
        .patch(&path)
        .by(&seller)
        .json(json!({"price": 0.1, "title": ""}))
        .await;
    patch.clone().refuses(400, "Price must be at least 0.50");
    patch.refuses_field("title");
    world
        .patch(&path)
        .by(&seller)
        .json(json!({"title": "Only the title"}))
        .await
        .is(200);
}

async fn a_stranger_changes_nothing(world: World) {
    let (seller, stranger) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let path = format!("/api/tickets/{}", ticket.id);
    let body = json!({"title": "Mine now", "price": 1});
    for ask in [
        world.put(&path).json(body.clone()),
        world.patch(&path).json(body),
        world.delete(&path),
    ] {
        ask.by(&stranger).await.refuses(401, "Not authorized");
    }
    let found = world.get(&path).await.is(200);
    assert_eq!(found.json["version"], json!(ticket.version));
}

async fn a_reserved_ticket_cannot_be_edited(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    buyer.reserves(ticket.id).await;
    let path = format!("/api/tickets/{}", ticket.id);
    let body = json!({"title": "Dearer", "price": 99});
    for ask in [world.put(&path), world.patch(&path)] {
        let refusal = ask
            .clone()
            .by(&seller)
            .json(body.clone())
            .await
            .refuses(400, "Cannot edit a reserved ticket");
        refusal.with_code(ErrorCode::TicketReserved);
        // Whose it is comes first.
        ask.by(&buyer)
            .json(body.clone())
            .await
            .refuses(401, "Not authorized");
    }
}

async fn a_sold_and_a_withdrawn_ticket_cannot_be_edited(world: World) {
    let (seller, buyer) = world.two_people().await;
    let sold = seller.lists(Cents(2000)).await;
    buyer.buys(&world, sold.id).await;
    let withdrawn = seller.lists(Cents(2000)).await;
    seller
        .client
        .withdraw_ticket(withdrawn.id)
        .await
        .expect("a withdrawal");
    for ticket in [sold, withdrawn] {
        let edit = world
            .patch(&format!("/api/tickets/{}", ticket.id))
            .by(&seller)
            .json(json!({"price": 99}));
        edit.await.refuses(400, "Cannot edit a reserved ticket");
    }
}

async fn a_stale_version_is_refused(world: World) {
    let seller = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let path = format!("/api/tickets/{}", ticket.id);
    let edit = |version: i64, price: i64| {
        let body = json!({"title": "A", "price": price, "version": version});
        world.put(&path).by(&seller).json(body)
    };
    let now = edit(ticket.version, 21).await.is(200).json["version"]
        .as_i64()
        .expect("a version");
    let refusal = edit(ticket.version, 22)
        .await
        .refuses(409, "Ticket was changed meanwhile");
    refusal.with_code(ErrorCode::VersionConflict);
    edit(now, 23).await.is(200);
}

async fn a_free_listing_is_withdrawn_once(world: World) {
    let seller = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let path = format!("/api/tickets/{}", ticket.id);
    let answer = world.delete(&path).by(&seller).await.is(200);
    answer.has_exactly(&crate::ticket_rows::FIELDS);
    assert_eq!(answer.string("/status"), "withdrawn");
    let refusal = world
        .delete(&path)
        .by(&seller)
        .await
        .refuses(400, "Ticket is already withdrawn");
    refusal.with_code(ErrorCode::TicketWithdrawn);
}

async fn a_reserved_ticket_cannot_be_withdrawn(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let path = format!("/api/tickets/{}", ticket.id);
    let withdraw = || world.delete(&path).by(&seller);
    withdraw().await.refuses(400, "Cannot withdraw a reserved ticket");
    let card = world.good_card().await;
    buyer.client.pay(order.id, &card).await.expect("a payment");
    withdraw().await.refuses(400, "Cannot withdraw a reserved ticket");
}

async fn a_withdrawn_ticket_is_no_longer_for_sale(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    seller
        .client
        .withdraw_ticket(ticket.id)
        .await
        .expect("a withdrawal");
    let place = world
        .post("/api/orders")
        .by(&buyer)
        .json(json!({"ticketId": ticket.id}));
    let refusal = place.await.refuses(400, "Ticket is no longer for sale");
    refusal.with_code(ErrorCode::TicketNotForSale);
}

async fn a_cancelled_order_makes_a_ticket_editable(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    buyer.client.cancel_order(order.id).await.expect("a cancellation");
    let path = format!("/api/tickets/{}", ticket.id);
    world
        .patch(&path)
        .by(&seller)
        .json(json!({"price": 30}))
        .await
        .is(200);
    let order = buyer.reserves(ticket.id).await;
    assert_eq!(order.total, bigtix_contracts::Dollars(Cents(3000)));
    buyer.client.cancel_order(order.id).await.expect("a cancellation");
    world.delete(&path).by(&seller).await.is(200);
}
