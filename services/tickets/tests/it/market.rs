//! Two instances of the tickets service over one store, and people who use them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use bigtix_contracts::{TicketId, UserId};
use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::session::{Caller, Sessions};
use bigtix_service::internal::Peer;
use bigtix_service::mongo::{Mongo, MongoConfig, new_id};
use bigtix_service::nats::{Bus, NatsConfig};
use bigtix_service::{Listen, Running, Secret, Settings};
use bigtix_testkit::Answer;
use bigtix_testkit::stores::shared;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::double::Claims;

const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub(crate) struct Market {
    pub(crate) claims: Claims,
    values: BTreeMap<String, String>,
    instances: Vec<Running>,
    turn: AtomicUsize,
    http: reqwest::Client,
    sessions: Sessions,
}

/// Somebody, with or without a session.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    token: Option<String>,
}

pub(crate) fn ticket_id(ticket: &Value) -> TicketId {
    ticket["id"].as_str().unwrap().parse().unwrap()
}

impl Market {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    pub(crate) async fn open_with(extra: &[(&str, &str)]) -> Self {
        let claims = Claims::default();
        let database = shared().database();
        let mut values = BTreeMap::from([
            ("MONGODB_URI".to_owned(), database.uri),
            ("MONGODB_DATABASE".to_owned(), database.name),
            ("NATS_URL".to_owned(), shared().nats_url()),
            ("NATS_PREFIX".to_owned(), shared().prefix()),
            ("SESSION_KEYS".to_owned(), KEYS.to_owned()),
            ("SERVICE_KEYS".to_owned(), KEYS.to_owned()),
            ("ORDERS_URL".to_owned(), claims.serve().await),
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
            let config = bigtix_tickets::Config::read(&mut settings);
            settings.finish().unwrap();
            let service = bigtix_tickets::service(config).await.unwrap();
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
        Self {
            claims,
            instances,
            turn: AtomicUsize::new(0),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            sessions: Sessions::read(&mut Settings::from_map(values.clone())),
            values,
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
            id,
            token: Some(self.sessions.sign(&caller).unwrap()),
        }
    }

    pub(crate) fn stranger(&self) -> Person {
        Person {
            id: UserId::from_bytes(new_id()),
            token: None,
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
        if let Some(token) = &person.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        Answer::to(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&self.stranger(), Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, person: &Person, path: &str, body: Value) -> Answer {
        self.ask(person, Method::POST, path, Some(body)).await
    }

    /// Lists a ticket.
    pub(crate) async fn list(&self, seller: &Person, body: Value) -> Value {
        self.post(seller, "/api/tickets", body).await.ok(201)
    }

    /// Lists a ticket of which nothing matters.
    pub(crate) async fn list_any(&self, seller: &Person) -> Value {
        self.list(seller, json!({"title": "Any", "price": 20})).await
    }

    pub(crate) async fn read(&self, ticket: &Value) -> Value {
        self.get(&format!("/api/tickets/{}", ticket["id"].as_str().unwrap()))
            .await
            .ok(200)
    }

    /// Adds an event to the catalogue.
    pub(crate) async fn add_event(&self, title: &str) -> Value {
        let body = json!({
            "title": title, "venue": "Town Hall", "city": "Springfield",
            "startsAt": "2030-06-01T19:30:00+02:00", "timeZone": "Europe/Berlin",
        });
        self.post(&self.person(), "/api/events", body).await.ok(201)
    }

    /// The internal calls, as another service makes them.
    pub(crate) fn peer(&self) -> Peer {
        let internal = self
            .instances
            .iter()
            .map(|each| format!("http://{}", each.internal_addr.unwrap()));
        Peer::new(
            "tests",
            "tickets",
            internal.collect(),
            KeyRing::parse(&Secret::new(KEYS)).unwrap(),
        )
    }

    /// Where internal calls go to.
    pub(crate) fn internal_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.instances[0].internal_addr.unwrap())
    }

    /// The store behind the service.
    pub(crate) async fn mongo(&self) -> Mongo {
        let mut settings = Settings::from_map(self.values.clone());
        Mongo::connect(&MongoConfig::read(&mut settings, "tickets"))
            .await
            .unwrap()
    }

    /// The bus between the services.
    pub(crate) async fn bus(&self) -> Bus {
        let mut settings = Settings::from_map(self.values.clone());
        Bus::connect(&NatsConfig::read(&mut settings), "tests")
            .await
            .unwrap()
    }

    pub(crate) async fn close(self) {
        for instance in self.instances {
            instance.stop().await;
        }
    }
}
