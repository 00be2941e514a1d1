//! Who is asking.

use bigtix_client::Token;
use bigtix_contracts::ErrorCode;
use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use serde_json::{Value, json};

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_session_is_shown_by_cookie_by_the_old_cookie_or_as_a_bearer_token,
    a_bad_token_is_anonymous,
    every_service_wants_to_know_who_asks,
    a_cookie_from_another_origin_is_refused,
];

async fn a_session_is_shown_by_cookie_by_the_old_cookie_or_as_a_bearer_token(world: World) {
    let person = world.person().await;
    let cookie = person.token.cookie();
    let ask = || world.get("/api/users/currentuser");
    for shown in [
        ask().by(&person),
        ask().by_cookie(&person),
        ask().header("cookie", &format!("theme=dark; express:sess={cookie}")),
        ask().header("cookie", &format!("session={}", cookie.replace('=', "%3D"))),
    ] {
        let answer = shown.await.is(200);
        answer.has_exactly(&["currentUser"]);
        let user = &answer.json["currentUser"];
        assert_eq!(user["id"], json!(person.user.id));
        assert_eq!(user["email"], json!(person.user.email));
        assert!(user["iat"].is_i64(), "{user}");
        assert_eq!(user.as_object().map(|fields| fields.len()), Some(3), "{user}");
    }
}

async fn a_bad_token_is_anonymous(world: World) {
    let person = world.person().await;
    let real = person.token.expose();
    let (signed, _) = real.rsplit_once('.').expect("a signature");
    let forged = Token::new(&format!("{signed}.{}", "A".repeat(43)));
    let unsigned = Token::new(
        "eyJhbGciOiJub25lIn0.eyJpZCI6IjY0YjBjMGZmZWUwMDAwMDAwMDAwYmVlZiIsImVtYWlsIjoiYUBiLmMiLCJpYXQiOjAsImV4cCI6NDEwMjQ0NDgwMH0.",
    );
    for token in [forged, unsigned, Token::new("nonsense")] {
        let answer = world.get("/api/users/currentuser").by(&token).await.is(200);
        assert_eq!(answer.json, json!({"currentUser": Value::Null}));
        world
            .get("/api/orders")
            .by_cookie(&token)
            .await
            .refuses(401, "Not authorized");
    }
    let answer = world.get("/api/users/currentuser").await.is(200);
    assert_eq!(answer.json, json!({"currentUser": Value::Null}));
    let garbage = world
        .get("/api/users/currentuser")
        .header("cookie", "session=%%%");
    assert_eq!(garbage.await.is(200).json, json!({"currentUser": Value::Null}));
}

async fn every_service_wants_to_know_who_asks(world: World) {
    let id = "64b0c0ffee0000000000beef";
    let asks = [
        world.post("/api/tickets"),
        world.put(&format!("/api/tickets/{id}")),
        world.patch(&format!("/api/tickets/{id}")),
        world.delete(&format!("/api/tickets/{id}")),
        world.get("/api/tickets/currentuser"),
        world.post("/api/events"),
        world.post("/api/orders"),
        world.get("/api/orders"),
        world.get(&format!("/api/orders/{id}")),
        world.delete(&format!("/api/orders/{id}")),
        world.get(&format!("/api/orders/get-order-safe-details/{id}")),
        world.post("/api/payments"),
        world.get(&format!("/api/payments/{id}")),
        world.post(&format!("/api/payments/{id}/continue")),
        world.post(&format!("/api/payments/{id}/refund")),
    ];
    for ask in asks {
        let refusal = ask.await.refuses(401, "Not authorized");
        refusal.with_code(ErrorCode::NotAuthorized);
    }
    // The sign-in is checked before the body.
    for path in ["/api/tickets", "/api/orders", "/api/payments", "/api/events"] {
        world
            .post(path)
            .body("application/json", "{")
            .await
            .refuses(401, "Not authorized");
    }
}

async fn a_cookie_from_another_origin_is_refused(world: World) {
    let person = world.person().await;
    let list = || {
        world
            .post("/api/tickets")
            .json(json!({"title": "Row A", "price": 20}))
    };
    for origin in ["https://evil.example", "null"] {
        let answer = list().by_cookie(&person).header("origin", origin).await.is(403);
        assert_eq!(answer.problem().code, ErrorCode::ForeignOrigin);
    }
    let own = world.shop().run().url.clone();
    list()
        .by_cookie(&person)
        .header("origin", own.trim_end_matches('/'))
        .await
        .is(201);
    list()
        .by(&person)
        .header("origin", "https://evil.example")
        .await
        .is(201);
    let reading = world
        .get("/api/orders")
        .by_cookie(&person)
        .header("origin", "https://evil.example");
    reading.await.is(200);
}
