//! Paths of tickets that clients of the systems replaced still use. They validate the body before they ask who it is.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::unique;
use bigtix_tests::{World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    create_lists_one_ticket_with_all_fields,
    create_validates_before_it_asks_who_it_is,
    create_refuses_a_known_serial_number,
    createmulti_lists_all_or_none,
    createmulti_names_the_ticket_that_is_wrong,
    the_id_may_stand_in_the_body_or_behind_update,
];

fn complete() -> Value {
    json!({"title": "Row F seat 12", "price": 10, "description": "Aisle", "serialNumber": unique("N"), "eventId": "G5vYZ9v1"})
}

fn without(mut body: Value, field: &str) -> Value {
    body.as_object_mut().expect("an object").remove(field);
    body
}

async fn create_lists_one_ticket_with_all_fields(world: World) {
    let seller = world.person().await;
    let mut body = complete();
    body["userId"] = json!("64b0c0ffee0000000000beef");
    let listed = world
        .post("/api/tickets/create")
        .by(&seller)
        .json(body.clone())
        .await
        .is(201);
    listed.has_exactly(&crate::ticket_rows::FIELDS);
    assert_eq!(listed.json["userId"], json!(seller.user.id));
    assert_eq!(
        (listed.string("/eventId"), &listed.json["event"]),
        ("G5vYZ9v1".into(), &Value::Null)
    );
    assert_eq!(listed.json["serialNumber"], body["serialNumber"]);
    let of_event = world.get("/api/tickets/event/G5vYZ9v1?limit=200").await.is(200);
    assert!(of_event.ids().contains(&listed.string("/id")));
}

async fn create_validates_before_it_asks_who_it_is(world: World) {
    let create = |body: Value| world.post("/api/tickets/create").json(body);
    for field in ["title", "price", "description", "serialNumber", "eventId"] {
        create(without(complete(), field)).await.refuses_field(field);
    }
    let changed = |field: &str, value: Value| {
        let mut body = complete();
        body[field] = value;
        body
    };
    create(changed("price", json!(9.99)))
        .await
        .refuses(400, "Price must be at least 10")
        .about("price");
    create(changed("title", json!("12345")))
        .await
        .refuses_field("title");
    create(changed("title", json!("x".repeat(126))))
        .await
        .refuses_field("title");
    create(changed("eventId", json!("x".repeat(65))))
        .await
        .refuses_field("eventId");
    create(complete()).await.refuses(401, "Not authorized");
    let multi = |tickets: Value| {
        world
            .post("/api/tickets/createmulti")
            .json(json!({"tickets": tickets}))
    };
    multi(json!([])).await.refuses_field("tickets");
    multi(json!([complete()])).await.refuses(401, "Not authorized");
}

async fn create_refuses_a_known_serial_number(world: World) {
    let seller = world.person().await;
    let body = complete();
    let create = |body: Value| world.post("/api/tickets/create").by(&seller).json(body);
    create(body.clone()).await.is(201);
    create(body).await.refuses(400, "Ticket already exists");
}

async fn createmulti_lists_all_or_none(world: World) {
    let seller = world.person().await;
    let create = |tickets: Value| {
        world
            .post("/api/tickets/createmulti")
            .by(&seller)
            .json(json!({"tickets": tickets}))
    };
    let known = complete();
    let listed = create(json!([known.clone(), complete()])).await.is(201);
    listed.has_exactly(&["success", "tickets"]);
    assert_eq!(listed.json["success"], json!(true));
    assert_eq!(listed.json["tickets"].as_array().map(Vec::len), Some(2));
    assert_eq!(listed.json["tickets"][0]["serialNumber"], known["serialNumber"]);
    let fresh = complete();
    create(json!([fresh.clone(), known]))
        .await
        .refuses(400, "Ticket already exists");
    let twice = json!([fresh.clone(), fresh.clone()]);
    create(twice).await.refuses(400, "Ticket already exists");
    let number = fresh["serialNumber"].as_str().expect("a number");
    world
        .get(&format!("/api/tickets/serial-number/{number}"))
        .await
        .refuses(404, "Ticket not found");
}

async fn createmulti_names_the_ticket_that_is_wrong(world: World) {
    let seller = world.person().await;
    let mut wrong = complete();
    wrong["price"] = json!(5);
    let fresh = complete();
    let body = json!({"tickets": [fresh, without(wrong, "title")]});
    let answer = world
        .post("/api/tickets/createmulti")
        .by(&seller)
        .json(body)
        .await;
    answer
        .clone()
        .refuses(400, "Price must be at least 10")
        .about("tickets[1].price");
    answer.refuses_field("tickets[1].title");
    let number = fresh["serialNumber"].as_str().expect("a number");
    world
        .get(&format!("/api/tickets/serial-number/{number}"))
        .await
        .refuses(404, "Ticket not found");
    let many = json!({"tickets": vec![complete(); 1001]});
    world
        .post("/api/tickets/createmulti")
        .by(&seller)
        .json(many)
        .await
        .refuses_field("tickets");
}

async fn the_id_may_stand_in_the_body_or_behind_update(world: World) {
    let (seller, stranger) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let in_body = |title: &str| {
        let body = json!({"id": ticket.id, "title": title, "price": 21, "description": "New"});
        world.put("/api/tickets").json(body)
    };
    let behind = |title: &str| {
        let body = json!({"title": title, "price": 22, "description": "Newer"});
        world
            .put(&format!("/api/tickets/update/{}", ticket.id))
            .json(body)
    };
    let changed = in_body("Row G seat 1").by(&seller).await.is(200);
    assert_eq!(changed.string("/title"), "Row G seat 1");
    let changed = behind("Row H seat 1").by(&seller).await.is(200);
    assert_eq!(changed.string("/title"), "Row H seat 1");
    for ask in [in_body("Row G seat 1"), behind("Row H seat 1")] {
        ask.clone().await.refuses(401, "Not authorized");
        ask.by(&stranger).await.refuses(401, "Not authorized");
    }
    for ask in [in_body(""), behind("")] {
        ask.await.refuses(400, "Title is required").about("title");
    }
    let unknown = json!({"title": "Row H seat 1", "price": 22, "description": "Newer"});
    world
        .put("/api/tickets/update/64b0c0ffee0000000000beef")
        .by(&seller)
        .json(unknown)
        .await
        .refuses(404, "Ticket not found");
}
