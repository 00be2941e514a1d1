//! Looking at tickets.

use bigtix_testkit::Answer;
use reqwest::Method;
use serde_json::{Value, json};

use crate::market::Market;

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_found_by_its_id_in_either_case() {
    let market = Market::open().await;
    let ticket = market.list_any(&market.person()).await;
    let id = ticket["id"].as_str().unwrap();
    for path in [
        format!("/api/tickets/{id}"),
        format!("/api/tickets/{}", id.to_uppercase()),
        format!("/api/tickets/get-ticket/{id}"),
    ] {
        assert_eq!(market.get(&path).await.ok(200), ticket, "{path}");
    }
    for base in ["/api/tickets", "/api/tickets/get-ticket"] {
        let unknown = market.get(&format!("{base}/64b0c0ffee0000000000beef")).await;
        assert_eq!(unknown.errors(), (404, vec![("", "Ticket not found")]));
        assert_eq!(
            market.get(&format!("{base}/nonsense")).await.errors(),
            (400, vec![("id", "ID is invalid")])
        );
    }
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_ticket_with_a_serial_number_is_found() {
    let market = Market::open().await;
    let seller = market.person();
    let old = market
        .list(
            &seller,
            json!({"title": "Old", "price": 1, "serialNumber": "A/1 ü"}),
        )
        .await;
    let path = "/api/tickets/serial-number/A%2F1%20%C3%BC";
    assert_eq!(market.get(path).await.ok(200), old);
    let withdrawal = format!("/api/tickets/{}", old["id"].as_str().unwrap());
    market
        .ask(&seller, Method::DELETE, &withdrawal, None)
        .await
        .ok(200);
    let new = market
        .list(
            &seller,
            json!({"title": "New", "price": 1, "serialNumber": "A/1 ü"}),
        )
        .await;
    assert_eq!(market.get(path).await.ok(200), new);
    assert_eq!(
        market.get("/api/tickets/serial-number/none").await.message(),
        (404, "Ticket not found")
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_looks_for_beginnings_of_words_everywhere() {
    let market = Market::open().await;
    let seller = market.person();
    let event = market.add_event("Symphony No. 9").await;
    let list = async |title: &str, description: &str, event: &Value| {
        let body = json!({"title": title, "price": 1, "description": description, "eventId": event});
        market.list(&seller, body).await;
    };
    list("Front row", "Near the ÉTOILE", &json!(null)).await;
    list("Balcony", "", &event["id"]).await;
    for (query, found) in [
        ("front", vec!["Front row"]),
        ("FRONT%20ro", vec!["Front row"]),
        ("%C3%A9toile", vec!["Front row"]),
        ("symph", vec!["Balcony"]),
        ("town+springfield", vec!["Balcony"]),
        ("balcony+front", vec![]),
        ("alcony", vec![]),
        (".*", vec!["Balcony", "Front row"]),
    ] {
        assert_eq!(
            market
                .get(&format!("/api/tickets?q={query}"))
                .await
                .column("title"),
            found,
            "{query}"
        );
    }
    assert_eq!(
        market.get("/api/tickets/all?q=balc").await.column("title"),
        ["Balcony"]
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_cannot_make_sense_of_is_refused() {
    let market = Market::open().await;
    for (query, field, message) in [
        (
            "status=free",
            "status",
            "Status must be available, reserved, sold or all",
        ),
        ("limit=0", "limit", "Limit must be 1 to 200"),
        ("limit=201", "limit", "Limit must be 1 to 200"),
        ("limit=x", "limit", "Limit must be 1 to 200"),
        ("cursor=x", "cursor", "Cursor is invalid"),
    ] {
        let answer = market.get(&format!("/api/tickets?{query}")).await;
        assert_eq!(answer.errors(), (400, vec![(field, message)]), "{query}");
    }
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_stable_while_tickets_are_added() {
    let market = Market::open().await;
    let seller = market.person();
    let mut expected = Vec::new();
    for batch in 0..3 {
        let body = json!({"title": format!("Batch {batch}"), "price": 1, "quantity": 4});
        expected.extend(market.list(&seller, body).await.as_array().unwrap().clone());
    }
    let mut expected: Vec<&str> = expected
        .iter()
        .map(|ticket| ticket["id"].as_str().unwrap())
        .collect();
    expected.sort_unstable();
    expected.reverse();
    let mut seen = Vec::new();
    let mut next = Some("/api/tickets?status=all&limit=5".to_owned());
    while let Some(path) = next {
        let page = market.get(&path).await;
        seen.extend(page.column("id").into_iter().map(str::to_owned));
        next = next_page(&page);
        market.list_any(&seller).await;
    }
    assert_eq!(seen, expected);
    market.close().await;
}

fn next_page(page: &Answer) -> Option<String> {
    let link = page.headers.get("link")?.to_str().unwrap();
    let cursor = page.headers["x-next-cursor"].to_str().unwrap();
    assert!(
        link.contains(cursor) && link.ends_with("; rel=\"next\""),
        "{link}"
    );
    Some(link.trim_start_matches('<').split('>').next().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn tickets_are_listed_by_event() {
    let market = Market::open().await;
    let seller = market.person();
    let event = market.add_event("Symphony").await;
    let id = event["id"].as_str().unwrap();
    assert_eq!(
        market.get(&format!("/api/tickets/for-event/{id}")).await.ok(200),
        json!([])
    );
    let body = json!({"title": "Seat", "price": 1, "eventId": id});
    let (kept, withdrawn) = (
        market.list(&seller, body.clone()).await,
        market.list(&seller, body).await,
    );
    market.list_any(&seller).await;
    let path = format!("/api/tickets/{}", withdrawn["id"].as_str().unwrap());
    market.ask(&seller, Method::DELETE, &path, None).await.ok(200);
    let upper = id.to_uppercase();
    for path in [
        format!("/api/tickets/event/{id}"),
        format!("/api/tickets/event/{upper}"),
        format!("/api/tickets/for-event/{id}"),
        format!("/api/tickets?eventId={upper}"),
        format!("/api/tickets?eventId={id}&status=available"),
    ] {
        assert_eq!(
            market.get(&path).await.column("id"),
            [kept["id"].as_str().unwrap()],
            "{path}"
        );
    }
    assert_eq!(
        market
            .get(&format!("/api/tickets?eventId={id}&status=all"))
            .await
            .column("id")
            .len(),
        2
    );
    assert_eq!(market.get("/api/tickets/event/unknown").await.ok(200), json!([]));
    for path in [
        "for-event/unknown",
        "for-event/64b0c0ffee0000000000beef",
        "tm-event/unknown",
    ] {
        assert_eq!(
            market.get(&format!("/api/tickets/{path}")).await.message(),
            (404, "Event not found"),
            "{path}"
        );
    }
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_only_sellers_know_is_listed_too() {
    let market = Market::open().await;
    let body = json!({"title": "Row five", "price": 10, "description": "D", "serialNumber": "S", "eventId": "Concert 7"});
    let ticket = market
        .post(&market.person(), "/api/tickets/create", body)
        .await
        .ok(201);
    for path in ["event/Concert%207", "for-event/Concert%207"] {
        let found = market.get(&format!("/api/tickets/{path}")).await;
        assert_eq!(found.column("id"), [ticket["id"].as_str().unwrap()], "{path}");
    }
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sellers_see_their_own_tickets_whatever_became_of_them() {
    let market = Market::open().await;
    let (seller, other) = (market.person(), market.person());
    let (one, two) = (market.list_any(&seller).await, market.list_any(&seller).await);
    market.list_any(&other).await;
    let path = format!("/api/tickets/{}", one["id"].as_str().unwrap());
    market.ask(&seller, Method::DELETE, &path, None).await.ok(200);
    let expected = [two["id"].as_str().unwrap(), one["id"].as_str().unwrap()];
    assert_eq!(
        market
            .get(&format!("/api/tickets/user/{}", seller.id))
            .await
            .column("id"),
        expected
    );
    let own = market
        .ask(&seller, Method::GET, "/api/tickets/currentuser", None)
        .await;
    assert_eq!(own.column("id"), expected);
    assert_eq!(own.column("status"), ["available", "withdrawn"]);
    assert_eq!(
        market.get("/api/tickets/currentuser").await.message(),
        (401, "Not authorized")
    );
    assert_eq!(
        market.get("/api/tickets/user/nobody").await.message(),
        (400, "ID is invalid")
    );
    market.close().await;
}
