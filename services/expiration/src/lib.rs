//! The expiration service: says when an order runs out of time.
//!
//! Owns durable timers, one for all created orders that run out of time together; publishes `expiration.timer.*` when one is due;
//! learns of orders from `orders.order.*`. It is the fastest of three drivers of expiry and none of them is needed for another: orders also
//! sweeps by itself, and every read of an overdue order expires it first.

mod adapters;
mod app;
mod config;
mod domain;
mod events;

use axum::Router;
use bigtix_service::clock::StoreClock;
use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::outbox::Outbox;
use bigtix_service::redis::RedisClient;
use bigtix_service::{Service, StartContext, StartError};
use bson::doc;

pub use config::Config;

use crate::adapters::Timers;
use crate::app::App;

/// Prepares the stores and wires the service.
///
/// # Errors
/// [`StartError::Store`] when MongoDB cannot be reached. Redis need not be there.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let Config { mongo, nats, redis } = config;
    let mongo = Mongo::connect(&mongo).await.trying_to("connect to MongoDB")?;
    let clock = StoreClock::learn(&mongo)
        .await
        .trying_to("read MongoDB's clock")?;
    let timers = Timers::prepare(mongo.clone())
        .await
        .trying_to("prepare the timers")?;
    let bus = Bus::connect(&nats, "expiration").await.trying_to("reach NATS")?;
    let redis = RedisClient::new(&redis).trying_to("reach Redis")?;
    let due = redis.sorted_set(format!("{}expiration:due", nats.prefix));

    let app = App {
        timers,
        due,
        clock: clock.clone(),
    };
    let relay = Outbox {
        collection: adapters::TIMERS,
        filter: doc! {"fired": true},
        read: adapters::read_event,
    }
    .relay(mongo.clone(), bus.clone());
    let subscription = events::orders(&app);
    let follower = mongo.clone();
    Ok(Service::new("expiration", include_str!("../version.json"))
        .public(Router::new())
        .task("relay", |stop| relay.run(stop))
        .subscription(&mongo, &bus, subscription)
        .task("timers", |stop| app.fire_timers(stop))
        .task("clock", |stop| clock.follow(follower, stop))
        .needs_mongodb(mongo))
}
