//! Two instances of the auth service over one store.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};

use bigtix_service::mongo::{Mongo, MongoConfig};
use bigtix_service::{Listen, Running, Settings};
use bigtix_testkit::Answer;
use bigtix_testkit::stores::shared;
use reqwest::Method;
use serde_json::{Value, json};

const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const PASSWORD: &str = "Passw0rd";

pub(crate) struct House {
    pub(crate) values: BTreeMap<String, String>,
    instances: Vec<Running>,
    turn: AtomicUsize,
    http: reqwest::Client,
}

impl House {
    pub(crate) async fn open() -> Self {
        Self::open_with(&[]).await
    }

    pub(crate) async fn open_with(extra: &[(&str, &str)]) -> Self {
        let database = shared().database();
        let mut values = BTreeMap::from([
            ("MONGODB_URI".to_owned(), database.uri),
            ("MONGODB_DATABASE".to_owned(), database.name),
            ("NATS_URL".to_owned(), shared().nats_url()),
            ("NATS_PREFIX".to_owned(), shared().prefix()),
            ("SESSION_KEYS".to_owned(), KEYS.to_owned()),
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
            let config = bigtix_auth::Config::read(&mut settings);
            settings.finish().unwrap();
            let service = bigtix_auth::service(config).await.unwrap();
            instances.push(
                service
                    .start(Listen {
                        public: any,
                        internal: None,
                    })
                    .await
                    .unwrap(),
            );
        }
        bigtix_service::tls::use_ring();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            values,
            instances,
            turn: AtomicUsize::new(0),
            http,
        }
    }

    /// Asks the instances in turn.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let instance = &self.instances[self.turn.fetch_add(1, Ordering::Relaxed) % self.instances.len()];
        let mut request = self
            .http
            .request(method, format!("http://{}{path}", instance.public_addr));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::to(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn sign_up(&self, email: &str) -> Answer {
        self.post("/api/users/signup", json!({"email": email, "password": PASSWORD}))
            .await
    }

    /// Signs in from an address.
    pub(crate) async fn sign_in(&self, email: &str, password: &str, from: &str) -> Answer {
        let body = json!({"email": email, "password": password});
        self.ask(
            Method::POST,
            "/api/users/signin",
            &[("x-forwarded-for", from)],
            Some(body),
        )
        .await
    }

    pub(crate) async fn current_user(&self, headers: &[(&str, &str)]) -> Value {
        let answer = self
            .ask(Method::GET, "/api/users/currentuser", headers, None)
            .await;
        assert_eq!(answer.status, 200);
        answer.body["currentUser"].clone()
    }

    /// An instance's address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.instances[0].public_addr)
    }

    /// The store behind the service.
    pub(crate) async fn mongo(&self) -> Mongo {
        let mut settings = Settings::from_map(self.values.clone());
        Mongo::connect(&MongoConfig::read(&mut settings, "auth"))
            .await
            .unwrap()
    }

    pub(crate) async fn collection(&self, name: &str) -> mongodb::Collection<bson::Document> {
        self.mongo().await.collection(name)
    }

    pub(crate) async fn close(self) {
        for instance in self.instances {
            instance.stop().await;
        }
    }
}
