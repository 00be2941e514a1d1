//! Listing a ticket.

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::market::Market;

const PATH: &str = "/api/tickets";

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_ticket_is_on_sale_at_once() {
    let market = Market::open().await;
    let seller = market.person();
    let event = market.add_event("Symphony No. 9").await;
    let ticket = market
        .list(
            &seller,
            json!({"title": "  Row 5 ", "price": "19.99", "description": "Aisle", "eventId": event["id"]}),
        )
        .await;
    assert_eq!(ticket["title"], "Row 5");
    assert_eq!(ticket["price"].to_string(), "19.99");
    assert_eq!(ticket["userId"], seller.id.to_string());
    assert_eq!(
        (&ticket["status"], &ticket["orderId"], &ticket["version"]),
        (&json!("available"), &json!(null), &json!(0))
    );
    assert!(ticket["serialNumber"].as_str().unwrap().starts_with("BT-"));
    assert_eq!(ticket["eventId"], event["id"]);
    let expected = json!({
        "id": event["id"], "title": "Symphony No. 9", "venue": "Town Hall", "city": "Springfield",
        "startsAt": "2030-06-01T17:30:00Z", "timeZone": "Europe/Berlin",
    });
    assert_eq!(ticket["event"], expected);
    assert_eq!(market.read(&ticket).await, ticket);
    assert_eq!(market.get(PATH).await.ok(200), json!([ticket]));
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn title_and_price_are_enough() {
    let market = Market::open().await;
    let ticket = market
        .list(
            &market.person(),
            json!({"title": "T", "price": 0.5, "eventId": null}),
        )
        .await;
    assert_eq!(
        (&ticket["description"], &ticket["eventId"], &ticket["event"]),
        (&json!(""), &json!(null), &json!(null))
    );
    assert_eq!(ticket["price"].to_string(), "0.5");
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_is_checked_before_the_body_and_the_body_rule_by_rule() {
    let market = Market::open().await;
    let stranger = market.post(&market.stranger(), PATH, json!({})).await;
    assert_eq!(stranger.errors(), (401, vec![("", "Not authorized")]));
    let seller = market.person();
    let empty = market.post(&seller, PATH, json!({})).await;
    assert_eq!(
        empty.errors(),
        (
            400,
            vec![
                ("title", "Title is required"),
                ("price", "Price must be a number")
            ]
        )
    );
    assert_eq!(empty.body["message"], "Request validation failed");
    for (price, message) in [
        (json!("cheap"), "Price must be a number"),
        (json!(true), "Price must be a number"),
        (json!(0), "Price must be greater than 0"),
        (json!(-10), "Price must be greater than 0"),
        (json!(0.49), "Price must be at least 0.50"),
        (json!(100000), "Price must be at most 99999.99"),
        (json!(1.999), "Price must have at most two decimals"),
    ] {
        let answer = market
            .post(&seller, PATH, json!({"title": "T", "price": price}))
            .await;
        assert_eq!(answer.errors(), (400, vec![("price", message)]), "{price}");
    }
    let long = "x".repeat(126);
    for (body, field, message) in [
        (json!({"title": "", "price": 1}), "title", "Title is required"),
        (json!({"title": 5, "price": 1}), "title", "Title must be a string"),
        (
            json!({"title": long, "price": 1}),
            "title",
            "Title must have at most 125 characters",
        ),
        (
            json!({"title": "T", "price": 1, "description": "x".repeat(2001)}),
            "description",
            "Description must have at most 2000 characters",
        ),
        (
            json!({"title": "T", "price": 1, "eventId": "concert"}),
            "eventId",
            "ID is invalid",
        ),
        (
            json!({"title": "T", "price": 1, "quantity": 0}),
            "quantity",
            "Quantity must be 1 to 1000",
        ),
        (
            json!({"title": "T", "price": 1, "quantity": 1001}),
            "quantity",
            "Quantity must be 1 to 1000",
        ),
        (
            json!({"title": "T", "price": 1, "quantity": 2, "serialNumber": "S"}),
            "serialNumber",
            "Serial number cannot be given with a quantity",
        ),
    ] {
        let answer = market.post(&seller, PATH, body.clone()).await;
        assert_eq!(answer.errors(), (400, vec![(field, message)]), "{body}");
    }
    assert_eq!(market.get(PATH).await.ok(200), json!([]));
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_must_be_in_the_catalogue() {
    let market = Market::open().await;
    let body = json!({"title": "T", "price": 1, "eventId": "64b0c0ffee0000000000beef"});
    let answer = market.post(&market.person(), PATH, body).await;
    assert_eq!(answer.errors(), (400, vec![("eventId", "Event not found")]));
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_serial_number_is_listed_once() {
    let market = Market::open().await;
    let (one, two) = (market.person(), market.person());
    let body = json!({"title": "T", "price": 1, "serialNumber": "S-1"});
    market.list(&one, body.clone()).await;
    for seller in [&one, &two] {
        let answer = market.post(seller, PATH, body.clone()).await;
        assert_eq!(
            answer.errors(),
            (400, vec![("serialNumber", "Serial number is already listed")])
        );
        assert_eq!(answer.body["code"], "serial_number_taken");
    }
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_list_a_serial_number_at_once_one_does() {
    let market = Market::open().await;
    let sellers: Vec<_> = (0..20).map(|_| market.person()).collect();
    let body = json!({"title": "T", "price": 1, "serialNumber": "S-1"});
    let answers = join_all(
        sellers
            .iter()
            .map(|seller| market.post(seller, PATH, body.clone())),
    )
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(market.get(PATH).await.column("serialNumber"), ["S-1"]);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_with_a_key_lists_once() {
    let market = Market::open().await;
    let seller = market.person();
    let send = async |key: &str, body: serde_json::Value| {
        market
            .ask_with(&seller, Method::POST, PATH, Some(body), Some(key))
            .await
    };
    let body = json!({"title": "T", "price": 1, "serialNumber": "S-1"});
    let answers = join_all((0..5).map(|_| send("k", body.clone()))).await;
    let first = answers[0].body.clone();
    for answer in answers {
        assert_eq!((answer.status, &answer.body), (201, &first));
    }
    let path = format!("{PATH}/{}", first["id"].as_str().unwrap());
    let edited = market
        .ask(
            &seller,
            Method::PUT,
            &path,
            Some(json!({"title": "New", "price": 2})),
        )
        .await
        .ok(200);
    assert_eq!(send("k", body).await.ok(201), edited, "the ticket as it is now");
    assert_eq!(send("k", json!({"title": "Other", "price": 1})).await.status, 422);
    let several = json!({"title": "T", "price": 1, "quantity": 3});
    let once = send("m", several.clone()).await.ok(201);
    assert_eq!(send("m", several).await.ok(201), once);
    assert_eq!(market.get(PATH).await.column("id").len(), 4);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_validates_first_and_more_strictly() {
    let market = Market::open().await;
    let (stranger, seller) = (market.stranger(), market.person());
    let path = "/api/tickets/create";
    let good = json!({"title": "Row five", "price": 10, "description": "D", "serialNumber": "S-1", "eventId": "Concert-7", "userId": "somebody"});
    assert_eq!(market.post(&stranger, path, json!({})).await.status, 400);
    assert_eq!(
        market.post(&stranger, path, good.clone()).await.message(),
        (401, "Not authorized")
    );
    let empty = market
        .post(&seller, path, json!({"title": "Row 5", "price": 9.99}))
        .await;
    let expected = vec![
        ("title", "Title must have 6 to 125 characters"),
        ("price", "Price must be at least 10"),
        ("description", "Description is required"),
        ("serialNumber", "Serial number is required"),
        ("eventId", "Event id is required"),
    ];
    assert_eq!(empty.errors(), (400, expected));
    let ticket = market.post(&seller, path, good.clone()).await.ok(201);
    assert_eq!(ticket["userId"], seller.id.to_string());
    assert_eq!(
        (&ticket["eventId"], &ticket["event"]),
        (&json!("Concert-7"), &json!(null))
    );
    let again = market.post(&seller, path, good).await;
    assert_eq!(
        again.errors(),
        (400, vec![("serialNumber", "Ticket already exists")])
    );
    market.close().await;
}
