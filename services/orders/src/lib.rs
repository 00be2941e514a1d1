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

use std::sync::Arc;

use bigtix_service::http::for_people;
use bigtix_service::http::idempotency::Idempotency;
use bigtix_service::internal::Peer;
use bigtix_service::mongo::{Mongo, MongoConfig};
use bigtix_service::nats::Bus;
use bigtix_service::outbox::Outbox;
use bigtix_service::rate::RateLimit;
use bigtix_service::{Service, StartContext, StartError};
use bson::doc;

pub use config::Config;

use crate::adapters::Places;
use crate::adapters::memberships::{self, EnrolError};
use crate::app::{App, open_partition};
use crate::domain::partition::Partitioner;

/// Prepares the stores and wires the service.
///
/// # Errors
/// [`StartError::Store`] when MongoDB cannot be reached or refuses the indexes; [`StartError::Refused`] when the databases
/// are not those that the shop was made with.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let Config {
        databases,
        nats,
        sessions,
        changes,
        service_keys,
        tickets_urls,
        rules,
    } = config;
    let (partitioner, databases) = connect(databases).await?;
    let home = databases[0].clone();
    let owner = Peer::new("orders", "tickets", tickets_urls, service_keys.clone());
    let memory = adapters::copies::memory();
    let (mut partitions, mut clerks) = (Vec::new(), Vec::new());
    for (share, mongo) in partitioner.shares().zip(&databases) {
        let opened = open_partition(share, mongo, owner.clone(), memory.clone(), rules).await?;
        partitions.push(opened.0);
        clerks.push(opened.1);
    }
    // Keys are in the first database, so they go by its clock.
    let keys = Idempotency::prepare(home.clone(), partitions[0].clock.clone(), sessions.clone())
        .await
        .trying_to("prepare the keys")?;
    let changes = RateLimit::new("orders", &nats.prefix, &changes).trying_to("reach Redis")?;
    let bus = Bus::connect(&nats, "orders").await.trying_to("reach NATS")?;

    let app = Arc::new(App::new(
        partitioner,
        partitions.clone(),
        Places::new(partitioner, owner),
    ));
    let relay = Outbox {
        collection: adapters::claims::CLAIMS,
        filter: doc! {"kind": "order"},
        read: adapters::documents::read_event,
    }
    .relay(home.clone(), bus.clone())
    .and_from(databases.iter().skip(1).cloned());
    let public = for_people(http::router(app.clone()), sessions, changes.clone(), keys);

    let mut service = Service::new("orders", include_str!("../version.json"))
        .public(public)
        .openapi(http::openapi())
        .internal(http::internal_router(app.clone()), &service_keys)
        .task("relay", |stop| relay.run(stop))
        .limit(changes);
    for subscription in events::subscriptions(&app) {
        service = service.subscription(&home, &bus, subscription);
    }
    for ((partition, clerk), mongo) in partitions.into_iter().zip(clerks).zip(databases) {
        service = service
            .task("counter", |stop| clerk.serve(stop))
            .task("sweeper", |stop| app::sweep_orders(partition.orders, stop))
            .task("clock", |stop| partition.clock.follow(mongo, stop));
    }
    // Another partition that is away takes its own events with it and nothing else.
    Ok(service.needs_mongodb(home))
}

/// The databases of the partitions, in their order, once they are known to be this shop's.
async fn connect(configs: Vec<MongoConfig>) -> Result<(Partitioner, Vec<Mongo>), StartError> {
    let mut databases = Vec::with_capacity(configs.len());
    for (number, config) in configs.iter().enumerate() {
        let mongo = Mongo::connect(config).await;
        databases.push(match number {
            0 => mongo.trying_to("connect to MongoDB")?,
            _ => mongo.trying_to(&format!("connect to number {number} of MONGODB_PARTITION_URIS"))?,
        });
    }
    let what = "take the databases for this shop's";
    match memberships::enrol(&databases).await {
        Ok(()) => {}
        Err(EnrolError::Store(error)) => return Err(error).trying_to(what),
        Err(EnrolError::Misplaced(reason)) => {
            return Err(StartError::Refused {
                what: what.to_owned(),
                reason: reason.to_string(),
            });
        }
    }
    let partitioner = Partitioner::new(databases.len()).expect("as many as the settings may name");
    Ok((partitioner, databases))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
