//! Placing, reading and cancelling orders.

use bigtix_contracts::{Cents, ErrorCode};
use bigtix_tests::suite::Scenario;
use bigtix_tests::{Person, World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_placed_order_has_all_its_fields,
    a_buyer_who_comes_right_after_the_seller_meets_the_ticket,
    an_order_says_what_it_wants,
    a_reserved_ticket_is_refused,
    nobody_buys_their_own_ticket,
    several_tickets_are_reserved_all_or_nothing,
    any_tickets_of_an_event_are_the_cheapest_ones,
    an_event_without_free_tickets_is_sold_out,
    an_expected_total_that_differs_is_refused,
    a_price_in_the_request_is_never_used,
    a_buyer_holds_a_hundred_tickets_at_most,
    an_order_that_is_too_dear_is_refused,
    a_cancelled_order_frees_its_tickets_at_once,
    a_paid_order_cannot_be_cancelled,
    only_the_buyer_sees_an_order,
    anybody_signed_in_may_ask_whether_an_order_stands,
];

/// The fields of an order.
pub(crate) const FIELDS: [&str; 10] = [
    "id",
    "userId",
    "status",
    "reason",
    "expiresAt",
    "createdAt",
    "total",
    "ticket",
    "tickets",
    "version",
];

async fn place(world: &World, buyer: &Person, body: Value) -> bigtix_tests::Answer {
    world.post("/api/orders").by(buyer).json(body).await
}

async fn a_placed_order_has_all_its_fields(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(19_99)).await;
    let placed = place(&world, &buyer, json!({"ticketId": ticket.id}))
        .await
        .is(201);
    placed.has_exactly(&FIELDS);
    let order = &placed.json;
    assert_eq!(order["userId"], json!(buyer.user.id));
    assert_eq!(
        (order["status"].as_str(), &order["reason"]),
        (Some("created"), &Value::Null)
    );
    assert_eq!(order["total"], json!(19.99));
    assert_eq!(order["tickets"], json!([order["ticket"]]));
    assert_eq!(
        order["ticket"],
        json!({"id": ticket.id, "title": ticket.title, "price": 19.99, "version": 0,
            "serialNumber": ticket.serial_number, "eventId": null})
    );
    assert_eq!(order["version"], json!(0));
    let time = |field: &str| -> jiff::Timestamp { placed.string(field).parse().expect("a time") };
    let seconds = time("/expiresAt")
        .duration_since(time("/createdAt"))
        .as_secs_f64();
    assert!((899.0..=901.0).contains(&seconds), "{seconds}");
    let found = world
        .get(&format!("/api/orders/{}", placed.string("/id")))
        .by(&buyer)
        .await
        .is(200);
    assert_eq!(found.json, placed.json);
}

async fn a_buyer_who_comes_right_after_the_seller_meets_the_ticket(world: World) {
    let (seller, buyer) = world.two_people().await;
    for n in 0..20 {
        let ticket = seller.lists(Cents(1000 + n)).await;
        let order = buyer.reserves(ticket.id).await;
        assert_eq!(order.total.0, Cents(1000 + n));
        buyer.client.order(order.id).await.expect("the order");
        buyer.client.cancel_order(order.id).await.expect("a cancellation");
    }
}

async fn an_order_says_what_it_wants(world: World) {
    let (seller, buyer) = world.two_people().await;
    let id = seller.lists(Cents(2000)).await.id;
    place(&world, &buyer, json!({}))
        .await
        .refuses(400, "TicketId must be provided");
    for body in [json!({"ticketId": null}), json!({"quantity": 2})] {
        place(&world, &buyer, body)
            .await
            .refuses(400, "TicketId must be provided");
    }
    let twice = json!({"tickets": [{"id": id}, {"id": id}]});
    place(&world, &buyer, twice)
        .await
        .refuses(400, "Tickets must be different");
    for tickets in [json!([]), json!("all"), json!(vec![json!({"id": id}); 21])] {
        place(&world, &buyer, json!({"tickets": tickets}))
            .await
            .refuses_field("tickets");
    }
    for quantity in [json!(0), json!(21), json!("two")] {
        let body = json!({"eventId": "64b0c0ffee0000000000beef", "quantity": quantity});
        place(&world, &buyer, body).await.refuses_field("quantity");
    }
}

