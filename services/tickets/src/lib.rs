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

use axum::{Extension, middleware};
use bigtix_service::http::idempotency::{Idempotency, honour_key};
use bigtix_service::internal::Peer;
use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::outbox::Outbox;
use bigtix_service::{Service, StartError};
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
        service_keys,
        orders_urls,
        provider,
    } = config;
    let mongo = Mongo::connect(&mongo)
        .await
        .map_err(|error| StartError::store("connect to MongoDB", error))?;
    let app = App {
        tickets: Tickets::prepare(mongo.clone())
            .await
            .map_err(|error| StartError::store("prepare the tickets", error))?,
        catalogue: Catalogue::prepare(&mongo)
            .await
            .map_err(|error| StartError::store("prepare the catalogue", error))?,
        intents: Intents::prepare(&mongo)
            .await
            .map_err(|error| StartError::store("prepare the intents", error))?,
        orders: Peer::new("tickets", "orders", orders_urls, service_keys.clone()),
        provider: Ticketmaster::new(provider)
            .map_err(|error| StartError::store("prepare the event provider", error))?,
    };
    let keys = Idempotency::prepare(mongo.clone(), sessions.clone())
        .await
        .map_err(|error| StartError::store("prepare the keys", error))?;
    let bus = Bus::connect(&nats, "tickets")
        .await
        .map_err(|error| StartError::store("reach NATS", error))?;
    let outbox = Outbox {
        collection: TICKETS,
        filter: doc! {},
        read: read_envelope,
    };
    let relay = outbox.relay(mongo.clone(), bus.clone());
    let public = http::router(app.clone())
        .layer(middleware::from_fn_with_state(keys, honour_key))
        .layer(Extension(sessions));
    let mut service = Service::new("tickets", include_str!("../version.json"))
        .public(public)
        .openapi(http::openapi())
        .internal(http::internal_router(app.clone()), &service_keys)
        .task("relay", |stop| relay.run(stop));
    for subscription in events::subscriptions(&app) {
        let (mongo, bus) = (mongo.clone(), bus.clone());
        service = service.task("subscription", |stop| subscription.run(mongo, bus, stop));
    }
    Ok(service
        .task("settler", |stop| settle_changes(app, stop))
        .ready_when("mongodb", move || {
            let mongo = mongo.clone();
            async move { mongo.is_healthy().await }
        }))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
