//! Two instances of the orders service over one store, and people who use them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use bigtix_contracts::internal::paths;
use bigtix_contracts::{OrderId, UserId};
use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::session::{Caller, Sessions};
use bigtix_service::internal::Peer;
use bigtix_service::mongo::new_id;
use bigtix_service::{Listen, Running, Secret, Settings};
use bigtix_testkit::stores::shared;
use bigtix_testkit::{is_past_capacity, let_in};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use crate::double::Catalogue;

const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(crate) struct Shop {
    pub(crate) catalogue: Catalogue,
    pub(crate) orders: Peer,
    instances: Vec<Running>,
    turn: AtomicUsize,
    http: reqwest::Client,
    sessions: Sessions,
}

/// Somebody with a session.
#[derive(Clone)]
pub(crate) struct Person {
    token: String,
}

/// An answer: its status and its body.
pub(crate) type Answer = (u16, Value);

impl Shop {
    pub(crate) async fn open(reservation_seconds: u64) -> Self {
        Self::open_with(&[("RESERVATION_SECONDS", &reservation_seconds.to_string())]).await
    }

    pub(crate) async fn open_with(extra: &[(&str, &str)]) -> Self {
        let catalogue = Catalogue::default();
        let tickets_url = catalogue.serve().await;
        let (database, prefix) = (shared().database(), shared().prefix());
        let mut values = BTreeMap::from([
            ("MONGODB_URI".to_owned(), database.uri),
            ("MONGODB_DATABASE".to_owned(), database.name),
            ("NATS_URL".to_owned(), shared().nats_url()),
            ("NATS_PREFIX".to_owned(), prefix),
            ("SESSION_KEYS".to_owned(), KEYS.to_owned()),
            ("SERVICE_KEYS".to_owned(), KEYS.to_owned()),
            ("TICKETS_URL".to_owned(), tickets_url),
        ]);
        values.extend(
            extra
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut instances = Vec::new();
        for _ in 0..2 {
            let mut settings = Settings::from_map(values.clone());
            let config = bigtix_orders::Config::read(&mut settings);
            settings.finish().unwrap();
            let service = bigtix_orders::service(config).await.unwrap();
            instances.push(
                service
                    .start(Listen {
                        public: any,
                        internal: Some(any),
                    })
                    .await
                    .unwrap(),
            );
        }
        let internal = instances
            .iter()
            .map(|i| format!("http://{}", i.internal_addr.unwrap()))
            .collect();
        let keys = KeyRing::parse(&Secret::new(KEYS)).unwrap();
        Self {
            catalogue,
            orders: Peer::new("tests", "orders", internal, keys),
            instances,
            turn: AtomicUsize::new(0),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            sessions: Sessions::read(&mut Settings::from_map(values)),
        }
    }

    pub(crate) fn person(&self) -> Person {
        let id = UserId::from_bytes(new_id());
        let now = Timestamp::now().as_second();
        let caller = Caller {
            id,
            email: format!("{id}@example.com"),
            iat: now,
            exp: Some(now + 3600),
            admin: false,
        };
        Person {
            token: self.sessions.sign(&caller).unwrap(),
        }
    }

    /// Asks the instances in turn.
    pub(crate) async fn ask(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        self.ask_with(person, method, path, body, None).await
    }

    pub(crate) async fn ask_with(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> Answer {
        let instance = &self.instances[self.turn.fetch_add(1, Ordering::Relaxed) % self.instances.len()];
        let mut request = self
            .http
            .request(method, format!("http://{}{path}", instance.public_addr));
        request = request.bearer_auth(&person.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let ask = || async {
            let answer = request.try_clone().unwrap().send().await.unwrap();
            (
                answer.status().as_u16(),
                answer.json().await.unwrap_or(Value::Null),
            )
        };
        let_in(ask, |(status, body)| is_past_capacity(*status, body)).await
    }

    pub(crate) async fn order(&self, person: &Person, body: Value) -> Answer {
        self.ask(person, Method::POST, "/api/orders", Some(body)).await
    }

    pub(crate) async fn read(&self, person: &Person, id: &str) -> Answer {
        self.ask(person, Method::GET, &format!("/api/orders/{id}"), None)
            .await
    }

    pub(crate) async fn call<Q: serde::Serialize + Sync, A: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        question: &Q,
    ) -> A {
        self.orders.call(path, question).await.unwrap()
    }

    pub(crate) async fn close(self) {
        for instance in self.instances {
            instance.stop().await;
        }
    }
}

pub(crate) fn id_of(answer: &Answer) -> &str {
    assert_eq!(answer.0, 201, "{answer:?}");
    answer.1["id"].as_str().unwrap()
}

pub(crate) fn order_id(answer: &Answer) -> OrderId {
    id_of(answer).parse().unwrap()
}

pub(crate) fn message(answer: &Answer) -> (u16, &str) {
    (
        answer.0,
        answer.1["errors"][0]["message"].as_str().unwrap_or_default(),
    )
}

pub(crate) const CONFIRM: &str = paths::CONFIRM;
