//! Tricks with addresses, headers and the lengths of bodies at the one door.

use std::time::Duration;

use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    calls_between_services_have_no_address_here,
    addresses_that_can_be_read_in_two_ways_are_refused,
    requests_that_can_be_cut_in_two_ways_are_refused,
    a_second_request_is_never_smuggled_in,
    headers_that_are_too_many_or_too_long_are_refused,
];

/// Everything that the edge says to these bytes until it hangs up, or falls silent.
async fn told(world: &World, bytes: &str) -> String {
    let url = Url::parse(&world.shop().run().url).expect("an address");
    let port = url.port().expect("a port");
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    // An edge that refuses early may hang up before it has read everything.
    let _ = stream.write_all(bytes.as_bytes()).await;
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(count @ 1..)) =
        tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await
    {
        heard.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&heard).into_owned()
}

fn statuses(heard: &str) -> Vec<u16> {
    let mut found = Vec::new();
    for part in heard.split("HTTP/1.1 ").skip(1) {
        found.extend(part.get(..3).and_then(|status| status.parse::<u16>().ok()));
    }
    found
}

async fn get(world: &World, target: &str) -> String {
    told(
        world,
        &format!("GET {target} HTTP/1.1\r\nhost: shop.test\r\nconnection: close\r\n\r\n"),
    )
    .await
}

async fn calls_between_services_have_no_address_here(world: World) {
    for target in [
        "/internal",
        "/internal/orders/confirm",
        "/internal%2Forders%2Fconfirm",
        "/%69nternal/orders/confirm",
        "/api/../internal/orders/confirm",
        "/api/%2e%2e/internal/orders/confirm",
        "/api/tickets/..;/internal/orders/confirm",
        "/api/tickets/%252e%252e/internal",
        "//internal/orders/confirm",
        "http://localhost/internal/orders/confirm",
        "/api/tickets/../../metrics",
    ] {
        for method in ["GET", "POST"] {
            let request = format!(
                "{method} {target} HTTP/1.1\r\nhost: shop.test\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let heard = told(&world, &request).await;
            let statuses = statuses(&heard);
            assert!(
                matches!(statuses[..], [400 | 404 | 405]),
                "{method} {target}: {heard}"
            );
        }
    }
}

async fn addresses_that_can_be_read_in_two_ways_are_refused(world: World) {
    for target in [
        "/api/tickets/%2e%2e/users/currentuser",
        "/api/tickets%2f64b0c0ffee0000000000beef",
        "/api/tickets%5C64b0c0ffee0000000000beef",
        "/api//tickets",
        "/api/./tickets",
        "/api/tickets/%00",
        "/api/tickets/%0d%0aset-cookie:%20session=x",
        "/api/tickets/%",
        "/api/tickets/%c0%af",
        "*",
    ] {
        let heard = get(&world, target).await;
        assert_eq!(statuses(&heard), [400], "{target}: {heard}");
        assert!(heard.contains("\"code\""), "a problem: {heard}");
    }
    // Encoded twice it is a text, and no such ticket.
    let twice = get(&world, "/api/tickets/%252e%252e").await;
    assert!(matches!(statuses(&twice)[..], [400 | 404]), "{twice}");
    // An address with a scheme and a host is read as its path.
    let absolute = get(&world, "http://evil.example/api/tickets").await;
    assert!(matches!(statuses(&absolute)[..], [200 | 400]), "{absolute}");
    assert!(!absolute.contains("evil.example"), "{absolute}");
}

async fn requests_that_can_be_cut_in_two_ways_are_refused(world: World) {
    let body = "{\"email\":\"a@b.test\",\"password\":\"x\"}";
    let length = body.len();
    for headers in [
        format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n"),
        format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\ncontent-length: 3\r\n"),
        format!("content-length: {length}, 3\r\n"),
        format!("content-length: +{length}\r\n"),
        "content-length: -1\r\n".to_owned(),
        "transfer-encoding: xchunked\r\n".to_owned(),
        "transfer-encoding: identity\r\n".to_owned(),
        "transfer-encoding: chunked, identity\r\n".to_owned(),
        "transfer-encoding : chunked\r\n".to_owned(),
        "transfer-encoding:\x0bchunked\r\n".to_owned(),
        format!("content-length: {length}\r\nhost: other.test\r\n"),
        format!("content-length: {length}\r\n x: folded\r\n"),
        format!("content-length: {length}\r\nx\0y: z\r\n"),
    ] {
        let request = format!(
            "POST /api/users/signin HTTP/1.1\r\nhost: shop.test\r\ncontent-type: application/json\r\n{headers}\r\n{body}"
        );
        let heard = told(&world, &request).await;
        assert!(
            matches!(statuses(&heard)[..], [400 | 501]),
            "{headers:?}: {heard}"
        );
    }
}

/// What follows a body that ends earlier for one reader than for another must never be answered.
async fn a_second_request_is_never_smuggled_in(world: World) {
    let hidden = "GET /api/docs/auth.json HTTP/1.1\r\nhost: shop.test\r\n\r\n";
    let post = |headers: &str, body: &str| {
        format!(
            "POST /api/users/signin HTTP/1.1\r\nhost: shop.test\r\ncontent-type: application/json\r\n{headers}\r\n{body}"
        )
    };
    for request in [
        post(
            "content-length: 6\r\ntransfer-encoding: chunked\r\n",
            &format!("0\r\n\r\n{hidden}"),
        ),
        post(
            &format!(
                "content-length: {}\r\ntransfer-encoding: chunked\r\n",
                5 + hidden.len()
            ),
            &format!("0\r\n\r\n{hidden}"),
        ),
        post(
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            &format!("0\r\n\r\n{hidden}"),
        ),
        post("transfer-encoding: chunked\r\n", &format!("zz\r\n\r\n{hidden}")),
        post("transfer-encoding: chunked\r\n", &format!("-0\r\n\r\n{hidden}")),
        post("content-length: 0\r\ncontent-length: 44\r\n", hidden),
    ] {
        let heard = told(&world, &request).await;
        assert!(statuses(&heard).len() <= 1, "two answers to {request:?}: {heard}");
        assert!(!heard.contains("openapi"), "{request:?}: {heard}");
    }
    // Two honest requests in a row are answered both: what is counted above can be two.
    let both =
        post("content-length: 2\r\n", "{}") + &hidden.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    let heard = told(&world, &both).await;
    assert_eq!(statuses(&heard), [400, 200], "{heard}");
}

async fn headers_that_are_too_many_or_too_long_are_refused(world: World) {
    let many = "x: y\r\n".repeat(500);
    let long = format!("x: {}\r\n", "y".repeat(100_000));
    for headers in [many, long] {
        let heard = told(
            &world,
            &format!("GET /api/tickets HTTP/1.1\r\nhost: shop.test\r\n{headers}\r\n"),
        )
        .await;
        assert!(matches!(statuses(&heard)[..], [400 | 431]), "{heard}");
    }
    let target = format!("/api/tickets?q={}", "y".repeat(20_000));
    assert!(matches!(statuses(&get(&world, &target).await)[..], [400 | 414]));
}