async fn a_reserved_ticket_is_refused(world: World) {
    let (seller, buyer) = world.two_people().await;
    let late = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    for who in [&late, &buyer] {
        let refusal = place(&world, who, json!({"ticketId": ticket.id}))
            .await
            .refuses(400, "Ticket is already reserved");
        refusal.with_code(ErrorCode::TicketReserved);
    }
    let card = world.good_card().await;
    buyer.client.pay(order.id, &card).await.expect("a payment");
    place(&world, &late, json!({"ticketId": ticket.id}))
        .await
        .refuses(400, "Ticket is already reserved");
}

async fn nobody_buys_their_own_ticket(world: World) {
    let (seller, other) = world.two_people().await;
    let (own, foreign) = (seller.lists(Cents(2000)).await, other.lists(Cents(2000)).await);
    for body in [
        json!({"ticketId": own.id}),
        json!({"tickets": [{"id": foreign.id}, {"id": own.id}]}),
    ] {
        let refusal = place(&world, &seller, body)
            .await
            .refuses(400, "You cannot buy your own ticket");
        refusal.with_code(ErrorCode::OwnTicket);
    }
}

async fn several_tickets_are_reserved_all_or_nothing(world: World) {
    let (seller, buyer) = world.two_people().await;
    let late = world.person().await;
    let mut tickets = Vec::new();
    for price in [1000, 2000, 3000] {
        tickets.push(seller.lists(Cents(price)).await);
    }
    buyer.reserves(tickets[1].id).await;
    let all = json!({"tickets": tickets.iter().map(|ticket| json!({"id": ticket.id})).collect::<Vec<_>>()});
    place(&world, &late, all)
        .await
        .refuses(400, "Ticket is already reserved");
    let unknown = json!({"tickets": [{"id": tickets[0].id}, {"id": "64b0c0ffee0000000000beef"}]});
    place(&world, &late, unknown)
        .await
        .refuses(404, "Ticket not found");
    let free = json!({"tickets": [{"id": tickets[0].id}, {"id": tickets[2].id}]});
    let placed = place(&world, &late, free).await.is(201);
    assert_eq!(placed.json["total"], json!(40));
    assert_eq!(placed.json["tickets"].as_array().map(Vec::len), Some(2));
    assert_eq!(placed.json["ticket"], placed.json["tickets"][0]);
}

async fn any_tickets_of_an_event_are_the_cheapest_ones(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Any of it").await;
    let mut prices = Vec::new();
    for price in [5000, 1000, 3000, 2000] {
        seller.lists_for(&event, 1, Cents(price)).await;
    }
    // The cheapest of all is the buyer's own.
    buyer.lists_for(&event, 1, Cents(500)).await;
    let body = json!({"eventId": event.id, "quantity": 2});
    let placed = place(&world, &buyer, body).await.is(201);
    for ticket in placed.json["tickets"].as_array().expect("tickets") {
        prices.push(ticket["price"].as_f64().expect("a price"));
    }
    assert_eq!(prices, [10.0, 20.0]);
    let one = place(&world, &buyer, json!({"eventId": event.id})).await.is(201);
    assert_eq!(one.json["total"], json!(30));
}

async fn an_event_without_free_tickets_is_sold_out(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Small").await;
    seller.lists_for(&event, 3, Cents(1000)).await;
    let want = |quantity: i64| json!({"eventId": event.id, "quantity": quantity});
    let refusal = place(&world, &buyer, want(4)).await.refuses(400, "Sold out");
    refusal.with_code(ErrorCode::SoldOut);
    let order = place(&world, &buyer, want(3)).await.is(201);
    place(&world, &buyer, want(1)).await.refuses(400, "Sold out");
    world
        .delete(&format!("/api/orders/{}", order.string("/id")))
        .by(&buyer)
        .await
        .is(204);
    place(&world, &buyer, want(3)).await.is(201);
    let unknown = json!({"eventId": "64b0c0ffee0000000000beef", "quantity": 1});
    place(&world, &buyer, unknown)
        .await
        .refuses(404, "Event not found");
}

async fn an_expected_total_that_differs_is_refused(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2050)).await;
    let want = |total: Value| json!({"ticketId": ticket.id, "expectedTotal": total});
    let refusal = place(&world, &buyer, want(json!(20)))
        .await
        .refuses(409, "Price has changed");
    refusal.with_code(ErrorCode::PriceChanged);
    place(&world, &buyer, want(json!("lots")))
        .await
        .refuses_field("expectedTotal");
    place(&world, &buyer, want(json!("20.50"))).await.is(201);
}

