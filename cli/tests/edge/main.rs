//! The edge before real upstreams, in both of its forms: services in this process, and services behind connections.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod capacity;
mod http;
mod restarts;
mod shop;

use std::net::SocketAddr;
use std::time::Duration;

use bigtix::edge::Limits;
use http::{Answer, open, raw, request, try_request};
use shop::{Form, Shop, tight};

/// Runs the same test over both forms of the edge.
macro_rules! in_both_forms {
    ($($name:ident: $body:ident;)+) => {$(
        mod $name {
            #[tokio::test]
            async fn in_process() {
                super::$body(super::Form::InProcess).await;
            }

            #[tokio::test]
            async fn over_http() {
                super::$body(super::Form::Http).await;
            }
        }
    )+};
}

in_both_forms! {
    every_answer_has_a_request_id: request_ids;
    bodies_are_limited: body_limit;
    requests_that_can_be_read_in_two_ways_are_refused: tricks;
    what_a_stranger_says_of_itself_is_not_passed_on: forwarded;
    a_service_that_is_too_slow_is_unavailable: too_slow;
    answers_are_streamed: streaming;
    the_edge_answers_for_itself: own_paths;
    a_slow_body_occupies_no_service: slow_body;
    paths_that_no_service_has_are_unknown: unknown_paths;
    large_bodies_have_room_for_a_few: large_bodies;
}

async fn request_ids(form: Form) {
    let shop = Shop::open(form, Limits::default()).await;
    let given = request(
        shop.address,
        "GET",
        "/api/tickets",
        &[("x-request-id", "abc-123")],
        "",
    )
    .await;
    assert_eq!(given.header("x-request-id"), "abc-123");
    // The service has seen the same one.
    assert_eq!(given.json()["x-request-id"], "abc-123");
    for path in ["/api/tickets", "/nowhere", "/livez", "/a//b"] {
        let made = request(shop.address, "GET", path, &[("x-request-id", "not one")], "").await;
        assert!(!made.header("x-request-id").is_empty(), "{path}");
        assert_ne!(made.header("x-request-id"), "not one");
    }
    let refused = raw(shop.address, "nonsense\r\n\r\n").await;
    assert!(!refused.header("x-request-id").is_empty());
}

async fn body_limit(form: Form) {
    let shop = Shop::open(form, Limits::default()).await;
    let most = "a".repeat(1024 * 1024);
    let length = request(shop.address, "POST", "/api/tickets/length", &[], &most).await;
    assert_eq!((length.status, length.body.as_str()), (200, "1048576"));
    let refused = request(
        shop.address,
        "POST",
        "/api/tickets/length",
        &[],
        &format!("{most}a"),
    )
    .await;
    is_problem(&refused, 413, "payload_too_large");

    let chunk = "a".repeat(0x8000);
    let chunked = format!("8000\r\n{chunk}\r\n").repeat(33);
    let head = "POST /api/tickets/length HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    is_problem(
        &raw(shop.address, &format!("{head}{chunked}0\r\n\r\n")).await,
        413,
        "payload_too_large",
    );

    let asked = "POST /api/tickets/length HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2000000\r\n\r\n";
    is_problem(&raw(shop.address, asked).await, 413, "payload_too_large");
}

