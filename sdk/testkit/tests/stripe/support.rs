//! A raw client of the double, and a receiver of webhooks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bigtix_testkit::stripe::{Options, Running, StripeDouble};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::task::JoinHandle;

/// A double with default options.
pub(crate) async fn double() -> Running {
    StripeDouble::start(Options::default())
        .await
        .expect("a free port")
}

/// A double and a client of it.
pub(crate) async fn double_and_http() -> (Running, Http) {
    let double = double().await;
    let http = Http::new(&double);
    (double, http)
}

/// The `status` of an object.
pub(crate) fn status(intent: &Value) -> String {
    text(&intent["status"])
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text))
    }

    /// The body of a 200.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The `error` of a refusal.
    pub(crate) fn error(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()["error"].clone()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A client with a key of its own.
#[derive(Clone)]
pub(crate) struct Http {
    base: String,
    authorization: Option<String>,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    pub(crate) fn new(double: &Running) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build_http();
        let authorization = Some(format!("Bearer {}", double.secret_key));
        Self {
            base: double.url.clone(),
            authorization,
            client,
        }
    }

    pub(crate) fn authorised_by(mut self, header: Option<&str>) -> Self {
        self.authorization = header.map(str::to_owned);
        self
    }

    /// `None` when the connection ends without an answer.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        key: Option<&str>,
        body: &str,
    ) -> Option<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        let form = if body.starts_with(['{', '[']) {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        if !path.starts_with("/_double") || form != "application/json" {
            request = request.header("content-type", form);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request
            .body(Full::new(Bytes::from(body.to_owned())))
            .expect("a request");
        let response = self.client.request(request).await.ok()?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        Some(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        })
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, None, body).await.expect("an answer")
    }

    pub(crate) async fn keyed(&self, key: &str, path: &str, body: &str) -> Answer {
        self.send("POST", path, Some(key), body).await.expect("an answer")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None, "").await.expect("an answer")
    }

    /// An intent over 2,000 cents with manual capture, confirmed with this card.
    pub(crate) async fn pay(&self, card: &str) -> Answer {
        self.post("/v1/payment_intents", &payment(card)).await
    }

    /// The id of an intent that holds 2,000 cents.
    pub(crate) async fn held(&self) -> String {
        let intent = self.pay("pm_card_visa").await.ok();
        assert_eq!(intent["status"], "requires_capture");
        text(&intent["id"])
    }
}

/// The form of [`Http::pay`].
pub(crate) fn payment(card: &str) -> String {
    format!(
        "amount=2000&currency=usd&capture_method=manual&confirm=true&allowed_payment_method_types[]=card\
         &payment_method={card}&metadata[orderId]=order-1"
    )
}

pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// One delivery as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) signature: String,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn event(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub(crate) fn kind(&self) -> String {
        text(&self.event()["type"])
    }
}

#[derive(Default)]
struct Inbox {
    received: Vec<Received>,
    /// How many of each type are refused first.
    refusals: BTreeMap<String, usize>,
}

/// A shop's webhook endpoint.
pub(crate) struct Receiver {
    pub(crate) url: String,
    inbox: Arc<Mutex<Inbox>>,
    server: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&inbox));
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { url, inbox, server }
    }

    /// Refuses the next deliveries of this type.
    pub(crate) fn refuse(&self, kind: &str, times: usize) {
        self.inbox
            .lock()
            .expect("not poisoned")
            .refusals
            .insert(kind.to_owned(), times);
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.inbox.lock().expect("not poisoned").received.clone()
    }

    /// The types of what came in, in order.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.received().iter().map(Received::kind).collect()
    }

    pub(crate) fn count(&self, kind: &str) -> usize {
        self.kinds().iter().filter(|received| *received == kind).count()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(inbox): State<Arc<Mutex<Inbox>>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = headers
        .get("stripe-signature")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let received = Received {
        signature: header.to_owned(),
        body: String::from_utf8(body.to_vec()).expect("UTF-8"),
    };
    let kind = received.kind();
    let mut inbox = inbox.lock().expect("not poisoned");
    inbox.received.push(received);
    match inbox.refusals.get_mut(&kind) {
        Some(left) if *left > 0 => {
            *left -= 1;
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::OK,
    }
}
