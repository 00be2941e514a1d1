//! Placing, reading and giving up orders.

use bigtix_contracts::Cents;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::shop::{Shop, id_of, message};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_holds_its_ticket_until_it_is_cancelled() {
    let shop = Shop::open(900).await;
    let (buyer, other) = (shop.person(), shop.person());
    let ticket = shop.catalogue.list(1999, None).state;
    let body = json!({"ticketId": ticket.id});
    let placed = shop.order(&buyer, body.clone()).await;
    let id = id_of(&placed).to_owned();
    assert_eq!(placed.1["status"], "created");
    assert_eq!(placed.1["total"].to_string(), "19.99");
    assert_eq!(placed.1["ticket"]["title"], ticket.title.as_str());
    assert_eq!(
        message(&shop.order(&other, body.clone()).await),
        (400, "Ticket is already reserved")
    );
    assert_eq!(message(&shop.read(&other, &id).await), (401, "Not authorized"));
    let path = format!("/api/orders/{id}");
    assert_eq!(
        message(&shop.ask(&other, Method::DELETE, &path, None).await),
        (401, "Not authorized")
    );
    for _ in 0..2 {
        assert_eq!(shop.ask(&buyer, Method::DELETE, &path, None).await.0, 204);
    }
    assert_eq!(shop.read(&buyer, &id).await.1["reason"], "user");
    assert_eq!(
        shop.order(&other, body).await.0,
        201,
        "a cancelled order's ticket is free at once"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_ordered_is_refused_in_words() {
    let shop = Shop::open_with(&[("MAX_HELD_TICKETS_PER_USER", "2")]).await;
    let buyer = shop.person();
    let (a, b, c) = (
        shop.catalogue.list(1000, None),
        shop.catalogue.list(1000, None),
        shop.catalogue.list(1000, None),
    );
    let dear = shop.catalogue.list(100_000_000, None);
    let (a, b, c) = (a.state.id, b.state.id, c.state.id);
    let unknown = "64b0c0ffee0000000000beef";
    for (body, status, text) in [
        (json!({}), 400, "TicketId must be provided"),
        (json!({"ticketId": "nonsense"}), 400, "ID is invalid"),
        (json!({"tickets": []}), 400, "Tickets must be 1 to 20"),
        (
            json!({"tickets": [{"id": a}, {"id": a}]}),
            400,
            "Tickets must be different",
        ),
        (
            json!({"tickets": [{"id": a}, {"id": a.to_string().to_uppercase()}]}),
            400,
            "Tickets must be different",
        ),
        (json!({"ticketId": unknown}), 404, "Ticket not found"),
        (json!({"eventId": unknown}), 404, "Event not found"),
        (
            json!({"eventId": unknown, "quantity": 21}),
            400,
            "Quantity must be 1 to 20",
        ),
        (
            json!({"ticketId": a, "expectedTotal": 9.99}),
            409,
            "Price has changed",
        ),
        (
            json!({"ticketId": dear.state.id}),
            400,
            "Order total is too large",
        ),
        (
            json!({"tickets": [{"id": a}, {"id": b}, {"id": c}]}),
            400,
            "You hold too many tickets",
        ),
    ] {
        assert_eq!(
            message(&shop.order(&buyer, body.clone()).await),
            (status, text),
            "{body}"
        );
    }
    assert_eq!(
        shop.order(
            &buyer,
            json!({"tickets": [{"id": a}, {"id": b}], "expectedTotal": "20.00"})
        )
        .await
        .0,
        201
    );
    assert_eq!(
        message(&shop.order(&buyer, json!({"ticketId": c})).await),
        (400, "You hold too many tickets")
    );
    shop.close().await;
}

/// The time that an answer tells. Its text has no zeros at its end, so that texts do not sort as times do.
fn moment(text: &Value) -> Timestamp {
    text.as_str()
        .expect("a time is a string")
        .parse()
        .expect("a time is one of RFC 3339")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_order_reads_as_expired_and_its_ticket_can_be_had() {
    let shop = Shop::open(1).await;
    let (buyer, other) = (shop.person(), shop.person());
    let body = json!({"ticketId": shop.catalogue.list(500, None).state.id});
    let placed = shop.order(&buyer, body.clone()).await;
    let id = id_of(&placed).to_owned();
    let again = bigtix_testkit::eventually::eventually("the ticket is free again", async || {
        let answer = shop.order(&other, body.clone()).await;
        (answer.0 == 201).then_some(answer)
    })
    .await;
    assert!(
        moment(&again.1["createdAt"]) >= moment(&placed.1["expiresAt"]),
        "it was given away too early"
    );
    let expired = shop.read(&buyer, &id).await.1;
    assert_eq!(
        (expired["status"].as_str(), expired["reason"].as_str()),
        (Some("cancelled"), Some("expired"))
    );
    let path = format!("/api/orders/get-order/{id}");
    assert_eq!(
        shop.ask(&buyer, Method::GET, &path, None).await.1["status"],
        "expired"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_order_takes_what_is_free() {
    let shop = Shop::open(900).await;
    let (buyer, other) = (shop.person(), shop.person());
    let (free, taken) = (
        shop.catalogue.list(500, None).state.id,
        shop.catalogue.list(500, None).state.id,
    );
    assert_eq!(shop.order(&other, json!({"ticketId": taken})).await.0, 201);
    let unknown = "64b0c0ffee0000000000beef";
    let body = json!({"tickets": [{"id": taken}, {"ticketId": free, "price": 11}, {"id": unknown}]});
    let answer = shop
        .ask(&buyer, Method::POST, "/api/orders/create", Some(body))
        .await;
    assert_eq!(answer.0, 201, "{answer:?}");
    assert_eq!(answer.1["order"]["tickets"][0]["id"], free.to_string());
    assert_eq!(answer.1["unavailableTickets"], json!([taken]));
    assert_eq!(answer.1["ticketsNotFound"], json!([unknown]));
    let none = json!({"tickets": [{"id": taken}]});
    let refused = shop
        .ask(&buyer, Method::POST, "/api/orders/create", Some(none))
        .await;
    assert_eq!(message(&refused), (400, "All tickets are unavailable"));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_one_effect() {
    let shop = Shop::open(900).await;
    let buyer = shop.person();
    let (a, b) = (
        shop.catalogue.list(500, None).state.id,
        shop.catalogue.list(500, None).state.id,
    );
    let body = json!({"ticketId": a});
    let ask = |body: serde_json::Value, key| {
        shop.ask_with(&buyer, Method::POST, "/api/orders", Some(body), Some(key))
    };
    let at_once = futures::future::join_all((0..8).map(|_| ask(body.clone(), "k"))).await;
    let ids: std::collections::BTreeSet<&str> = at_once.iter().map(id_of).collect();
    assert_eq!(ids.len(), 1, "{at_once:?}");
    assert_eq!(ask(json!({"ticketId": b}), "k").await.0, 422);
    let path = format!("/api/orders/{}", id_of(&at_once[0]));
    assert_eq!(shop.ask(&buyer, Method::DELETE, &path, None).await.0, 204);
    let repeated = ask(body.clone(), "k").await;
    assert_eq!(
        (repeated.0, repeated.1["status"].as_str()),
        (201, Some("cancelled")),
        "the resource as it is now"
    );
    assert_ne!(id_of(&ask(body, "other").await), id_of(&repeated));
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_newest_first_and_paged() {
    let shop = Shop::open(900).await;
    let buyer = shop.person();
    let mut placed = Vec::new();
    for _ in 0..5 {
        let body = json!({"ticketId": shop.catalogue.list(500, None).state.id});
        placed.push(id_of(&shop.order(&buyer, body).await).to_owned());
    }
    let ids = |answer: &serde_json::Value| -> Vec<String> {
        answer
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = shop.ask(&buyer, Method::GET, "/api/orders", None).await;
    placed.reverse();
    assert_eq!(ids(&all.1), placed);
    for limit in ["0", "201", "many"] {
        let answer = shop
            .ask(&buyer, Method::GET, &format!("/api/orders?limit={limit}"), None)
            .await;
        assert_eq!(message(&answer), (400, "Limit must be 1 to 200"));
    }
    let answer = shop
        .ask(&buyer, Method::GET, "/api/orders?cursor=none-of-ours", None)
        .await;
    assert_eq!(message(&answer), (400, "Cursor is invalid"));
    shop.close().await;
}

/// Of an event's tickets that are known only the versions are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn sold_out_is_an_event_as_its_tickets_are_now() {
    let shop = Shop::open(900).await;
    let event = "growing";
    let any = async |buyer| shop.order(buyer, json!({"eventId": event, "quantity": 1})).await;
    let (buyer, other) = (shop.person(), shop.person());
    let dear = shop.catalogue.list(3000, Some(event));
    let order = any(&buyer).await;
    assert_eq!(order.1["total"], 30);
    assert_eq!(message(&any(&other).await), (400, "Sold out"));

    let path = format!("/api/orders/{}", id_of(&order));
    assert_eq!(shop.ask(&buyer, Method::DELETE, &path, None).await.0, 204);
    let mut cheaper = dear;
    (cheaper.version, cheaper.state.price) = (1, Cents(500));
    shop.catalogue.put(cheaper);
    assert_eq!(any(&other).await.1["total"], 5);
    assert_eq!(message(&any(&buyer).await), (400, "Sold out"));

    for tickets in [1, 1_001] {
        for _ in 0..tickets {
            shop.catalogue.list(1000, Some(event));
        }
        assert_eq!(any(&buyer).await.0, 201, "of {tickets} more tickets");
    }
    shop.close().await;
}
