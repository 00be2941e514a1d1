//! Settings of the tickets service.

use bigtix_service::Settings;
use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::limit::read_limit;
use bigtix_service::http::session::Sessions;
use bigtix_service::internal::read_service_keys;
use bigtix_service::mongo::MongoConfig;
use bigtix_service::nats::NatsConfig;
use bigtix_service::rate::RateConfig;

use crate::adapters::ticketmaster::ProviderConfig;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) mongo: MongoConfig,
    pub(crate) nats: NatsConfig,
    pub(crate) sessions: Sessions,
    pub(crate) changes: RateConfig,
    pub(crate) service_keys: KeyRing,
    pub(crate) orders_urls: Vec<String>,
    pub(crate) provider: ProviderConfig,
}

impl Config {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            mongo: MongoConfig::read(settings, "tickets"),
            nats: NatsConfig::read(settings),
            sessions: Sessions::read(settings),
            changes: read_limit(settings),
            service_keys: read_service_keys(settings),
            orders_urls: settings.list(
                "ORDERS_URL",
                "internal addresses of the orders service, one per instance",
            ),
            provider: ProviderConfig {
                url: settings.text(
                    "TICKETMASTER_API_URL",
                    "https://app.ticketmaster.com",
                    "where events are imported from",
                ),
                key: settings.optional_secret(
                    "TICKETMASTER_API_KEY",
                    "key of the event provider; absent: nothing is imported",
                ),
            },
        }
    }
}
