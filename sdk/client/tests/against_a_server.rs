//! The client against a server on the loopback address that answers from a script.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use bigtix_client::{Client, ClientError, Forwarded, NewOrder, Token};
use bigtix_contracts::{ErrorCode, OrderId, TicketId};
use futures::TryStreamExt;

type Heard = Vec<(String, HeaderMap)>;

/// Answers with what it was given, in that order, and remembers what it was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Response>>>,
    heard: Arc<Mutex<Heard>>,
}

async fn answer(State(script): State<Script>, request: Request) -> Response {
    let asked = format!("{} {}", request.method(), request.uri());
    script
        .heard
        .lock()
        .unwrap()
        .push((asked, request.headers().clone()));
    script
        .answers
        .lock()
        .unwrap()
        .pop_front()
        .expect("more was asked than the script answers")
}

async fn serve(answers: Vec<Response>) -> (Client, Script) {
    let script = Script::default();
    script.answers.lock().unwrap().extend(answers);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().fallback(answer).with_state(script.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (Client::new(&format!("http://{address}/")), script)
}

fn busy() -> Response {
    let body = r#"{"message":"Busy","errors":[{"message":"Busy"}],"code":"unavailable"}"#;
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [("x-request-id", "r-1")],
        body.to_owned(),
    )
        .into_response()
}

fn order(digit: char) -> String {
    let id = digit.to_string().repeat(24);
    let ticket =
        format!(r#"{{"id":"{id}","title":"A","price":5,"version":0,"serialNumber":"1","eventId":null}}"#);
    format!(
        r#"{{"id":"{id}","userId":"{id}","status":"created","reason":null,"expiresAt":"2030-01-01T00:00:00Z",
        "createdAt":"2030-01-01T00:00:00Z","total":5,"ticket":{ticket},"tickets":[{ticket}],"version":0}}"#
    )
}

fn ticket() -> NewOrder {
    NewOrder::ticket(TicketId::from_bytes([7; 12]))
}

#[tokio::test]
async fn a_post_with_a_key_is_repeated_and_one_without_is_not() {
    let (client, script) = serve(vec![
        busy(),
        (StatusCode::CREATED, order('a')).into_response(),
        busy(),
    ])
    .await;
    let placed = client.place_order(&ticket()).idempotency_key("k").await.unwrap();
    assert_eq!(placed.id, OrderId::from_bytes([0xaa; 12]));
    let refused = client.place_order(&ticket()).await.unwrap_err();
    assert_eq!(refused.code(), Some(ErrorCode::Unavailable));
    let heard = script.heard.lock().unwrap();
    let keys: Vec<Option<&str>> = heard
        .iter()
        .map(|(_, headers)| headers.get("idempotency-key").map(|key| key.to_str().unwrap()))
        .collect();
    assert_eq!(keys, [Some("k"), Some("k"), None]);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_shops_words() {
    let body = r#"{"message":"Sold out","errors":[{"message":"Sold out"}],"code":"sold_out"}"#;
    let refusal = (StatusCode::BAD_REQUEST, [("x-request-id", "r-9")], body).into_response();
    let (client, _) = serve(vec![refusal]).await;
    let error = client.place_order(&ticket()).await.unwrap_err();
    assert_eq!(error.to_string(), "400: Sold out");
    assert!(matches!(error, ClientError::Problem { status: 400, request_id: Some(id), .. } if id == "r-9"));
}

#[tokio::test]
async fn an_answer_that_is_none_of_the_apis_is_told_so() {
    let page = (StatusCode::BAD_GATEWAY, "<html>").into_response();
    let (client, _) = serve(vec![page, "{}".into_response()]).await;
    for status in [502, 200] {
        let error = client.order(OrderId::from_bytes([1; 12])).await.unwrap_err();
        assert!(
            matches!(error, ClientError::Decode { .. }) && error.status() == Some(status),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let pages = vec![
        (
            [("x-next-cursor", "c 1")],
            format!("[{},{}]", order('a'), order('b')),
        )
            .into_response(),
        format!("[{}]", order('c')).into_response(),
    ];
    let (client, script) = serve(pages).await;
    let orders: Vec<_> = client.orders().limit(2).all().try_collect().await.unwrap();
    assert_eq!(orders.len(), 3);
    let asked: Vec<String> = script
        .heard
        .lock()
        .unwrap()
        .iter()
        .map(|(asked, _)| asked.clone())
        .collect();
    assert_eq!(
        asked,
        ["GET /api/orders?limit=2", "GET /api/orders?limit=2&cursor=c%201"]
    );
}

#[tokio::test]
async fn the_token_comes_from_the_cookie_and_goes_with_every_call() {
    let token = Token::new("header.claims.signature");
    let cookie = format!("session={}; HttpOnly; Path=/; SameSite=Lax", token.cookie());
    let user = format!(r#"{{"id":"{}","email":"a@shop.test"}}"#, "a".repeat(24));
    let answers = vec![
        (StatusCode::CREATED, [("set-cookie", cookie)], user).into_response(),
        (StatusCode::OK, r#"{"currentUser":null}"#).into_response(),
    ];
    let (client, script) = serve(answers).await;
    let session = client.sign_up("a@shop.test", "Secret-123").await.unwrap();
    assert_eq!(session.token, token);
    let signed_in = client.signed_in(session.token).within_request("page-1");
    assert_eq!(signed_in.current_user().await.unwrap(), None);
    let heard = script.heard.lock().unwrap();
    assert_eq!(heard[1].1["authorization"], "Bearer header.claims.signature");
    assert_eq!(heard[1].1["x-request-id"], "page-1");
    assert!(!format!("{signed_in:?}").contains("claims"));
}

#[tokio::test]
async fn a_shop_that_cannot_be_reached_is_a_network_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = Client::new(&format!("http://{address}"))
        .sign_out()
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Network { .. }), "{error}");
}

#[tokio::test]
async fn a_server_in_between_says_for_whom_it_asks() {
    let (client, script) = serve(vec!["[]".into_response(), "[]".into_response()]).await;
    let forwarded = Forwarded {
        addresses: "203.0.113.7, 10.0.0.2".into(),
        protocol: "https".into(),
    };
    client.forwarding(forwarded).tickets().page().await.unwrap();
    client.tickets().page().await.unwrap();
    let heard = script.heard.lock().unwrap();
    assert_eq!(heard[0].1["x-forwarded-for"], "203.0.113.7, 10.0.0.2");
    assert_eq!(heard[0].1["x-forwarded-proto"], "https");
    assert!(!heard[1].1.contains_key("x-forwarded-for"));
}

#[tokio::test]
async fn a_session_has_the_cookie_as_the_shop_set_it() {
    let cookie = format!(
        "session={}; Max-Age=60; Path=/; HttpOnly",
        Token::new("t").cookie()
    );
    let body = r#"{"id":"aaaaaaaaaaaaaaaaaaaaaaaa","email":"ann@shop.test"}"#;
    let cookies = AppendHeaders([("set-cookie", "other=1"), ("set-cookie", &cookie)]);
    let answer = (cookies, body).into_response();
    let (client, _) = serve(vec![answer]).await;
    let session = client.sign_in("ann@shop.test", "p").await.unwrap();
    assert_eq!(
        (session.cookie.expose(), session.token.expose()),
        (cookie.as_str(), "t")
    );
    assert!(!format!("{session:?}").contains(&Token::new("t").cookie()));
}
