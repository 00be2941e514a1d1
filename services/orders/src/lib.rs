//! The orders service: who holds which ticket, and what becomes of it.
//!
//! Owns the claims (orders, edits, withdrawals) under the one unique index that makes a double sale impossible.
//! Publishes `orders.order.*`; keeps copies of tickets from `tickets.ticket.*`; is woken by `expiration.timer.*`.

mod adapters;
mod app;
mod config;
pub mod domain;
mod events;
mod http;

use bigtix_service::clock::StoreClock;
use bigtix_service::http::for_people;
use bigtix_service::http::idempotency::Idempotency;
use bigtix_service::internal::Peer;
use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::outbox::Outbox;
use bigtix_service::rate::RateLimit;
use bigtix_service::{Service, StartContext, StartError};
use bson::doc;

pub use config::Config;

use crate::adapters::{Claims, Copies, Orders};
use crate::app::App;
use crate::app::counter;
use crate::app::place_any::Pools;
use crate::app::second_look::SecondLook;

/// Prepares the stores and wires the service.
///
/// # Errors
/// [`StartError::Store`] when MongoDB cannot be reached or refuses the indexes.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let Config {
        mongo,
        nats,
        sessions,
        changes,
        service_keys,
        tickets_urls,
        rules,
    } = config;
    let mongo = Mongo::connect(&mongo).await.trying_to("connect to MongoDB")?;
    let clock = StoreClock::learn(&mongo)
        .await
        .trying_to("read MongoDB's clock")?;
    let claims = Claims::prepare(mongo.clone())
        .await
        .trying_to("prepare the claims")?;
    let owner = Peer::new("orders", "tickets", tickets_urls, service_keys.clone());
    let copies = Copies::prepare(mongo.clone(), owner)
        .await
        .trying_to("prepare the copies")?;
    let keys = Idempotency::prepare(mongo.clone(), sessions.clone())
        .await
        .trying_to("prepare the keys")?;
    let changes = RateLimit::new("orders", &nats.prefix, &changes).trying_to("reach Redis")?;
    let bus = Bus::connect(&nats, "orders").await.trying_to("reach NATS")?;

    let orders = Orders::new(claims.clone(), clock.clone());
    let second_look = SecondLook {
        copies: copies.clone(),
        orders: orders.clone(),
    };
    let (counter, clerk) = counter::open(
        claims.clone(),
        copies.clone(),
        orders.clone(),
        second_look.clone(),
        clock.clone(),
        rules,
    );
    let app = App {
        claims,
        copies,
        orders,
        second_look,
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
    let public = for_people(http::router(app.clone()), sessions, changes.clone(), keys);

    let mut service = Service::new("orders", include_str!("../version.json"))
        .public(public)
        .openapi(http::openapi())
        .internal(http::internal_router(app.clone()), &service_keys)
        .task("relay", |stop| relay.run(stop))
        .limit(changes)
        .task("counter", |stop| clerk.serve(stop));
    for subscription in events::subscriptions(&app) {
        service = service.subscription(&mongo, &bus, subscription);
    }
    let (sweeper, follower) = (app.orders.clone(), mongo.clone());
    Ok(service
        .task("sweeper", |stop| app::sweep_orders(sweeper, stop))
        .task("clock", |stop| clock.follow(follower, stop))
        .needs_mongodb(mongo))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
