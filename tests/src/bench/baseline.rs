//! What the parts do bare: the store with the same index and durability, and the HTTP library with nothing behind it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use axum::Router;
use axum::routing::get;
use bigtix_testkit::stores::{Stores, StoresConfig};
use mongodb::bson::{DateTime, Document, doc, oid::ObjectId};
use mongodb::options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern};
use mongodb::{Client, Collection, IndexModel};

use super::Plan;
use super::load::send_each;
use super::shop::BenchShop;
use super::wire::Request;

const BATCH: usize = 200;

async fn collection(shop: &BenchShop) -> Result<Collection<Document>> {
    let mut options = ClientOptions::parse(shop.mongodb_uri()).await?;
    options.write_concern = Some(
        WriteConcern::builder()
            .w(Acknowledgment::Majority)
            .journal(true)
            .build(),
    );
    let collection = Client::with_options(options)?
        .database("bench")
        .collection::<Document>("claims");
    collection.drop().await?;
    let unique = IndexOptions::builder()
        .unique(true)
        .partial_filter_expression(doc! {"active": true})
        .build();
    collection
        .create_index(
            IndexModel::builder()
                .keys(doc! {"ticketIds": 1})
                .options(unique)
                .build(),
        )
        .await?;
    Ok(collection)
}

fn claim() -> Document {
    let ticket = ObjectId::new();
    doc! {
        "_id": ObjectId::new(), "kind": "order", "active": true, "ticketIds": [ticket], "userId": ObjectId::new(),
        "status": "created", "reason": null, "expiresAt": DateTime::now(), "createdAt": DateTime::now(), "total": 1999_i64,
        "tickets": [{"id": ticket, "sellerId": ObjectId::new(), "title": "Seat", "price": 1999_i64, "version": 0_i64,
                     "serialNumber": ticket.to_hex(), "eventId": ObjectId::new().to_hex()}],
        "paymentId": null, "relisted": false, "version": 0_i64,
    }
}

/// Claims a second by `insertMany` of 200 on one connection.
pub(super) async fn insert_many(shop: &BenchShop, duration: Duration) -> Result<f64> {
    let collection = collection(shop).await?;
    let (began, mut count) = (Instant::now(), 0_usize);
    while began.elapsed() < duration {
        collection
            .insert_many((0..BATCH).map(|_| claim()))
            .ordered(false)
            .await?;
        count += BATCH;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

/// Claims a second one by one on one connection.
pub(super) async fn insert_one(shop: &BenchShop, duration: Duration) -> Result<f64> {
    let collection = collection(shop).await?;
    let (began, mut count) = (Instant::now(), 0_usize);
    while began.elapsed() < duration {
        collection.insert_one(claim()).await?;
        count += 1;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

/// Answers a second of a handler that does nothing, with the same clients.
pub(super) async fn echo(plan: &Plan) -> Result<f64> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?.to_string();
    let routes = Router::new().route(
        "/",
        get(async || "{\"echo\":\"a body about as long as a ticket is, which takes some bytes\"}"),
    );
    let server = tokio::spawn(async move { axum::serve(listener, routes).await });
    let requests = Arc::new(vec![Request::get("/", None)]);
    let outcome = send_each(&address, plan.clients, plan.duration / 2, requests, true).await?;
    server.abort();
    Ok(outcome.rate(200))
}

/// How long the bare stores take to be ready, without any service.
pub(super) async fn stores_ready(folder: &Path) -> Result<Duration> {
    let folder = folder.join("bare-stores");
    let began = Instant::now();
    let stores = Stores::start(StoresConfig::new(
        &folder,
        ["auth", "tickets", "orders", "payments", "expiration"],
    ))
    .await?;
    let took = began.elapsed();
    stores.stop().await;
    Ok(took)
}
