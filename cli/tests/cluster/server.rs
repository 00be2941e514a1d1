//! As much of an API server as there is to one shop without any object.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

const SERVICES: [&str; 6] = ["auth", "tickets", "orders", "payments", "expiration", "web"];
const EMPTY: [&str; 13] = [
    "bigtixbackups",
    "bigtixrestores",
    "events",
    "serviceaccounts",
    "configmaps",
    "services",
    "statefulsets",
    "deployments",
    "poddisruptionbudgets",
    "horizontalpodautoscalers",
    "networkpolicies",
    "ingresses",
    "persistentvolumeclaims",
];

/// It goes with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    has: Arc<Has>,
}

struct Has {
    shop: Value,
    patches: Mutex<Vec<Value>>,
}

impl Server {
    pub(crate) async fn with(shop: Value) -> Self {
        let has = Arc::new(Has {
            shop,
            patches: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&has));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, has }
    }

    /// Everything that was to be merged with the shop.
    pub(crate) fn patches(&self) -> Vec<Value> {
        self.has.patches.lock().unwrap().clone()
    }
}

async fn answer(State(has): State<Arc<Has>>, method: Method, uri: Uri, body: Bytes) -> Response {
    let list = |items: Value| json!({"kind": "List", "apiVersion": "v1", "metadata": {}, "items": items});
    let pod = json!({"metadata": {"name": "shop-orders-1"}, "spec": {"containers": [{"name": "orders"}]}});
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    if method == Method::PATCH {
        has.patches
            .lock()
            .unwrap()
            .push(serde_json::from_slice(&body).unwrap());
    }
    match last {
        "shop" => Json(has.shop.clone()).into_response(),
        "bigtixes" => Json(list(json!([has.shop]))).into_response(),
        "pods" => Json(list(json!([pod]))).into_response(),
        "log" if uri.query().is_some_and(|query| query.contains("follow=true")) => {
            let line = stream::once(async { Ok::<_, Infallible>("hello\n") });
            Body::from_stream(line.chain(stream::pending())).into_response()
        }
        "log" => "hello\n".into_response(),
        kind if EMPTY.contains(&kind) => Json(list(json!([]))).into_response(),
        _ => {
            let why = json!({"kind": "Status", "status": "Failure", "message": "not found", "reason": "NotFound", "code": 404});
            (StatusCode::NOT_FOUND, Json(why)).into_response()
        }
    }
}

/// A shop that was up at a release and says of itself whether it is ready.
pub(crate) fn shop(version: &str, ready: &str) -> Value {
    let service = |name: &str| json!({"name": name, "version": version, "image": format!("ghcr.io/bigtix/{name}:{version}")});
    let services: Vec<Value> = SERVICES.iter().map(|name| service(name)).collect();
    json!({
        "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix",
        "metadata": {"name": "shop", "namespace": "tickets", "generation": 2, "uid": "1"},
        "spec": {"version": version},
        "status": {
            "observedGeneration": 2, "url": "http://shop.example",
            "version": {"current": version, "target": version, "services": services},
            "conditions": [{"type": "Ready", "status": ready, "reason": "Tested", "message": "it is being tested", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        },
    })
}
