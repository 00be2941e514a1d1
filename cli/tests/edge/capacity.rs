//! A service that says what it lets in is not asked for more.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Method};
use axum::routing::{any, get};
use bigtix::edge::{Instances, Limits, Upstream};
use bigtix_service::admission::{LETS_IN, TURNED_AWAY};
use bigtix_testkit::is_past_capacity;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::http::request;
use crate::shop::{any_port, authority, open_edge};

/// What an instance was asked, and what its edge told it.
#[derive(Default)]
struct Heard {
    posts: AtomicU64,
    turned_away: Mutex<Vec<String>>,
}

/// An instance that answers everything, and says each time that it lets in `lets_in`.
async fn instance(lets_in: &'static str, heard: Arc<Heard>, stop: CancellationToken) -> SocketAddr {
    let answer = any(async move |method: Method, headers: HeaderMap| {
        let is_post = u64::from(method == Method::POST);
        heard.posts.fetch_add(is_post, Ordering::SeqCst);
        let told = headers
            .get(TURNED_AWAY)
            .map(|value| value.to_str().unwrap().to_owned());
        heard.turned_away.lock().unwrap().extend(told);
        ([(LETS_IN, lets_in)], "{}")
    });
    let routes = Router::new()
        .route("/api/tickets", answer)
        .route("/readyz", get(async || "{}"));
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stopped = stop.cancelled_owned();
    tokio::spawn(async move {
        axum::serve(listener, routes)
            .with_graceful_shutdown(stopped)
            .await
    });
    address
}

#[tokio::test]
async fn the_edge_turns_away_what_a_service_would_refuse_and_tells_it() {
    let (heard, stop) = (Arc::new(Heard::default()), CancellationToken::new());
    let _stopped = stop.clone().drop_guard();
    let address = instance("64 5.0", Arc::clone(&heard), stop).await;
    let instances = Instances::new([authority(address)]);
    let (_edge, edge) = open_edge(Upstream::Instances(instances), Limits::default(), vec![]).await;
    // What a client says of this is not believed.
    let lie = [("bigtix-turned-away", "full")];

    let first = request(edge, "POST", "/api/tickets", &lie, "{}").await;
    assert_eq!((first.status, first.header(LETS_IN.as_str())), (200, ""));
    let mut refused = 0;
    while heard.posts.load(Ordering::SeqCst) < 2 {
        let answer = request(edge, "POST", "/api/tickets", &lie, "{}").await;
        if answer.status != 200 {
            assert!(
                is_past_capacity(answer.status, &answer.json()),
                "{} {}",
                answer.status,
                answer.body
            );
            assert_eq!(answer.header("retry-after"), "1");
            refused += 1;
        }
        assert_eq!(request(edge, "GET", "/api/tickets", &[], "").await.status, 200);
    }
    assert!(refused > 0);
    let told = heard.turned_away.lock().unwrap();
    assert_eq!(told[0], "none");
    assert!(told.iter().any(|why| why == "fast"), "{told:?}");
    assert!(told.iter().all(|why| !why.contains("full")), "{told:?}");
}

#[tokio::test]
async fn another_instance_takes_what_one_would_refuse() {
    let (full, free) = (Arc::new(Heard::default()), Arc::new(Heard::default()));
    let stop = CancellationToken::new();
    let _stopped = stop.clone().drop_guard();
    let instances = [
        instance("64 5.0", Arc::clone(&full), stop.clone()).await,
        instance("1024", Arc::clone(&free), stop).await,
    ];
    let instances = Instances::new(instances.map(authority));
    let (_edge, edge) = open_edge(Upstream::Instances(instances), Limits::default(), vec![]).await;
    for _ in 0..20 {
        assert_eq!(request(edge, "POST", "/api/tickets", &[], "{}").await.status, 200);
    }
    let (full, free) = (
        full.posts.load(Ordering::SeqCst),
        free.posts.load(Ordering::SeqCst),
    );
    assert!(full < free, "{full} and {free}");
}
