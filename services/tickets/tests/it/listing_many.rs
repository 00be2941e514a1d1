//! Listing several tickets at once.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::market::Market;

const PATH: &str = "/api/tickets/createmulti";

fn ticket(serial: &str) -> Value {
    json!({"title": "Row five", "price": 10, "description": "D", "serialNumber": serial, "eventId": "Concert-7"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quantity_lists_so_many_alike() {
    let market = Market::open().await;
    let seller = market.person();
    let tickets = market
        .list(&seller, json!({"title": "Seat", "price": 5, "quantity": 1000}))
        .await;
    let tickets = tickets.as_array().unwrap();
    assert_eq!(tickets.len(), 1000);
    let serials: std::collections::BTreeSet<&str> = tickets
        .iter()
        .map(|ticket| ticket["serialNumber"].as_str().unwrap())
        .collect();
    assert_eq!(serials.len(), 1000);
    let one = market
        .list(&seller, json!({"title": "Seat", "price": 5, "quantity": 1}))
        .await;
    assert_eq!(
        one.as_array().unwrap().len(),
        1,
        "asked for by quantity, answered as an array"
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_different_ones_are_listed_together() {
    let market = Market::open().await;
    let body = json!({"tickets": [ticket("A"), ticket("B")]});
    assert_eq!(
        market
            .post(&market.stranger(), PATH, body.clone())
            .await
            .message(),
        (401, "Not authorized")
    );
    let answer = market.post(&market.person(), PATH, body).await.ok(201);
    assert_eq!(answer["success"], true);
    let serials: Vec<_> = answer["tickets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["serialNumber"])
        .collect();
    assert_eq!(serials, ["A", "B"], "in the order of the request");
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_by_its_place_and_nothing_is_listed() {
    let market = Market::open().await;
    let seller = market.person();
    let mut broken = ticket("B");
    broken["price"] = json!(1);
    let answer = market
        .post(&seller, PATH, json!({"tickets": [ticket("A"), broken]}))
        .await;
    assert_eq!(
        answer.errors(),
        (400, vec![("tickets[1].price", "Price must be at least 10")])
    );
    for (body, message) in [
        (json!({}), "Tickets are required"),
        (json!({"tickets": "A"}), "Tickets must be an array"),
        (json!({"tickets": []}), "Tickets must be 1 to 1000"),
    ] {
        let answer = market.post(&market.stranger(), PATH, body).await;
        assert_eq!(answer.errors(), (400, vec![("tickets", message)]));
    }
    assert_eq!(market.get("/api/tickets?status=all").await.ok(200), json!([]));
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_taken_serial_number_keeps_all_of_them_out() {
    let market = Market::open().await;
    let seller = market.person();
    market
        .post(&seller, "/api/tickets/create", ticket("B"))
        .await
        .ok(201);
    let taken = market
        .post(
            &seller,
            PATH,
            json!({"tickets": [ticket("A"), ticket("B"), ticket("C")]}),
        )
        .await;
    assert_eq!(
        taken.errors(),
        (400, vec![("tickets[1].serialNumber", "Ticket already exists")])
    );
    let twice = market
        .post(
            &seller,
            PATH,
            json!({"tickets": [ticket("X"), ticket("Y"), ticket("X")]}),
        )
        .await;
    assert_eq!(
        twice.errors(),
        (400, vec![("tickets[2].serialNumber", "Ticket already exists")])
    );
    assert_eq!(
        market.get("/api/tickets?status=all").await.column("serialNumber"),
        ["B"]
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_overlapping_batches_at_once_each_is_listed_wholly_or_not_at_all() {
    let market = Market::open().await;
    let sellers: Vec<_> = (0..12).map(|_| market.person()).collect();
    let batch = |n: usize| {
        let own = (0..10).map(|k| ticket(&format!("own-{n}-{k}")));
        json!({"tickets": own.chain([ticket("shared")]).collect::<Vec<_>>()})
    };
    let posts = sellers
        .iter()
        .enumerate()
        .map(|(n, seller)| market.post(seller, PATH, batch(n)));
    let answers = join_all(posts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(
            refused.errors(),
            (400, vec![("tickets[10].serialNumber", "Ticket already exists")])
        );
    }
    assert_eq!(
        market
            .get("/api/tickets?status=all&limit=200")
            .await
            .column("id")
            .len(),
        11
    );
    market.close().await;
}
