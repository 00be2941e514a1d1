//! What the same machine does without a shop: bare inserts, a bare server, a bare Stripe double, bare hashes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use argon2::{Algorithm, Argon2, Params, Version};
use bigtix_client::Token;
use bigtix_testkit::stripe::Options;
use futures::future::join_all;
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use mongodb::options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern};
use mongodb::{Client, Collection, IndexModel};
use serde::Deserialize;

use crate::load::drive::{Load, drive};
use crate::load::shopping::unexpected;
use crate::load::tally::Outcome;
use crate::load::wire::{Edge, Wire};
use crate::world::PASSWORD;

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
    let edge = Edge::from(server);
    let token = Token::new(&"x".repeat(250));
    let body = "{\"ticketId\":\"64b0c0ffee0000000000beef\"}";
    let load = Load::of_clients(&edge, clients, duration);
    let tally = drive(&load, async |wire, _| {
        match wire.post("/api/orders", Some(&token), body).await {
            Ok(reply) if reply.status == 200 => Outcome::Done,
            Ok(reply) => Outcome::Failed(unexpected(&reply)),
            Err(error) => Outcome::Failed(format!("no answer: {error}")),
        }
    })
    .await;
    tally.flawless().context("asking the bare server")?;
    Ok(tally.rate())
}

/// How many authorisations with their captures the double makes in a second, without a shop.
///
/// # Errors
/// When it refuses one.
pub async fn charge(double: SocketAddr, clients: usize, duration: Duration) -> Result<f64> {
    let edge = Edge::from(double);
    let load = Load::of_clients(&edge, clients, duration);
    let tally = drive(&load, async |wire, _| match charge_once(wire).await {
        Ok(()) => Outcome::Done,
        Err(error) => Outcome::Failed(format!("{error:#}")),
    })
    .await;
    tally.flawless().context("charging without a shop")?;
    Ok(tally.rate())
}

async fn charge_once(wire: &mut Wire) -> Result<()> {
    #[derive(Deserialize)]
    struct Intent {
        id: String,
    }
    let key = Options::default().secret_key;
    let wish = "amount=2000&currency=usd&capture_method=manual&confirm=true&payment_method=pm_card_visa\
                &payment_method_types[]=card";
    let reply = wire.post_form("/v1/payment_intents", &key, wish).await?;
    ensure!(reply.status == 200, unexpected(&reply));
    let Intent { id } = serde_json::from_slice(reply.body).context("an intent")?;
    let path = format!("/v1/payment_intents/{id}/capture");
    let reply = wire.post_form(&path, &key, "").await?;
    ensure!(reply.status == 200, unexpected(&reply));
    Ok(())
}

/// How many passwords are hashed in a second on all processors, as dearly as the auth service does by default.
///
/// # Errors
/// When they cannot be hashed.
pub async fn hash(duration: Duration) -> Result<f64> {
    let (memory, passes, lanes) = (19_456, 2, 1);
    let params = Params::new(memory, passes, lanes, None).map_err(|error| anyhow!("argon2: {error}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let began = Instant::now();
    let worker = || {
        let argon2 = argon2.clone();
        tokio::task::spawn_blocking(move || {
            let (mut hashes, mut hash) = (0_u32, [0; 32]);
            while began.elapsed() < duration {
                argon2
                    .hash_password_into(PASSWORD.as_bytes(), b"sixteen bytes...", &mut hash)
                    .map_err(|error| anyhow!("argon2: {error}"))?;
                hashes += 1;
            }
            anyhow::Ok(hashes)
        })
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut hashes = 0;
    for counted in join_all((0..processors).map(|_| worker())).await {
        hashes += counted??;
    }
    Ok(f64::from(hashes) / began.elapsed().as_secs_f64())
}
