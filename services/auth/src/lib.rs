//! The auth service: who somebody is.
//!
//! Owns users, their passwords' hashes, and the failures of late sign-ins. Publishes `auth.user.*`; listens to nobody.
//! Sessions are tokens that every service verifies by itself, so nothing is asked of this service to check one.

mod adapters;
mod app;
mod config;
mod domain;
mod http;

use bigtix_service::mongo::Mongo;
use bigtix_service::nats::Bus;
use bigtix_service::outbox::Outbox;
use bigtix_service::{Service, StartError};
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
    } = config;
    let mongo = Mongo::connect(&mongo)
        .await
        .map_err(|error| StartError::store("connect to MongoDB", error))?;
    let users = Users::prepare(&mongo)
        .await
        .map_err(|error| StartError::store("prepare the users", error))?;
    let attempts = Attempts::prepare(&mongo, rules.limits.window)
        .await
        .map_err(|error| StartError::store("prepare the attempts", error))?;
    let passwords = Passwords::prepare(hashing)
        .await
        .map_err(|error| StartError::store("prepare the password hash", error))?;
    let bus = Bus::connect(&nats, "auth")
        .await
        .map_err(|error| StartError::store("reach NATS", error))?;
    let relay = Outbox {
        collection: users::USERS,
        filter: doc! {},
        read: users::read_event,
    }
    .relay(mongo.clone(), bus);
    let app = App {
        users,
        attempts,
        passwords,
        sessions,
        rules,
    };
    Ok(Service::new("auth", include_str!("../version.json"))
        .public(http::router(app, edge))
        .openapi(http::openapi())
        .task("relay", |stop| relay.run(stop))
        .ready_when("mongodb", move || {
            let mongo = mongo.clone();
            async move { mongo.is_healthy().await }
        }))
}

/// The service's REST API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    http::openapi()
}
