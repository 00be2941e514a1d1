//! The rules that every call keeps. That every refusal has the one shape, and every answer a request id, is demanded of
//! each answer in this suite.

use bigtix_contracts::ErrorCode;
use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use reqwest::Method;
use serde_json::json;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    an_unknown_path_is_not_found,
    a_known_path_with_another_method_is_told_so,
    a_body_that_is_too_large_is_refused,
    a_body_that_is_not_json_is_refused,
    malformed_json_is_told_so,
    an_id_is_24_hexadecimal_digits_of_either_case,
    a_request_id_is_kept_or_replaced,
    a_price_is_a_decimal_number_on_the_wire,
];

async fn an_unknown_path_is_not_found(world: World) {
    for path in [
        "/api/nothing",
        "/api/users/nothing",
        "/api/tickets/a/b/c",
        "/api/events/a/b/c",
        "/api/orders/a/b/c",
        "/api/payments/a/b/c",
        "/api/webhooks/nothing",
        "/api",
    ] {
        let refusal = world.get(path).await.refuses(404, "Not found");
        refusal.with_code(ErrorCode::NotFound);
    }
}

async fn a_known_path_with_another_method_is_told_so(world: World) {
    let id = "64b0c0ffee0000000000beef".to_owned();
    let person = world.person().await;
    for (method, path) in [
        (Method::PUT, "/api/users/signup".to_owned()),
        (Method::DELETE, "/api/users/currentuser".to_owned()),
        (Method::DELETE, "/api/tickets".to_owned()),
        (Method::POST, format!("/api/tickets/{id}")),
        (Method::DELETE, format!("/api/events/{id}")),
        (Method::PUT, "/api/orders".to_owned()),
        (Method::PATCH, format!("/api/orders/{id}")),
        (Method::PUT, "/api/payments".to_owned()),
        (Method::GET, "/api/webhooks/stripe".to_owned()),
    ] {
        let answer = world.ask(method, &path).by(&person).await.is(405);
        assert_eq!(answer.problem().code, ErrorCode::MethodNotAllowed, "{answer}");
    }
}

/// One path of every service that takes a body.
const POSTS: [&str; 5] = [
    "/api/users/signup",
    "/api/tickets",
    "/api/events",
    "/api/orders",
    "/api/payments",
];

async fn a_body_that_is_too_large_is_refused(world: World) {
    let person = world.person().await;
    let body = json!({"title": "x".repeat(1024 * 1024)});
    for path in POSTS {
        let answer = world.post(path).by(&person).json(body.clone()).await.is(413);
        assert_eq!(answer.problem().code, ErrorCode::PayloadTooLarge, "{answer}");
    }
}

async fn a_body_that_is_not_json_is_refused(world: World) {
    let person = world.person().await;
    for path in POSTS {
        for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
            let answer = world
                .post(path)
                .by(&person)
                .body(content_type, "title=Row+A&price=5")
                .await
                .is(415);
            assert_eq!(answer.problem().code, ErrorCode::UnsupportedMediaType, "{answer}");
        }
    }
}

async fn malformed_json_is_told_so(world: World) {
    let person = world.person().await;
    for path in POSTS {
        for body in ["{", "{\"title\": }", "nothing", "{} {}"] {
            let refusal = world
                .post(path)
                .by(&person)
                .body("application/json", body)
                .await
                .refuses(400, "Malformed JSON");
            refusal.with_code(ErrorCode::MalformedJson);
        }
        let answer = world
            .post(path)
            .by(&person)
            .body("application/json; charset=utf-8", "[1]")
            .await
            .is(400);
        assert_eq!(answer.problem().code, ErrorCode::ValidationFailed, "{answer}");
    }
}

async fn an_id_is_24_hexadecimal_digits_of_either_case(world: World) {
    let (seller, buyer) = world.two_people().await;
    for id in [
        "x",
        "64b0c0ffee0000000000bee",
        "64b0c0ffee0000000000beefa",
        "64b0c0ffee0000000000bee-",
    ] {
        for path in ["tickets", "events", "orders", "payments"] {
            let ask = world.get(&format!("/api/{path}/{id}")).by(&buyer);
            ask.await.refuses(400, "ID is invalid");
        }
        let ask = world.delete(&format!("/api/tickets/{id}")).by(&seller);
        ask.await.refuses(400, "ID is invalid").about("id");
        let ask = world.post("/api/orders").by(&buyer).json(json!({"ticketId": id}));
        ask.await.refuses_field("ticketId");
    }
    let ticket = seller.lists(bigtix_contracts::Cents(2000)).await;
    let upper = ticket.id.to_string().to_uppercase();
    let found = world.get(&format!("/api/tickets/{upper}")).await.is(200);
    assert_eq!(found.string("/id"), ticket.id.to_string());
    let both = json!({"tickets": [{"id": upper}, {"id": ticket.id}]});
    let ask = world.post("/api/orders").by(&buyer).json(both);
    ask.await.refuses(400, "Tickets must be different");
    let order = world
        .post("/api/orders")
        .by(&buyer)
        .json(json!({"ticketId": upper}))
        .await
        .is(201);
    assert_eq!(order.string("/ticket/id"), ticket.id.to_string());
    let again = world
        .post("/api/orders")
        .by(&buyer)
        .json(json!({"ticketId": ticket.id}));
    again.await.refuses(400, "Ticket is already reserved");
    let found = world
        .get(&format!("/api/orders/{}", order.string("/id").to_uppercase()))
        .by(&buyer);
    assert_eq!(found.await.is(200).string("/id"), order.string("/id"));
}

async fn a_request_id_is_kept_or_replaced(world: World) {
    for path in [
        "/api/tickets",
        "/api/orders",
        "/api/nothing",
        "/api/users/currentuser",
    ] {
        let kept = world.get(path).header("x-request-id", "page-42").await;
        assert_eq!(kept.header("x-request-id"), Some("page-42"), "{kept}");
        let strange = "a b";
        let replaced = world.get(path).header("x-request-id", strange).await;
        assert_ne!(replaced.header("x-request-id"), Some(strange), "{replaced}");
    }
}

async fn a_price_is_a_decimal_number_on_the_wire(world: World) {
    let seller = world.person().await;
    for (sent, told) in [
        (json!(19.99), "19.99"),
        (json!("19.99"), "19.99"),
        (json!(20), "20"),
        (json!("20.00"), "20"),
        (json!(0.5), "0.50"),
        (json!(99_999.99), "99999.99"),
        (json!(1.1), "1.10"),
    ] {
        let body = json!({"title": "Row A", "price": sent});
        let listed = world.post("/api/tickets").by(&seller).json(body).await.is(201);
        let price = told.parse::<f64>().expect("a number");
        assert!(listed.json["price"].is_number(), "{listed}");
        assert_eq!(listed.json["price"].as_f64(), Some(price), "{listed}");
    }
}
