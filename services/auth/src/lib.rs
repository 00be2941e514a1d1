//! The auth service: who somebody is.
//!
//! Owns users, their passwords' hashes, and the failures of late sign-ins. Publishes `auth.user.*`; listens to nobody.
//! Sessions are tokens that every service verifies by itself, so nothing is asked of this service to check one.

mod adapters;
mod app;
mod config;
mod domain;
mod http;

use std::sync::Arc;

use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::outbox::Outbox;
use bigtix_service::rate::RateLimit;
use bigtix_service::{Service, StartContext, StartError};
use bson::doc;

pub use config::Config;

use crate::adapters::attempts::Attempts;
use crate::adapters::passwords::Passwords;
use crate::adapters::users::{self, Users};
use crate::app::App;

/// Prepares the stores and wires the service.
///
/// # Errors
/// [`StartError::Store`] when MongoDB cannot be reached or refuses the indexes, or when the password hash's parameters
/// are of no use.
pub async fn service(config: Config) -> Result<Service, StartError> {
    let Config {
        mongo,
        nats,
        sessions,
        hashing,
        rules,
        edge,
        requests,
    } = config;
    let mongo = Mongo::connect(&mongo).await.trying_to("connect to MongoDB")?;
    let users = Users::prepare(&mongo).await.trying_to("prepare the users")?;
    let attempts = Attempts::prepare(&mongo, rules.limits.window)
        .await
        .trying_to("prepare the attempts")?;
    let passwords = Passwords::prepare(hashing)
        .await
        .trying_to("prepare the password hash")?;
    let requests = RateLimit::new("auth", &nats.prefix, &requests).trying_to("reach Redis")?;
    let bus = Bus::connect(&nats, "auth").await.trying_to("reach NATS")?;
    let relay = Outbox {
        collection: users::USERS,
        filter: doc! {},
        read: users::read_event,
    }
    .relay(mongo.clone(), bus);
    let app = Arc::new(App {
        users,
        attempts,
        passwords,
        sessions,
        rules,
    });
    Ok(Service::new("auth", include_str!("../version.json"))
        .public(http::router(app, edge, requests.clone()))
        .openapi(http::openapi())
        .task("relay", |stop| relay.run(stop))
        .limit(requests)
        .needs_mongodb(mongo))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
