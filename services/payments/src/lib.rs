//! The payments service: authorise at Stripe, confirm the order, capture, complete the order, in this order; so that
//! money is never kept for an order that is not complete.
//!
//! Owns payments, one document per attempt, and publishes `payments.payment.*`; consumes `orders.order.*` to learn of
//! orders that closed while their buyer was at the bank. All that decides about orders is asked of the orders service
//! directly, so paying works while the bus is down.

mod adapters;
mod app;
mod config;
pub mod domain;
mod events;
mod http;

use std::sync::Arc;

use bigtix_service::clock::StoreClock;
use bigtix_service::http::for_people;
use bigtix_service::http::idempotency::Idempotency;
use bigtix_service::internal::Peer;
use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::rate::RateLimit;
use bigtix_service::{Service, StartContext, StartError, Strain};

use crate::adapters::orders::Orders;
use crate::adapters::rows::{self, Rows};
use crate::adapters::stripe::Stripe;
use crate::adapters::webhook_inbox::WebhookInbox;
use crate::app::{App, Timing};

pub use config::Config;

/// The service's name.
const NAME: &str = "payments";

/// Prepares the stores and wires the service.
///
/// # Errors
/// [`StartError::Store`] when MongoDB cannot be reached or lacks the index that safety rests on, and
/// [`StartError::Refused`] when Stripe refuses the key.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let mongo = Mongo::connect(&config.mongo)
        .await
        .trying_to("connect to MongoDB")?;
    let clock = StoreClock::learn(&mongo)
        .await
        .trying_to("read MongoDB's clock")?;
    let bus = Bus::connect(&config.nats, NAME).await.trying_to("reach NATS")?;
    let rows = Rows::prepare(&mongo, clock.clone(), config.lease())
        .await
        .trying_to("prepare the payments")?;
    let inbox = WebhookInbox::prepare(&mongo, clock.clone())
        .await
        .trying_to("prepare the webhook inbox")?;
    let keys = Idempotency::prepare(mongo.clone(), clock.clone(), config.sessions.clone())
        .await
        .trying_to("prepare the idempotency keys")?;
    let stripe = Stripe::new(&config.stripe).trying_to("read the Stripe settings")?;
    stripe.accepts_key().await?;
    let strain = Strain::default();
    let peer = Peer::new(NAME, "orders", config.orders_urls, config.service_keys);
    let orders = Orders::new(peer.telling(strain.clone()));
    let app = Arc::new(App::new(
        rows,
        stripe,
        orders,
        inbox,
        config.webhook_secrets,
        Timing {
            clock: clock.clone(),
            patience: config.patience,
            give_up: config.give_up,
        },
    ));

    let changes = RateLimit::new(NAME, &config.nats.prefix, &config.changes).trying_to("reach Redis")?;
    let people = for_people(
        http::payments(app.clone()),
        config.sessions,
        changes.clone(),
        keys,
    );
    let routes = people.merge(http::webhooks(app.clone()));
    let relay = rows::outbox().relay(mongo.clone(), bus.clone());
    let subscription = events::orders(app.clone());
    let (reconciler, reader, follower) = (app.clone(), app, mongo.clone());
    Ok(Service::new(NAME, include_str!("../version.json"))
        .public(routes)
        .finishes_what_was_begun(strain)
        .openapi(http::openapi())
        .task("relay", |stop| relay.run(stop))
        .limit(changes)
        .subscription(&mongo, &bus, subscription)
        .task("reconciler", |stop| reconciler.reconcile(stop))
        .task("webhooks", |stop| reader.read_webhooks(stop))
        .task("clock", |stop| clock.follow(follower, stop))
        .needs_mongodb(mongo))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