async fn tricks(form: Form) {
    let shop = Shop::open(form, Limits::default()).await;
    for path in [
        "/api/tickets/../orders",
        "/api//tickets",
        "/api/tickets/%2e%2e/orders",
        "/api/tickets/a%2Fb",
        "/api/tickets/a%5cb",
        "/api/tickets/%00",
        "/api/tickets/%ff",
        "/api/tickets/%",
        "/api/tickets/./a",
    ] {
        let refused = raw(shop.address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        is_problem(&refused, 400, "validation_failed");
    }
    let long = "a".repeat(9000);
    for head in [
        "GET /api/tickets HTTP/1.1\r\nhost: x\r\nhost: y\r\n".to_owned(),
        "GET /api/tickets HTTP/1.1\r\n".to_owned(),
        "POST /api/tickets HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n"
            .to_owned(),
        "POST /api/tickets HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n"
            .to_owned(),
        format!("GET /api/tickets/{long} HTTP/1.1\r\nhost: x\r\n"),
        format!("GET /api/tickets?q={long} HTTP/1.1\r\nhost: x\r\n"),
        "GET /api/tickets HTTP/1.1\r\nhost: x\r\nbad header\r\n".to_owned(),
    ] {
        is_problem(
            &raw(shop.address, &format!("{head}\r\n")).await,
            400,
            "validation_failed",
        );
    }
    // What was refused reached nobody, and what comes after a refused head is not looked at.
    let hidden = "GET /api/tickets/count HTTP/1.1\r\nhost: x\r\n\r\n";
    let smuggled = "POST /api/tickets HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = raw(shop.address, &format!("{smuggled}{hidden}")).await;
    is_problem(&answer, 400, "validation_failed");
    assert_eq!(
        request(shop.address, "GET", "/api/tickets/count", &[], "")
            .await
            .body,
        "1"
    );
}

async fn forwarded(form: Form) {
    let lies = [
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=1.2.3.4"),
        ("connection", "keep-alive, x-secret"),
        ("x-secret", "1"),
        ("host", "shop.example"),
    ];
    let shop = Shop::open(form, Limits::default()).await;
    let seen = request(shop.address, "GET", "/api/tickets", &lies, "")
        .await
        .json();
    assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
    assert_eq!(seen["x-forwarded-host"], "shop.example");
    assert_eq!(seen["x-forwarded-proto"], "http");
    assert!(
        seen["forwarded"].is_null() && seen["x-secret"].is_null() && seen["connection"].is_null(),
        "{seen}"
    );

    let behind = Shop::open_behind(form, &["127.0.0.0/8"]).await;
    let seen = request(behind.address, "GET", "/api/tickets", &lies, "")
        .await
        .json();
    assert_eq!(seen["x-forwarded-for"], "1.2.3.4, 127.0.0.1");
    assert_eq!(seen["x-forwarded-host"], "evil.example");
    assert_eq!(seen["x-forwarded-proto"], "https");
}

async fn too_slow(form: Form) {
    let shop = Shop::open(form, tight()).await;
    let read = request(shop.address, "GET", "/api/tickets/never", &[], "").await;
    is_problem(&read, 503, "unavailable");
    assert_eq!(read.header("retry-after"), "1");
    let write = request(shop.address, "POST", "/api/tickets/never", &[], "{}").await;
    is_problem(&write, 503, "outcome_unknown");
    assert_eq!(write.header("retry-after"), "1");
}

async fn streaming(form: Form) {
    let shop = Shop::open(form, Limits::default()).await;
    let mut stream = http::open(
        shop.address,
        "GET /api/tickets/stream HTTP/1.1\r\nhost: x\r\n\r\n",
    )
    .await;
    // The second half is sent only after the first one has arrived here.
    http::read_until(&mut stream, "first half").await;
    shop.go_on();
    http::read_until(&mut stream, "second half").await;
}

async fn own_paths(form: Form) {
    let shop = Shop::open(form, Limits::default()).await;
    let get = async |path| request(shop.address, "GET", path, &[], "").await;
    assert_eq!(get("/livez").await.status, 200);
    assert_eq!(get("/readyz").await.status, 200);
    assert_eq!(get("/version").await.json()["service"], "edge");
    assert!(get("/metrics").await.body.contains("edge_requests_total"));
    assert!(
        get("/api/docs")
            .await
            .header("content-type")
            .starts_with("text/html")
    );
    assert_eq!(get("/api/docs/tickets.json").await.json()["openapi"], "3.1.0");
    is_problem(&get("/api/docs/web.json").await, 404, "not_found");
    is_problem(
        &request(shop.address, "POST", "/livez", &[], "").await,
        405,
        "method_not_allowed",
    );
    shop.be_unready();
    testkit_eventually("not ready", async || {
        (get("/readyz").await.status == 503).then_some(())
    })
    .await;
    is_problem(&get("/readyz").await, 503, "unavailable");
}

async fn slow_body(form: Form) {
    let shop = Shop::open(form, tight()).await;
    let half = "POST /api/tickets/length HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    is_problem(&raw(shop.address, half).await, 400, "validation_failed");
    assert_eq!(
        request(shop.address, "GET", "/api/tickets/count", &[], "")
            .await
            .body,
        "1"
    );
}

async fn large_bodies(form: Form) {
    let limits = Limits {
        bodies_bytes: 1024 * 1024,
        ..Limits::default()
    };
    let shop = Shop::open(form, limits).await;
    // Says that it will send as much as there is room for, and sends nothing.
    let head = "POST /api/tickets/length HTTP/1.1\r\nhost: x\r\ncontent-length: 1048576\r\n\r\n";
    let holding = open(shop.address, head).await;
    let large = "a".repeat(100_000);
    let refused = testkit_eventually("refused", async || {
        let answer = request(shop.address, "POST", "/api/tickets/length", &[], &large).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    is_problem(&refused, 503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    let small = request(shop.address, "POST", "/api/tickets/length", &[], "small").await;
    assert_eq!((small.status, small.body.as_str()), (200, "5"));
    drop(holding);
    testkit_eventually("let in", async || {
        let answer = request(shop.address, "POST", "/api/tickets/length", &[], &large).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_comes_when_all_connections_are_taken_hears_so() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let shop = Shop::open(Form::InProcess, limits).await;
    let idle = [open(shop.address, "").await, open(shop.address, "").await];
    let refused = testkit_eventually("refused", async || {
        let answer = request(shop.address, "GET", "/api/tickets/count", &[], "").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    is_problem(&refused, 503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
    drop(idle);
    testkit_eventually("let in", async || {
        let answer = try_request(shop.address, "GET", "/api/tickets/count", &[], "").await?;
        (answer.status == 200).then_some(())
    })
    .await;
}

async fn unknown_paths(form: Form) {
    let shop = Shop::open(form, Limits::default()).await;
    for path in [
        "/",
        "/orders/1",
        "/internal/claims",
        "/internal",
        "/api",
        "/api/ticketsx",
        "/%61pi/tickets",
    ] {
        is_problem(
            &request(shop.address, "GET", path, &[], "").await,
            404,
            "not_found",
        );
    }
    // Of a service that is not there, as of one that is.
    is_problem(
        &request(shop.address, "GET", "/api/orders", &[], "").await,
        404,
        "not_found",
    );
    is_problem(
        &request(shop.address, "GET", "/api/tickets/a/b/c/d", &[], "").await,
        404,
        "not_found",
    );
    assert_eq!(
        request(shop.address, "HEAD", "/api/tickets", &[], "")
            .await
            .status,
        200
    );
}

fn is_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let problem = answer.json();
    assert_eq!(problem["code"], code, "{problem}");
    assert!(
        problem["message"].is_string() && problem["errors"][0]["message"].is_string(),
        "{problem}"
    );
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(!answer.header("x-request-id").is_empty());
}

async fn testkit_eventually<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    bigtix_testkit::eventually(what, look).await
}

#[tokio::test]
async fn a_stop_lets_requests_under_way_end_and_takes_no_more() {
    let shop = Shop::open(Form::InProcess, Limits::default()).await;
    let address: SocketAddr = shop.address;
    let mut stream = http::open(address, "GET /api/tickets/stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
    http::read_until(&mut stream, "first half").await;
    let go_on = shop.signal();
    let stopping = tokio::spawn(shop.edge.stop(Duration::from_secs(10)));
    testkit_eventually("no more connections", async || {
        tokio::net::TcpStream::connect(address)
            .await
            .is_err()
            .then_some(())
    })
    .await;
    go_on.notify_one();
    http::read_until(&mut stream, "second half").await;
    assert!(stopping.await.unwrap());
}

#[tokio::test]
async fn a_stop_waits_for_no_stream_of_events() {
    let shop = Shop::open(Form::InProcess, Limits::default()).await;
    let mut stream = http::open(
        shop.address,
        "GET /api/tickets/events HTTP/1.1\r\nhost: x\r\n\r\n",
    )
    .await;
    http::read_until(&mut stream, "data: 1").await;
    assert!(shop.edge.stop(Duration::from_secs(5)).await);
}
