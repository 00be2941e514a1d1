//! Instances that stop, break and come back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use bigtix::edge::{Instances, Limits, Upstream};
use bigtix_service::{Listen, Running, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::http::{request, try_request};
use crate::shop::{any_port, authority, open_edge, start};
use crate::{is_problem, testkit_eventually};

async fn instance(address: SocketAddr) -> Running {
    start(address, Arc::new(Notify::new()), Arc::new(AtomicBool::new(true))).await
}

/// What a process does that is asked to stop: it says "not ready" until nobody asks any more, and then ends.
async fn restart_gracefully((running, count): (Running, Arc<AtomicU64>)) -> (Running, Arc<AtomicU64>) {
    let address = running.public_addr;
    running.drain();
    let (mut last, mut quiet) = (u64::MAX, 0);
    testkit_eventually("nobody asks", async || {
        let now = count.load(Ordering::SeqCst);
        quiet = if now == last { quiet + 1 } else { 0 };
        last = now;
        (quiet > 15).then_some(())
    })
    .await;
    running.stop().await;
    counting(address).await
}

async fn counting(address: SocketAddr) -> (Running, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&count);
    let seen = axum::routing::post(async move || {
        counter.fetch_add(1, Ordering::SeqCst);
        "{}"
    });
    let service =
        Service::new("tickets", r#"{"version": "1.0.0"}"#).public(Router::new().route("/api/tickets", seen));
    (
        service
            .start(Listen {
                public: address,
                internal: None,
            })
            .await
            .unwrap(),
        count,
    )
}

/// An upstream that takes one request, counts it, and says `answer` instead of an answer.
async fn broken(answer: &'static str) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&taken);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).await.unwrap_or(0);
            if !bytes[..read].starts_with(b"GET /readyz") && read > 0 {
                count.fetch_add(1, Ordering::SeqCst);
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, taken)
}

async fn edge_before(addresses: &[SocketAddr]) -> SocketAddr {
    let instances = Instances::new(addresses.iter().map(|address| authority(*address)));
    let (edge, address) = open_edge(Upstream::Instances(instances), Limits::default(), vec![]).await;
    std::mem::forget(edge);
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_restart_under_load_loses_no_request() {
    let (mut first, mut second) = (counting(any_port()).await, counting(any_port()).await);
    let edge = edge_before(&[first.0.public_addr, second.0.public_addr]).await;
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let done = Arc::clone(&done);
            tokio::spawn(async move {
                let mut answered = 0_u64;
                while !done.load(Ordering::SeqCst) {
                    let answer = try_request(edge, "POST", "/api/tickets", &[], "{}").await;
                    let answer = answer.expect("every request is answered");
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    for _ in 0..2 {
        first = restart_gracefully(first).await;
        second = restart_gracefully(second).await;
    }
    done.store(true, Ordering::SeqCst);
    for client in clients {
        assert!(client.await.unwrap() > 0);
    }
    drop((first, second));
}

#[tokio::test]
async fn a_request_waits_for_the_only_instance_to_come_back() {
    let first = instance(any_port()).await;
    let address = first.public_addr;
    let edge = edge_before(&[address]).await;
    assert_eq!(request(edge, "POST", "/api/tickets", &[], "{}").await.status, 200);
    first.stop().await;
    let waiting = tokio::spawn(async move { request(edge, "POST", "/api/tickets", &[], "{}").await.status });
    testkit_eventually("the edge knows", async || {
        (request(edge, "GET", "/readyz", &[], "").await.status == 503).then_some(())
    })
    .await;
    let _second = instance(address).await;
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test]
async fn a_service_that_stays_away_is_unavailable() {
    let first = instance(any_port()).await;
    let edge = edge_before(&[first.public_addr]).await;
    first.stop().await;
    let refused = request(edge, "POST", "/api/tickets", &[], "{}").await;
    is_problem(&refused, 503, "unavailable");
    assert_eq!(refused.header("retry-after"), "1");
}

#[tokio::test]
async fn a_post_that_may_have_been_seen_is_not_sent_again() {
    let (address, taken) = broken("").await;
    let other = instance(any_port()).await;
    let edge = edge_before(&[address, other.public_addr]).await;
    let mut unknown = 0;
    for _ in 0..6 {
        let before = taken.load(Ordering::SeqCst);
        let answer = request(edge, "POST", "/api/tickets", &[], "{}").await;
        if taken.load(Ordering::SeqCst) > before {
            is_problem(&answer, 503, "outcome_unknown");
            unknown += 1;
        } else {
            assert_eq!(answer.status, 200);
        }
    }
    assert_eq!(u64::from(unknown > 0), taken.load(Ordering::SeqCst).min(1));
    assert_eq!(taken.load(Ordering::SeqCst), unknown);
}

#[tokio::test]
async fn a_get_that_got_no_answer_is_sent_to_another_instance() {
    let (address, _) = broken("").await;
    let other = instance(any_port()).await;
    let edge = edge_before(&[address, other.public_addr]).await;
    for _ in 0..6 {
        assert_eq!(request(edge, "GET", "/api/tickets", &[], "").await.status, 200);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_a_bad_gateway() {
    let (address, taken) = broken("what?\r\n\r\n").await;
    let edge = edge_before(&[address]).await;
    let answer = request(edge, "POST", "/api/tickets", &[], "{}").await;
    is_problem(&answer, 502, "bad_gateway");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(taken.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn instances_take_turns() {
    let (first, second) = (instance(any_port()).await, instance(any_port()).await);
    let edge = edge_before(&[first.public_addr, second.public_addr]).await;
    for _ in 0..4 {
        assert_eq!(
            request(edge, "GET", "/api/tickets/count", &[], "").await.status,
            200
        );
    }
    let counts = async |running: &Running| {
        request(running.public_addr, "GET", "/api/tickets/count", &[], "")
            .await
            .body
    };
    assert_eq!(
        (counts(&first).await, counts(&second).await),
        ("3".into(), "3".into())
    );
    testkit_eventually("both are ready", async || {
        (request(edge, "GET", "/readyz", &[], "").await.status == 200).then_some(())
    })
    .await;
}
