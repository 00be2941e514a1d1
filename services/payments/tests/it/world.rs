//! What every test stands on: a database of its own, the two doubles, and instances of the service that can be killed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bigtix_contracts::{OrderId, UserId};
use bigtix_payments::Config;
use bigtix_service::http::session::{Caller, Sessions};
use bigtix_service::mongo::{Mongo, MongoConfig};
use bigtix_service::{Listen, Secret, Settings, StartError};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::{TestDatabase, shared};
use bigtix_testkit::stripe::{Entry, Options, Running as Stripe, StripeDouble};
use bson::oid::ObjectId;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::orders::OrdersDouble;

/// What an answer is.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn text(&self, field: &str) -> &str {
        self.body[field].as_str().unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self
    }
}

/// One process's worth of the service: its tasks and its requests die together.
pub(crate) struct Instance {
    pub(crate) url: String,
    runtime: Option<Runtime>,
    _alive: oneshot::Sender<()>,
}

impl Instance {
    /// Stops at once, wherever it is.
    pub(crate) fn kill(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The world of one test.
pub(crate) struct World {
    pub(crate) orders: OrdersDouble,
    pub(crate) stripe: Stripe,
    pub(crate) buyer: UserId,
    pub(crate) seller: UserId,
    pub(crate) prefix: String,
    database: TestDatabase,
    settings: BTreeMap<String, String>,
    sessions: Sessions,
    http: reqwest::Client,
}

fn user() -> UserId {
    UserId::from_bytes(ObjectId::new().bytes())
}

fn keys(byte: u8) -> String {
    format!("k:{}", STANDARD.encode([byte; 32]))
}

impl World {
    pub(crate) async fn new() -> Self {
        static LOG: OnceLock<()> = OnceLock::new();
        LOG.get_or_init(bigtix_service::tls::use_ring);
        let (database, prefix) = (shared().database(), shared().prefix());
        let stripe = StripeDouble::start(Options::default()).await.unwrap();
        let orders = OrdersDouble::start().await;
        let settings = BTreeMap::from(
            [
                ("MONGODB_URI", database.uri.clone()),
                ("MONGODB_DATABASE", database.name.clone()),
                ("NATS_URL", shared().nats_url()),
                ("NATS_PREFIX", prefix.clone()),
                ("SESSION_KEYS", keys(1)),
                ("SERVICE_KEYS", keys(2)),
                ("ORDERS_URL", orders.url.clone()),
                ("STRIPE_API_URL", stripe.url.clone()),
                ("STRIPE_SECRET_KEY", stripe.secret_key.clone()),
                (
                    "STRIPE_WEBHOOK_SECRET",
                    format!("whsec_next, {}", stripe.webhook_secret),
                ),
                ("STRIPE_DEADLINE_MILLISECONDS", "500".to_owned()),
                ("PAYMENT_GIVE_UP_SECONDS", "2".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let sessions = Sessions::read(&mut Settings::from_map(settings.clone()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            orders,
            stripe,
            buyer: user(),
            seller: user(),
            prefix,
            database,
            settings,
            sessions,
            http,
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.insert(name.to_owned(), value.to_owned());
    }

    /// A world with one instance that Stripe's webhooks reach.
    pub(crate) async fn running() -> (Self, Instance) {
        let world = Self::new().await;
        let instance = world.start().await;
        world
            .stripe
            .set_webhook(format!("{}/api/webhooks/stripe", instance.url));
        (world, instance)
    }

    /// Wires the service as its process does, without starting it.
    pub(crate) async fn prepare(&self) -> Result<bigtix_service::Service, StartError> {
        let mut settings = Settings::from_map(self.settings.clone());
        let config = Config::read(&mut settings);
        settings.finish()?;
        bigtix_payments::service(config).await
    }

    /// Starts an instance.
    pub(crate) async fn start(&self) -> Instance {
        let mut settings = Settings::from_map(self.settings.clone());
        let config = Config::read(&mut settings);
        settings.finish().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let ((told, address), (alive, end)) = (oneshot::channel(), oneshot::channel::<()>());
        runtime.spawn(async move {
            let service = bigtix_payments::service(config).await.unwrap();
            let listen = Listen {
                public: SocketAddr::from(([127, 0, 0, 1], 0)),
                internal: None,
            };
            let running = service.start(listen).await.unwrap();
            told.send(running.public_addr).unwrap();
            // Ends with the runtime, or with the instance.
            let _ = end.await;
        });
        let url = format!("http://{}", address.await.expect("the service starts"));
        Instance {
            url,
            runtime: Some(runtime),
            _alive: alive,
        }
    }

    pub(crate) async fn mongo(&self) -> Mongo {
        let config = MongoConfig {
            uri: Secret::new(self.database.uri.clone()),
            database: self.database.name.clone(),
        };
        Mongo::connect(&config).await.unwrap()
    }

    /// An order of the buyer's over one ticket of the seller's, of 19.99.
    pub(crate) fn order(&self) -> OrderId {
        self.orders.place(self.buyer, self.seller, &[1999])
    }

    pub(crate) fn token(&self, user: UserId, admin: bool) -> String {
        let iat = jiff::Timestamp::now().as_second();
        let caller = Caller {
            id: user,
            email: "a@b.test".into(),
            iat,
            exp: Some(iat + 3600),
            admin,
        };
        self.sessions.sign(&caller).unwrap()
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let answer = bigtix_testkit::Answer::to(request).await;
        Answer {
            status: StatusCode::from_u16(answer.status).expect("a status"),
            body: answer.body,
        }
    }

    pub(crate) fn post(&self, instance: &Instance, path: &str, user: UserId) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}{path}", instance.url))
            .bearer_auth(self.token(user, false))
    }

    pub(crate) fn anonymous(&self, instance: &Instance, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", instance.url))
    }

    pub(crate) fn paying(&self, instance: &Instance, order: OrderId, token: &str) -> reqwest::RequestBuilder {
        self.post(instance, "/api/payments", self.buyer)
            .json(&json!({"orderId": order, "token": token}))
    }

    pub(crate) async fn pay(&self, instance: &Instance, order: OrderId, token: &str) -> Answer {
        self.send(self.paying(instance, order, token)).await
    }

    pub(crate) async fn proceed(&self, instance: &Instance, order: OrderId) -> Answer {
        self.send(self.post(instance, &format!("/api/payments/{order}/continue"), self.buyer))
            .await
    }

    pub(crate) async fn get(&self, instance: &Instance, order: OrderId, user: UserId) -> Answer {
        let request = self.http.get(format!("{}/api/payments/{order}", instance.url));
        self.send(request.bearer_auth(self.token(user, false))).await
    }

    /// Waits until the order's latest payment reads so, and returns it.
    pub(crate) async fn until(&self, instance: &Instance, order: OrderId, status: &str) -> Value {
        eventually(&format!("a payment that is {status}"), async || {
            let answer = self.get(instance, order, self.buyer).await;
            (answer.text("status") == status).then_some(answer.body)
        })
        .await
    }

    /// What Stripe has of the order.
    pub(crate) fn ledger(&self, order: OrderId) -> Vec<Entry> {
        self.stripe
            .ledger()
            .with("orderId", &order.to_string())
            .cloned()
            .collect()
    }

    /// The one intent that was captured for the order: once, all of it, and nothing is on hold beside it.
    #[track_caller]
    pub(crate) fn assert_paid_once(&self, order: OrderId) {
        let entries = self.ledger(order);
        let total = self.orders.order(order).total.0;
        assert_eq!(
            entries.iter().map(|entry| entry.captures).sum::<u32>(),
            1,
            "{entries:#?}"
        );
        assert_eq!(
            entries.iter().map(|entry| entry.kept()).sum::<i64>(),
            total,
            "{entries:#?}"
        );
        assert_eq!(
            entries.iter().map(|entry| entry.held).sum::<i64>(),
            0,
            "{entries:#?}"
        );
    }

    /// The shop has and holds nothing for the order.
    #[track_caller]
    pub(crate) fn assert_nothing_taken(&self, order: OrderId) {
        let entries = self.ledger(order);
        assert!(
            entries.iter().all(|entry| entry.captures == 0 && entry.held == 0),
            "{entries:#?}"
        );
    }
}
