//! The catalogue of events.

use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    an_added_event_has_all_its_fields,
    an_event_is_told_every_rule_that_it_breaks,
    events_are_listed_and_found_by_keyword,
    an_unknown_event_is_not_found,
    without_a_provider_nothing_is_imported_and_the_rest_works,
];

fn symphony(title: &str) -> Value {
    json!({"title": title, "venue": "Town Hall", "city": "Springfield", "startsAt": "2031-05-01T19:30:00-05:00",
        "timeZone": "America/Chicago"})
}

async fn an_added_event_has_all_its_fields(world: World) {
    let seller = world.person().await;
    let mut body = symphony("Symphony No. 9");
    body["image"] = json!("https://pictures.test/9.jpg");
    body["description"] = json!("Ludwig van Beethoven");
    let added = world.post("/api/events").by(&seller).json(body).await.is(201);
    assert_eq!(added.string("/title"), "Symphony No. 9");
    assert_eq!(added.string("/startsAt"), "2031-05-02T00:30:00Z");
    assert_eq!(added.string("/timeZone"), "America/Chicago");
    assert_eq!(added.string("/image"), "https://pictures.test/9.jpg");
    assert_eq!(added.string("/userId"), seller.user.id.to_string());
    let found = world
        .get(&format!("/api/events/{}", added.string("/id")))
        .await
        .is(200);
    assert_eq!(found.json, added.json);
}

async fn an_event_is_told_every_rule_that_it_breaks(world: World) {
    let seller = world.person().await;
    let add = |body: Value| world.post("/api/events").by(&seller).json(body);
    let answer = add(json!({})).await;
    for field in ["title", "venue", "city", "startsAt", "timeZone"] {
        answer.clone().refuses_field(field);
    }
    for (field, value) in [
        ("startsAt", json!("tomorrow")),
        ("startsAt", json!(5)),
        ("timeZone", json!("Middle-earth/Shire")),
        ("title", json!(7)),
    ] {
        let mut body = symphony("A");
        body[field] = value;
        add(body).await.refuses_field(field);
    }
}

async fn events_are_listed_and_found_by_keyword(world: World) {
    let seller = world.person().await;
    let word = unique("Wombat").replace('-', "");
    let event = seller.adds_an_event(&format!("The {word} waltz")).await;
    let id = event.id.to_string();
    let listed = world.get("/api/events?limit=200").await.is(200);
    assert!(listed.ids().contains(&id));
    for keyword in [word.to_lowercase(), word.to_uppercase()] {
        let found = world
            .get(&format!("/api/events/search?keyword={keyword}"))
            .await
            .is(200);
        assert_eq!(found.ids(), std::slice::from_ref(&id));
    }
    let nothing = unique("nothing");
    let none = world
        .get(&format!("/api/events/search?keyword={nothing}"))
        .await
        .is(200);
    assert_eq!(none.json, json!([]));
    for query in ["", "?keyword="] {
        world
            .get(&format!("/api/events/search{query}"))
            .await
            .refuses(400, "Keyword is required");
    }
}

async fn an_unknown_event_is_not_found(world: World) {
    let ask = world.get("/api/events/64b0c0ffee0000000000beef");
    ask.await.refuses(404, "Event not found");
}

async fn without_a_provider_nothing_is_imported_and_the_rest_works(world: World) {
    let seller = world.person().await;
    let import = |body: Value| world.post("/api/events/create").json(body);
    import(json!({})).await.refuses_field("tmEventId");
    import(json!({"tmEventId": "G5vYZ9v1"}))
        .await
        .refuses(401, "Not authorized");
    import(json!({"tmEventId": "G5vYZ9v1"}))
        .by(&seller)
        .await
        .refuses(503, "Event provider unavailable");
    world
        .get("/api/events/details/G5vYZ9v1")
        .await
        .refuses(503, "Event provider unavailable");
    seller.adds_an_event("Still works").await;
}
