//! The payments service: authorise at Stripe, confirm the order, capture, complete the order, in this order; so that
//! money is never kept for an order that is not complete.
//!
//! Owns payments, one document per attempt, and publishes `payments.payment.*`; consumes `orders.order.*` to learn of
//! orders that closed while their buyer was at the bank. All that decides about orders is asked of the orders service
//! directly, so paying works while the bus is down.

mod adapters;
mod app;
mod config;
mod domain;
mod events;
mod http;

use axum::{Extension, middleware};
use bigtix_service::http::idempotency::{self, Idempotency};
use bigtix_service::internal::Peer;
use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::{Service, StartError};

use crate::adapters::orders::Orders;
use crate::adapters::rows::{self, Rows};
use crate::adapters::stripe::Stripe;
use crate::adapters::webhook_inbox::WebhookInbox;
use crate::app::App;

pub use config::Config;

/// The service's name.
const NAME: &str = "payments";

/// Prepares the stores and wires the service.
///
/// # Errors
/// [`StartError::Store`] when MongoDB cannot be reached or lacks the index that safety rests on.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let mongo = Mongo::connect(&config.mongo)
        .await
        .map_err(|e| StartError::store("connect to MongoDB", e))?;
    let bus = Bus::connect(&config.nats, NAME)
        .await
        .map_err(|e| StartError::store("reach NATS", e))?;
    let rows = Rows::prepare(&mongo, config.lease())
        .await
        .map_err(|e| StartError::store("prepare the payments", e))?;
    let inbox = WebhookInbox::prepare(&mongo)
        .await
        .map_err(|e| StartError::store("prepare the webhook inbox", e))?;
    let keys = Idempotency::prepare(mongo.clone(), config.sessions.clone());
    let keys = keys
        .await
        .map_err(|e| StartError::store("prepare the idempotency keys", e))?;
    let stripe = Stripe::new(&config.stripe).map_err(|e| StartError::store("read the Stripe settings", e))?;
    let orders = Orders::new(Peer::new(NAME, "orders", config.orders_urls, config.service_keys));
    let app = App::new(
        rows,
        stripe,
        orders,
        inbox,
        config.webhook_secrets,
        config.patience,
        config.give_up,
    );

    let routes = http::payments(app.clone())
        .layer(middleware::from_fn_with_state(keys, idempotency::honour_key))
        .layer(Extension(config.sessions))
        .merge(http::webhooks(app.clone()));
    let relay = rows::outbox().relay(mongo.clone(), bus.clone());
    let subscription = events::orders(app.clone());
    let (reconciler, reader) = (app.clone(), app);
    let (consumed, healthy) = ((mongo.clone(), bus), mongo);
    Ok(Service::new(NAME, include_str!("../version.json"))
        .public(routes)
        .openapi(http::openapi())
        .task("relay", |stop| relay.run(stop))
        .task("orders", |stop| subscription.run(consumed.0, consumed.1, stop))
        .task("reconciler", |stop| reconciler.reconcile(stop))
        .task("webhooks", |stop| reader.read_webhooks(stop))
        .ready_when("mongodb", move || {
            let mongo = healthy.clone();
            async move { mongo.is_healthy().await }
        }))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
