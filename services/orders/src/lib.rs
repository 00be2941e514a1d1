//! The orders service: who holds which ticket, and what becomes of it.
//!
//! Owns the claims (orders, edits, withdrawals) under the one unique index that makes a double sale impossible.
//! Publishes `orders.order.*`; keeps copies of tickets from `tickets.ticket.*`; is woken by `expiration.timer.*`.

mod adapters;
mod app;
mod config;
mod domain;
mod events;
mod http;

use axum::{Extension, middleware};
use bigtix_service::clock::StoreClock;
use bigtix_service::http::idempotency::{Idempotency, honour_key};
use bigtix_service::internal::Peer;
use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::outbox::Outbox;
use bigtix_service::{Service, StartError};
use bson::doc;

pub use config::Config;

use crate::adapters::{Claims, Copies, Orders};
use crate::app::App;
use crate::app::counter;
use crate::app::place_any::Pools;

/// Prepares the stores and wires the service.
///
/// # Errors
/// [`StartError::Store`] when MongoDB cannot be reached or refuses the indexes.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let Config {
        mongo,
        nats,
        sessions,
        service_keys,
        tickets_urls,
        rules,
    } = config;
    let mongo = Mongo::connect(&mongo)
        .await
        .map_err(|error| StartError::store("connect to MongoDB", error))?;
    let clock = StoreClock::learn(&mongo)
        .await
        .map_err(|error| StartError::store("read MongoDB's clock", error))?;
    let claims = Claims::prepare(mongo.clone())
        .await
        .map_err(|error| StartError::store("prepare the claims", error))?;
    let owner = Peer::new("orders", "tickets", tickets_urls, service_keys.clone());
    let copies = Copies::prepare(mongo.clone(), owner)
        .await
        .map_err(|error| StartError::store("prepare the copies", error))?;
    let keys = Idempotency::prepare(mongo.clone(), sessions.clone())
        .await
        .map_err(|error| StartError::store("prepare the keys", error))?;
    let bus = Bus::connect(&nats, "orders")
        .await
        .map_err(|error| StartError::store("reach NATS", error))?;

    let orders = Orders::new(claims.clone(), clock.clone());
    let (counter, clerk) = counter::open(
        claims.clone(),
        copies.clone(),
        orders.clone(),
        clock.clone(),
        rules,
    );
    let app = App {
        claims,
        copies,
        orders,
        clock: clock.clone(),
        counter,
        pools: Pools::new(),
    };
    let relay = Outbox {
        collection: adapters::claims::CLAIMS,
        filter: doc! {"kind": "order"},
        read: adapters::documents::read_event,
    }
    .relay(mongo.clone(), bus.clone());
    let public = http::router(app.clone())
        .layer(middleware::from_fn_with_state(keys, honour_key))
        .layer(Extension(sessions));

    let mut service = Service::new("orders", include_str!("../version.json"))
        .public(public)
        .openapi(http::openapi())
        .internal(http::internal_router(app.clone()), &service_keys)
        .task("relay", |stop| relay.run(stop))
        .task("counter", |stop| clerk.serve(stop));
    for subscription in events::subscriptions(&app) {
        let (mongo, bus) = (mongo.clone(), bus.clone());
        service = service.task("subscription", |stop| subscription.run(mongo, bus, stop));
    }
    let (sweeper, follower) = (app.orders.clone(), mongo.clone());
    Ok(service
        .task("sweeper", |stop| app::sweep_orders(sweeper, stop))
        .task("clock", |stop| clock.follow(follower, stop))
        .ready_when("mongodb", move || {
            let mongo = mongo.clone();
            async move { mongo.is_healthy().await }
        }))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
