//! Two instances of the orders service over one store, and people who use them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use bigtix_contracts::events::{TicketState, Versioned};
use bigtix_contracts::internal::{ReleaseClaim, paths};
use bigtix_contracts::{Cents, OrderId, UserId};
use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::session::{Caller, Sessions};
use bigtix_service::internal::Peer;
use bigtix_service::mongo::new_id;
use bigtix_service::{Listen, Running, Secret, Settings};
use bigtix_testkit::stores::shared;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::Value;

use crate::double::Catalogue;

pub(crate) const PARTITION_URIS: &str = "MONGODB_PARTITION_URIS";
const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(crate) struct Shop {
    pub(crate) catalogue: Catalogue,
    pub(crate) orders: Peer,
    instances: Vec<Running>,
    turn: AtomicUsize,
    http: reqwest::Client,
    sessions: Sessions,
    settings: Values,
}

type Values = BTreeMap<String, String>;

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
        let instances = start_two(&values).await;
        Self {
            catalogue,
            orders: peer(&instances),
            instances,
            turn: AtomicUsize::new(0),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            sessions: Sessions::read(&mut Settings::from_map(values.clone())),
            settings: values,
        }
    }

    /// Two partitions, of which the second one is a database of the same server.
    pub(crate) async fn open_in_two(extra: &[(&str, &str)]) -> Self {
        let uri = shared().database().uri;
        Self::open_with(&[&[(PARTITION_URIS, uri.as_str())], extra].concat()).await
    }

    /// Both instances end without a word, and two others are started.
    pub(crate) async fn restart(&mut self) {
        self.instances.clear();
        self.instances = start_two(&self.settings).await;
        self.orders = peer(&self.instances);
    }

    /// What another instance says that is to start with another setting.
    pub(crate) async fn refusal(&self, name: &str, value: &str) -> String {
        let mut values = self.settings.clone();
        values.insert(name.to_owned(), value.to_owned());
        match bigtix_orders::service(config(&values)).await {
            Ok(_) => "it starts".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) fn setting(&self, name: &str) -> &str {
        &self.settings[name]
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
        let answer = self.ask_whole(person, method, path, body, key).await;
        (answer.status, answer.body)
    }

    /// As [`Shop::ask_with`], with the answer's headers.
    pub(crate) async fn ask_whole(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<Value>,
        key: Option<&str>,
    ) -> bigtix_testkit::Answer {
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
        bigtix_testkit::Answer::to(request).await
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

    /// Ends the edit with this claim, by which the ticket costs twenty.
    pub(crate) async fn end_edit(&self, claim_id: OrderId, ticket: &Versioned<TicketState>) {
        let mut ticket = ticket.clone();
        ticket.version = 1;
        ticket.state.price = Cents(2000);
        let _: Value = self
            .call(paths::RELEASE, &ReleaseClaim { claim_id, ticket })
            .await;
    }

    pub(crate) async fn close(self) {
        for instance in self.instances {
            instance.stop().await;
        }
    }
}

fn config(values: &Values) -> bigtix_orders::Config {
    let mut settings = Settings::from_map(values.clone());
    let config = bigtix_orders::Config::read(&mut settings);
    settings.finish().unwrap();
    config
}

async fn start_two(values: &Values) -> Vec<Running> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let start = async || {
        let service = bigtix_orders::service(config(values)).await.unwrap();
        let listen = Listen {
            public: any,
            internal: Some(any),
        };
        service.start(listen).await.unwrap()
    };
    vec![start().await, start().await]
}

fn peer(instances: &[Running]) -> Peer {
    let internal = instances
        .iter()
        .map(|i| format!("http://{}", i.internal_addr.unwrap()))
        .collect();
    Peer::new(
        "tests",
        "orders",
        internal,
        KeyRing::parse(&Secret::new(KEYS)).unwrap(),
    )
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
