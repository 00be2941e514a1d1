//! The catalogue of events.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::market::Market;
use crate::provider::{KEY, Provider};

fn event() -> Value {
    json!({
        "title": "Symphony No. 9", "venue": "Town Hall", "city": "Springfield",
        "startsAt": "2030-06-01T19:30:00+02:00", "timeZone": "europe/berlin",
        "image": "https://images.example/a.jpg", "description": "With choir",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_added_read_listed_and_found() {
    let market = Market::open().await;
    let person = market.person();
    assert_eq!(
        market
            .post(&market.stranger(), "/api/events", json!({}))
            .await
            .message(),
        (401, "Not authorized")
    );
    let added = market.post(&person, "/api/events", event()).await.ok(201);
    let expected = json!({
        "id": added["id"], "title": "Symphony No. 9", "venue": "Town Hall", "city": "Springfield",
        "startsAt": "2030-06-01T17:30:00Z", "timeZone": "Europe/Berlin", "image": "https://images.example/a.jpg",
        "description": "With choir", "userId": person.id.to_string(), "tmEventId": null,
    });
    assert_eq!(added, expected);
    market.add_event("Rock Night").await;
    let id = added["id"].as_str().unwrap();
    assert_eq!(market.get(&format!("/api/events/{id}")).await.ok(200), added);
    assert_eq!(
        market.get("/api/events").await.column("title"),
        ["Rock Night", "Symphony No. 9"]
    );
    assert_eq!(
        market
            .get("/api/events?limit=1")
            .await
            .headers
            .get("link")
            .iter()
            .count(),
        1
    );
    assert_eq!(
        market
            .get("/api/events/search?keyword=SYMPH+choir")
            .await
            .column("title"),
        ["Symphony No. 9"]
    );
    assert_eq!(
        market
            .get("/api/events/search?keyword=springfield")
            .await
            .column("title")
            .len(),
        2
    );
    assert_eq!(
        market.get("/api/events/search?keyword=opera").await.ok(200),
        json!([])
    );
    for path in [
        "/api/events/search",
        "/api/events/search?keyword=",
        "/api/events/search?keyword=%20",
    ] {
        assert_eq!(
            market.get(path).await.errors(),
            (400, vec![("keyword", "Keyword is required")]),
            "{path}"
        );
    }
    assert_eq!(
        market.get("/api/events/64b0c0ffee0000000000beef").await.message(),
        (404, "Event not found")
    );
    assert_eq!(
        market.get("/api/events/nonsense").await.errors(),
        (400, vec![("id", "ID is invalid")])
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_event_is_named() {
    let market = Market::open().await;
    let person = market.person();
    let empty = market.post(&person, "/api/events", json!({})).await;
    let expected = vec![
        ("title", "Title is required"),
        ("venue", "Venue is required"),
        ("city", "City is required"),
        ("startsAt", "Start is required"),
        ("timeZone", "Time zone is required"),
    ];
    assert_eq!(empty.errors(), (400, expected));
    for (field, value, message) in [
        ("startsAt", "tomorrow", "Start must be an RFC 3339 time"),
        (
            "timeZone",
            "Europe/Atlantis",
            "Time zone must be an IANA name such as Europe/Berlin",
        ),
        (
            "image",
            "javascript:alert(1)",
            "Image must be an http or https address",
        ),
    ] {
        let mut body = event();
        body[field] = json!(value);
        assert_eq!(
            market.post(&person, "/api/events", body).await.errors(),
            (400, vec![(field, message)])
        );
    }
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nothing_is_imported() {
    let market = Market::open().await;
    let body = json!({"tmEventId": "G5v0Z9"});
    let path = "/api/events/create";
    assert_eq!(
        market.post(&market.stranger(), path, json!({})).await.errors(),
        (400, vec![("tmEventId", "ID is required")])
    );
    assert_eq!(
        market
            .post(&market.stranger(), path, body.clone())
            .await
            .message(),
        (401, "Not authorized")
    );
    let off = market.post(&market.person(), path, body).await;
    assert_eq!(off.message(), (503, "Event provider unavailable"));
    assert!(off.headers.contains_key("retry-after"));
    assert_eq!(
        market.get("/api/events/details/G5v0Z9").await.message(),
        (503, "Event provider unavailable")
    );
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_imported_once() {
    let provider = Provider::default();
    let url = provider.serve().await;
    let market = Market::open_with(&[("TICKETMASTER_API_URL", &url), ("TICKETMASTER_API_KEY", KEY)]).await;
    let seen = market.get("/api/events/details/G5v0Z9").await.ok(200);
    assert_eq!(seen["userId"], "0".repeat(24), "nobody has imported it yet");
    let people: Vec<_> = (0..8).map(|_| market.person()).collect();
    let body = json!({"tmEventId": "G5v0Z9"});
    let imports = people
        .iter()
        .map(|person| market.post(person, "/api/events/create", body.clone()));
    let imported: Vec<Value> = join_all(imports)
        .await
        .into_iter()
        .map(|answer| answer.ok(201))
        .collect();
    let event = imported[0].clone();
    assert!(imported.iter().all(|each| *each == event));
    let expected = json!({
        "id": seen["id"], "title": "Rock Night", "venue": "Big Arena", "city": "New York",
        "startsAt": "2030-07-05T00:00:00Z", "timeZone": "America/New_York",
        "image": "https://images.example/large.jpg", "description": "Doors at seven",
        "userId": event["userId"], "tmEventId": "G5v0Z9",
    });
    assert_eq!(event, expected);
    let asked = provider.asked();
    assert_eq!(market.get("/api/events/details/G5v0Z9").await.ok(200), event);
    assert_eq!(provider.asked(), asked, "the catalogue has it");
    assert_eq!(market.get("/api/events").await.column("tmEventId"), ["G5v0Z9"]);
    assert_eq!(
        market.get("/api/tickets/tm-event/G5v0Z9").await.ok(200),
        json!([])
    );
    let ticket = market
        .list(
            &people[0],
            json!({"title": "Seat", "price": 1, "eventId": event["id"]}),
        )
        .await;
    let found = market.get("/api/tickets/tm-event/G5v0Z9").await;
    assert_eq!(found.column("id"), [ticket["id"].as_str().unwrap()]);
    market.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_provider_lacks_is_not_found_and_its_faults_are_not_ours() {
    let url = Provider::default().serve().await;
    let market = Market::open_with(&[("TICKETMASTER_API_URL", &url), ("TICKETMASTER_API_KEY", KEY)]).await;
    for id in ["unknown", "tba", "..%2F..%2Fsecret"] {
        let answer = market.get(&format!("/api/events/details/{id}")).await;
        assert_eq!(answer.message(), (404, "Event not found"), "{id}");
    }
    assert_eq!(
        market.get("/api/events/details/broken").await.message(),
        (503, "Event provider unavailable")
    );
    market.close().await;
    let wrong_key =
        Market::open_with(&[("TICKETMASTER_API_URL", &url), ("TICKETMASTER_API_KEY", "other")]).await;
    let refused = wrong_key
        .post(
            &wrong_key.person(),
            "/api/events/create",
            json!({"tmEventId": "G5v0Z9"}),
        )
        .await;
    assert_eq!(refused.message(), (503, "Event provider unavailable"));
    wrong_key.close().await;
}
