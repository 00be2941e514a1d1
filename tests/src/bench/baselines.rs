//! What the same machine does without a shop: bare inserts, a bare server, a bare Stripe double.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
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

/// How many answers a second the bare server gives.
///
/// # Errors
/// When it fails to give one.
pub async fn echo(server: SocketAddr, clients: usize, duration: Duration) -> Result<f64> {
    let work = (0..clients).map(|_| Echoing).collect();
    flawless(closed_loop(server, work, duration).await.1).context("asking the bare server")
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
                "amount=2000&currency=usd&capture_method=manual&confirm=true&payment_method=pm_card_visa&payment_method_types[]=card",
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

/// How many authorisations with their captures the double makes in a second.
///
/// # Errors
/// When it refuses one.
pub async fn charge(double: SocketAddr, clients: usize, duration: Duration) -> Result<f64> {
    let work = (0..clients).map(|_| Charging { intent: None }).collect();
    flawless(closed_loop(double, work, duration).await.1).context("charging without a shop")
}

fn flawless(tally: Tally) -> Result<f64> {
    match tally.first_failure {
        None => Ok(tally.rate()),
        Some(why) => bail!("{} went wrong; one: {why}", tally.failed),
    }
}
