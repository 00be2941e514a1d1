//! What the same machine does without a shop: bare inserts, a bare server, a bare Stripe double.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use mongodb::options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern};
use mongodb::{Client, Collection, IndexModel};

use super::load::{Step, Tally, Work, closed_loop};

/// As many as the shop's own batches have at most.
const BATCH: usize = 200;

/// Inserts documents like reservations, into an index like theirs, as durably, over one connection.
pub struct BareInserts {
    collection: Collection<Document>,
}

impl BareInserts {
    /// Prepares a collection of its own, in a database of its own.
    ///
    /// # Errors
    /// The store's.
    pub async fn prepare(uri: &str) -> Result<Self> {
        let mut options = ClientOptions::parse(uri).await.context("mongod's address")?;
        options.max_pool_size = Some(1);
        let durable = WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .build();
        options.write_concern = Some(durable);
        let database = Client::with_options(options)?.database("bench");
        let collection = database.collection("claims");
        collection.drop().await?;
        let unique = IndexOptions::builder()
            .unique(true)
            .partial_filter_expression(doc! {"active": true})
            .build();
        let index = IndexModel::builder()
            .keys(doc! {"ticketIds": 1})
            .options(unique)
            .build();
        collection.create_index(index).await?;
        Ok(Self { collection })
    }

    /// Documents in a second.
    ///
    /// # Errors
    /// The store's.
    pub async fn rate(&self, duration: Duration) -> Result<f64> {
        let began = Instant::now();
        let mut inserted = 0;
        while began.elapsed() < duration {
            let batch = (0..BATCH).map(|_| claim());
            self.collection.insert_many(batch).ordered(false).await?;
            inserted += BATCH;
        }
        Ok(inserted as f64 / began.elapsed().as_secs_f64())
    }
}

fn claim() -> Document {
    let (ticket, now) = (ObjectId::new(), DateTime::now());
    doc! {
        "_id": ObjectId::new(), "kind": "order", "active": true, "ticketIds": [ticket], "userId": ObjectId::new(),
        "status": "created", "reason": null, "expiresAt": now, "createdAt": now, "total": 2000_i64,
        "tickets": [{"id": ticket, "sellerId": ObjectId::new(), "title": "Standing", "price": 2000_i64,
            "version": 0_i64, "serialNumber": "6f1d9e1c2b3a", "eventId": "64b0c0ffee0000000000beef"}],
        "paymentId": null, "relisted": false, "version": 0_i64,
    }
}

/// A bare server in a process of its own that answers every POST with its body.
pub struct Echo {
    _process: Killed,
    address: SocketAddr,
}

/// A process that does not outlive this.
struct Killed(Child);

impl Echo {
    /// Starts this very program as that server.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start() -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("echo")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map(Killed)
            .context("starting the bare server")?;
        let told = process.0.stdout.take().context("the bare server's output")?;
        let mut line = String::new();
        BufReader::new(told).read_line(&mut line)?;
        let address = line
            .trim()
            .parse()
            .with_context(|| format!("the bare server said {line:?}"))?;
        Ok(Self {
            _process: process,
            address,
        })
    }

    /// Answers in a second.
    pub async fn rate(&self, clients: usize, duration: Duration) -> f64 {
        let work = (0..clients).map(|_| Echoing).collect();
        closed_loop(self.address, work, duration).await.1.rate()
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        // It is gone already if it cannot be killed.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves until it is killed.
///
/// # Errors
/// When it cannot listen.
pub async fn serve_echo() -> Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let routes = Router::new().route("/api/orders", post(async |body: Bytes| body));
    Ok(axum::serve(listener, routes).await?)
}

struct Echoing;

impl Work for Echoing {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let token = bigtix_client::Token::new(&"x".repeat(250));
        let body = "{\"ticketId\":\"64b0c0ffee0000000000beef\"}";
        super::buyers::write_post(request, "/api/orders", &token, body);
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> Step {
        match status {
            200 => Step::Done,
            _ => Step::Failed(super::buyers::unexpected(status, body)),
        }
    }
}

/// Authorises and captures at the Stripe double, without a shop.
struct Charging {
    intent: Option<String>,
}

impl Work for Charging {
    fn ask(&mut self, request: &mut Vec<u8>) -> bool {
        let (path, body) = match &self.intent {
            Some(intent) => (format!("/v1/payment_intents/{intent}/capture"), ""),
            None => (
                "/v1/payment_intents".to_owned(),
                "amount=2000&currency=usd&capture_method=manual&confirm=true&payment_method=pm_card_visa",
            ),
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer sk_test_bigtix\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        request.extend_from_slice(head.as_bytes());
        true
    }

    fn hear(&mut self, status: u16, body: &[u8]) -> Step {
        let captured = self.intent.take().is_some();
        if status != 200 {
            return Step::Failed(super::buyers::unexpected(status, body));
        }
        if captured {
            return Step::Done;
        }
        let read = serde_json::from_slice::<serde_json::Value>(body);
        self.intent = read
            .ok()
            .and_then(|intent| intent["id"].as_str().map(str::to_owned));
        match &self.intent {
            Some(_) => Step::More,
            None => Step::Failed("an intent without id".into()),
        }
    }
}

/// Authorisations with their captures in a second.
pub async fn charge(double: SocketAddr, clients: usize, duration: Duration) -> Tally {
    let work = (0..clients).map(|_| Charging { intent: None }).collect();
    closed_loop(double, work, duration).await.1
}
