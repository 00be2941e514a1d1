//! What an operator of a shop relies on: who is not able to work says so, and traces go where they are sent.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use bigtix_testkit::eventually;
use serde_json::json;

use crate::machine::{self, Machine, hold, release};

#[tokio::test]
async fn a_service_whose_store_does_not_answer_is_not_ready() {
    let machine = Machine::new();
    let up = machine.bigtix(&["up", "--detach", "--separate", "--port", "0"]);
    assert_eq!(up.code, 0, "{up:?}");
    let run = machine.run_file().unwrap();
    let mongod = run["mongodb"]["pid"].as_u64().unwrap();
    let services = run["services"].as_object().unwrap();
    let url = |service: &str| format!("{}/readyz", services[service]["url"].as_str().unwrap());

    // The pages have no store: they say what is away.
    let with_stores = || services.keys().filter(|service| *service != "web");
    hold(mongod);
    for service in with_stores() {
        eventually(
            &format!("{service} says that it is not ready, and why"),
            async || {
                let (status, body) = machine::get(&url(service)).await;
                (status == 503 && body == json!({"ready": false, "reason": ["mongodb"]})).then_some(())
            },
        )
        .await;
        let live = machine::get(&url(service).replace("readyz", "livez")).await;
        assert_eq!(live.0, 200, "{service}: a restart would not help");
    }
    assert_eq!(machine::get(&url("web")).await.0, 200);
    release(mongod);
    for service in with_stores() {
        eventually(&format!("{service} is ready again"), async || {
            (machine::get(&url(service)).await.0 == 200).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn traces_go_to_the_collector_that_the_resource_names() {
    let bodies: Arc<Mutex<Vec<u8>>> = Arc::default();
    let received = bodies.clone();
    let collector = Router::new().route(
        "/v1/traces",
        post(async move |body: Bytes| received.lock().unwrap().extend_from_slice(&body)),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, collector).await });

    let machine = Machine::new();
    let endpoint = format!("spec.observability.otlpEndpoint=http://{address}");
    let up = machine.bigtix(&["up", "--detach", "--separate", "--port", "0", "--set", &endpoint]);
    assert_eq!(up.code, 0, "{up:?}");
    let run = machine.run_file().unwrap();
    let signup = format!("{}/api/users/signup", run["url"].as_str().unwrap());
    let answer = machine::post(
        &signup,
        &json!({"email": "otlp@example.com", "password": "Abcdef12"}),
    )
    .await;
    assert_eq!(answer.0, 201);
    eventually(
        "a span of the sign-up, from the service that made it",
        async || {
            let bodies = bodies.lock().unwrap();
            let contains = |text: &str| bodies.windows(text.len()).any(|part| part == text.as_bytes());
            (contains("bigtix-auth") && contains("/api/users/signup")).then_some(())
        },
    )
    .await;
    assert_eq!(machine.bigtix(&["down"]).code, 0);
    serving.abort();
}
