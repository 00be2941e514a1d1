//! Listing tickets, and reading one.

use bigtix_contracts::{Cents, ErrorCode};
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{Answer, Person, World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_listed_ticket_has_all_its_fields,
    a_title_is_required_and_not_too_long,
    a_price_is_told_what_is_wrong_with_it,
    every_broken_rule_is_told_at_once,
    an_event_has_to_be_in_the_catalogue,
    a_serial_number_is_listed_once_at_a_time,
    a_bought_ticket_can_be_listed_again,
    several_tickets_are_listed_at_once,
    an_unknown_ticket_is_not_found,
    a_ticket_is_found_by_its_serial_number,
];

/// The fields of a ticket.
pub(crate) const FIELDS: [&str; 11] = [
    "id",
    "title",
    "price",
    "userId",
    "description",
    "serialNumber",
    "eventId",
    "event",
    "orderId",
    "status",
    "version",
];

async fn list(world: &World, seller: &Person, body: Value) -> Answer {
    world.post("/api/tickets").by(seller).json(body).await
}

async fn a_listed_ticket_has_all_its_fields(world: World) {
    let seller = world.person().await;
    let event = seller.adds_an_event("Symphony No. 9").await;
    let body = json!({"title": " Row F ", "price": 19.99, "description": "Aisle", "serialNumber": unique("F"), "eventId": event.id});
    let listed = list(&world, &seller, body.clone()).await.is(201);
    listed.has_exactly(&FIELDS);
    let ticket = &listed.json;
    assert_eq!(ticket["title"], "Row F");
    assert_eq!(ticket["userId"], json!(seller.user.id));
    assert_eq!(ticket["description"], "Aisle");
    assert_eq!(ticket["serialNumber"], body["serialNumber"]);
    assert_eq!(ticket["eventId"], json!(event.id));
    assert_eq!(
        (ticket["status"].as_str(), ticket["version"].as_i64()),
        (Some("available"), Some(0))
    );
    assert!(ticket["orderId"].is_null());
    let summary = ticket["event"].as_object().expect("the event");
    let mut names: Vec<&str> = summary.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["city", "id", "startsAt", "timeZone", "title", "venue"]);
    assert_eq!(
        (summary["title"].as_str(), summary["city"].as_str()),
        (Some("Symphony No. 9"), Some("Springfield"))
    );

    let found = world
        .get(&format!("/api/tickets/{}", listed.string("/id")))
        .await
        .is(200);
    assert_eq!(found.json, listed.json);
    let plain = list(&world, &seller, json!({"title": "Row A", "price": 5}))
        .await
        .is(201);
    assert!(plain.json["event"].is_null() && plain.json["eventId"].is_null());
    assert_eq!(plain.json["description"], "");
    assert!(!plain.string("/serialNumber").is_empty());
}

async fn a_title_is_required_and_not_too_long(world: World) {
    let seller = world.person().await;
    for title in [json!(""), json!("   "), Value::Null] {
        let answer = list(&world, &seller, json!({"title": title, "price": 5})).await;
        answer.refuses(400, "Title is required").about("title");
    }
    let answer = list(&world, &seller, json!({"title": 5, "price": 5})).await;
    answer.refuses(400, "Title must be a string").about("title");
    let answer = list(&world, &seller, json!({"title": "x".repeat(126), "price": 5})).await;
    answer.refuses_field("title");
    list(&world, &seller, json!({"title": "é".repeat(125), "price": 5}))
        .await
        .is(201);
    let long = json!({"title": "Row A", "price": 5, "description": "x".repeat(2001)});
    list(&world, &seller, long).await.refuses_field("description");
}

async fn a_price_is_told_what_is_wrong_with_it(world: World) {
    let seller = world.person().await;
    for (price, told) in [
        (json!("cheap"), "Price must be a number"),
        (json!(true), "Price must be a number"),
        (json!([5]), "Price must be a number"),
        (json!(0), "Price must be greater than 0"),
        (json!(-3), "Price must be greater than 0"),
        (json!(0.49), "Price must be at least 0.50"),
        (json!(100_000), "Price must be at most 99999.99"),
        (json!(19.999), "Price must have at most two decimals"),
        (json!("0.001"), "Price must have at most two decimals"),
    ] {
        let answer = list(&world, &seller, json!({"title": "Row A", "price": price})).await;
        answer.refuses(400, told).about("price");
    }
    let answer = list(&world, &seller, json!({"title": "Row A"})).await;
    answer.refuses_field("price");
}