async fn a_price_in_the_request_is_never_used(world: World) {
    let (seller, buyer) = world.two_people().await;
    let (one, two) = (seller.lists(Cents(2000)).await, seller.lists(Cents(2000)).await);
    let canonical = json!({"ticketId": one.id, "price": 0.5, "total": 0.5});
    let placed = place(&world, &buyer, canonical).await.is(201);
    assert_eq!(placed.json["total"], json!(20));
    let alias = json!({"tickets": [{"id": two.id, "price": 0.5}]});
    let placed = world
        .post("/api/orders/create")
        .by(&buyer)
        .json(alias)
        .await
        .is(201);
    assert_eq!(placed.json["order"]["total"], json!(20));
}

async fn a_buyer_holds_a_hundred_tickets_at_most(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Hoarders").await;
    seller.lists_for(&event, 102, Cents(1000)).await;
    let want = |quantity: i64| json!({"eventId": event.id, "quantity": quantity});
    let mut last = None;
    for _ in 0..5 {
        last = Some(place(&world, &buyer, want(20)).await.is(201));
    }
    let refusal = place(&world, &buyer, want(1))
        .await
        .refuses(400, "You hold too many tickets");
    refusal.with_code(ErrorCode::TooManyHeld);
    let path = format!("/api/orders/{}", last.expect("an order").string("/id"));
    world.delete(&path).by(&buyer).await.is(204);
    place(&world, &buyer, want(1)).await.is(201);
}

async fn an_order_that_is_too_dear_is_refused(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Very dear").await;
    seller.lists_for(&event, 11, Cents(9_999_999)).await;
    let want = |quantity: i64| json!({"eventId": event.id, "quantity": quantity});
    let refusal = place(&world, &buyer, want(11))
        .await
        .refuses(400, "Order total is too large");
    refusal.with_code(ErrorCode::TotalTooLarge);
    let placed = place(&world, &buyer, want(10)).await.is(201);
    assert_eq!(placed.json["total"], json!(999_999.9));
}

async fn a_cancelled_order_frees_its_tickets_at_once(world: World) {
    let (seller, buyer) = world.two_people().await;
    let late = world.person().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let path = format!("/api/orders/{}", order.id);
    assert_eq!(world.delete(&path).by(&buyer).await.is(204).text, "");
    let shown = world.get(&path).by(&buyer).await.is(200);
    assert_eq!(
        (shown.string("/status"), shown.string("/reason")),
        ("cancelled".into(), "user".into())
    );
    late.reserves(ticket.id).await;
    world.delete(&path).by(&buyer).await.is(204);
}

async fn a_paid_order_cannot_be_cancelled(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let (order, _) = buyer.buys(&world, ticket.id).await;
    let path = format!("/api/orders/{}", order.id);
    let shown = world.get(&path).by(&buyer).await.is(200);
    assert_eq!(
        (shown.string("/status"), &shown.json["reason"]),
        ("complete".into(), &Value::Null)
    );
    let refusal = world
        .delete(&path)
        .by(&buyer)
        .await
        .refuses(400, "Order cannot be cancelled");
    refusal.with_code(ErrorCode::OrderNotCancellable);
}

async fn only_the_buyer_sees_an_order(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let path = format!("/api/orders/{}", order.id);
    for ask in [
        world.get(&path),
        world.delete(&path),
        world.get(&format!("/api/orders/get-order/{}", order.id)),
        world.delete(&format!("/api/orders/delete/{}", order.id)),
        world
            .put(&format!("/api/orders/update/{}", order.id))
            .json(json!({"status": "cancelled"})),
        world.get(&format!("/api/payments/{}", order.id)),
    ] {
        ask.by(&seller).await.refuses(401, "Not authorized");
    }
    assert_eq!(world.get("/api/orders").by(&seller).await.is(200).json, json!([]));
    for path in ["/api/orders/", "/api/orders/get-order/"] {
        let ask = world.get(&format!("{path}64b0c0ffee0000000000beef")).by(&buyer);
        ask.await.refuses(404, "Order not found");
    }
    let ask = world.delete("/api/orders/64b0c0ffee0000000000beef").by(&buyer);
    ask.await.refuses(404, "Order not found");
}

async fn anybody_signed_in_may_ask_whether_an_order_stands(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let path = format!("/api/orders/get-order-safe-details/{}", order.id);
    for who in [&seller, &buyer] {
        let shown = world.get(&path).by(who).await.is(200);
        shown.has_exactly(&["id", "status", "expiresAt"]);
        assert_eq!(shown.string("/status"), "created");
    }
    world
        .get("/api/orders/get-order-safe-details/64b0c0ffee0000000000beef")
        .by(&buyer)
        .await
        .refuses(404, "Order not found");
}
