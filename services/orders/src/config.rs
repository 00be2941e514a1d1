//! Settings of the orders service.

use bigtix_service::Settings;
use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::limit::read_limit;
use bigtix_service::http::session::Sessions;
use bigtix_service::internal::read_service_keys;
use bigtix_service::mongo::MongoConfig;
use bigtix_service::nats::NatsConfig;
use bigtix_service::rate::RateConfig;

use crate::app::Rules;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) mongo: MongoConfig,
    pub(crate) nats: NatsConfig,
    pub(crate) sessions: Sessions,
    pub(crate) changes: RateConfig,
    pub(crate) service_keys: KeyRing,
    pub(crate) tickets_urls: Vec<String>,
    pub(crate) rules: Rules,
}

impl Config {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        let max_held = settings.count(
            "MAX_HELD_TICKETS_PER_USER",
            100,
            "how many unpaid tickets one buyer may hold",
        );
        Self {
            mongo: MongoConfig::read(settings, "orders"),
            nats: NatsConfig::read(settings),
            sessions: Sessions::read(settings),
            changes: read_limit(settings),
            service_keys: read_service_keys(settings),
            tickets_urls: settings.list(
                "TICKETS_URL",
                "internal addresses of the tickets service, one per instance",
            ),
            rules: Rules {
                reservation: settings.seconds(
                    "RESERVATION_SECONDS",
                    900,
                    "how long an order that is not paid holds its tickets",
                ),
                max_held: usize::try_from(max_held).unwrap_or(usize::MAX),
            },
        }
    }
}