async fn every_broken_rule_is_told_at_once(world: World) {
    let seller = world.person().await;
    let answer = list(&world, &seller, json!({"title": "", "price": 0, "quantity": 0})).await;
    let problem = answer.problem();
    assert_eq!(problem.message, "Request validation failed");
    assert_eq!(problem.code, ErrorCode::ValidationFailed);
    assert!(problem.errors.len() >= 3, "{answer}");
}

async fn an_event_has_to_be_in_the_catalogue(world: World) {
    let seller = world.person().await;
    let list = |event: &str| {
        let body = json!({"title": "Row A", "price": 5, "eventId": event});
        world.post("/api/tickets").by(&seller).json(body)
    };
    list("64b0c0ffee0000000000beef")
        .await
        .refuses(400, "Event not found");
    list("no such event").await.refuses_field("eventId");
}

async fn a_serial_number_is_listed_once_at_a_time(world: World) {
    let (seller, other) = world.two_people().await;
    let body = json!({"title": "Row A", "price": 5, "serialNumber": unique("S")});
    let first = list(&world, &seller, body.clone()).await.is(201);
    for who in [&seller, &other] {
        let refusal = list(&world, who, body.clone())
            .await
            .refuses(400, "Serial number is already listed");
        refusal.with_code(ErrorCode::SerialNumberTaken);
    }
    world
        .delete(&format!("/api/tickets/{}", first.string("/id")))
        .by(&seller)
        .await
        .is(200);
    list(&world, &other, body).await.is(201);
}

async fn a_bought_ticket_can_be_listed_again(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    buyer.buys(&world, ticket.id).await;
    let again = json!({"title": "Cannot go", "price": 25, "serialNumber": ticket.serial_number});
    let listed = bigtix_testkit::eventually("the sold ticket's number is free", async || {
        let answer = list(&world, &buyer, again.clone()).await;
        (answer.status == 201).then_some(answer)
    })
    .await;
    let newest = world
        .get(&format!("/api/tickets/serial-number/{}", ticket.serial_number))
        .await
        .is(200);
    assert_eq!(newest.string("/id"), listed.string("/id"));
}

async fn several_tickets_are_listed_at_once(world: World) {
    let seller = world.person().await;
    let listed = list(
        &world,
        &seller,
        json!({"title": "Standing", "price": 5, "quantity": 7}),
    )
    .await
    .is(201);
    let ids: std::collections::BTreeSet<String> = listed.ids().into_iter().collect();
    assert_eq!(ids.len(), 7);
    let rows = listed.json.as_array().expect("an array");
    let numbers: std::collections::BTreeSet<&str> = rows
        .iter()
        .filter_map(|row| row["serialNumber"].as_str())
        .collect();
    assert_eq!(numbers.len(), 7);
    let one = list(
        &world,
        &seller,
        json!({"title": "Standing", "price": 5, "quantity": 1}),
    )
    .await
    .is(201);
    assert_eq!(one.ids().len(), 1);
    for quantity in [json!(0), json!(1001), json!(1.5), json!("many")] {
        let answer = list(
            &world,
            &seller,
            json!({"title": "A", "price": 5, "quantity": quantity}),
        )
        .await;
        answer.refuses_field("quantity");
    }
    let both = json!({"title": "A", "price": 5, "quantity": 2, "serialNumber": unique("S")});
    let answer = list(&world, &seller, both).await.is(400);
    assert_eq!(answer.problem().code, ErrorCode::ValidationFailed);
}

async fn an_unknown_ticket_is_not_found(world: World) {
    let person = world.person().await;
    let id = "64b0c0ffee0000000000beef";
    let change = json!({"title": "A", "price": 5});
    for ask in [
        world.get(&format!("/api/tickets/{id}")),
        world.get(&format!("/api/tickets/get-ticket/{id}")),
        world.get("/api/tickets/serial-number/no-such-number"),
        world.put(&format!("/api/tickets/{id}")).json(change.clone()),
        world.patch(&format!("/api/tickets/{id}")).json(change),
        world.delete(&format!("/api/tickets/{id}")),
        world.post("/api/orders").json(json!({"ticketId": id})),
    ] {
        let refusal = ask.by(&person).await.refuses(404, "Ticket not found");
        refusal.with_code(ErrorCode::NotFound);
    }
}

async fn a_ticket_is_found_by_its_serial_number(world: World) {
    let seller = world.person().await;
    let number = unique("Row F 12 é");
    let body = json!({"title": "Row A", "price": 5, "serialNumber": number});
    let listed = list(&world, &seller, body).await.is(201);
    let found = world
        .client()
        .ticket_by_serial_number(&number)
        .await
        .expect("the ticket");
    assert_eq!(found.id.to_string(), listed.string("/id"));
}
