//! The tickets service: what is listed, and the catalogue of events.
//!
//! Owns tickets and events. Publishes `tickets.ticket.*`; from `orders.order.*` it learns whom to show as the holder of
//! a ticket. Who really holds one is known to the orders service alone, which is asked before anything changes.

mod adapters;
mod app;
mod config;
mod domain;
mod events;
mod http;

use std::sync::Arc;

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

use crate::adapters::catalogue::Catalogue;
use crate::adapters::documents::read_envelope;
use crate::adapters::intents::Intents;
use crate::adapters::ticketmaster::Ticketmaster;
use crate::adapters::tickets::{TICKETS, Tickets};
use crate::app::{App, settle_changes};

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
        orders_urls,
        provider,
    } = config;
    let mongo = Mongo::connect(&mongo).await.trying_to("connect to MongoDB")?;
    let clock = StoreClock::learn(&mongo)
        .await
        .trying_to("read MongoDB's clock")?;
    let app = Arc::new(App {
        tickets: Tickets::prepare(mongo.clone())
            .await
            .trying_to("prepare the tickets")?,
        catalogue: Catalogue::prepare(&mongo)
            .await
            .trying_to("prepare the catalogue")?,
        intents: Intents::prepare(&mongo).await.trying_to("prepare the intents")?,
        orders: Peer::new("tickets", "orders", orders_urls, service_keys.clone()),
        provider: Ticketmaster::new(provider).trying_to("prepare the event provider")?,
        clock: clock.clone(),
    });
    let keys = Idempotency::prepare(mongo.clone(), clock.clone(), sessions.clone())
        .await
        .trying_to("prepare the keys")?;
    let changes = RateLimit::new("tickets", &nats.prefix, &changes).trying_to("reach Redis")?;
    let bus = Bus::connect(&nats, "tickets").await.trying_to("reach NATS")?;
    let outbox = Outbox {
        collection: TICKETS,
        filter: doc! {},
        read: read_envelope,
    };
    let relay = outbox.relay(mongo.clone(), bus.clone());
    let public = for_people(http::router(app.clone()), sessions, changes.clone(), keys);
    let mut service = Service::new("tickets", include_str!("../version.json"))
        .public(public)
        .openapi(http::openapi())
        .internal(http::internal_router(app.clone()), &service_keys)
        .task("relay", |stop| relay.run(stop))
        .limit(changes);
    for subscription in events::subscriptions(&app) {
        service = service.subscription(&mongo, &bus, subscription);
    }
    let follower = mongo.clone();
    Ok(service
        .task("clock", |stop| clock.follow(follower, stop))
        .task("settler", |stop| settle_changes(app, stop))
        .needs_mongodb(mongo))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
