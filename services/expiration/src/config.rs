//! Settings of the expiration service.

use bigtix_service::Settings;
use bigtix_service::mongo::MongoConfig;
use bigtix_service::nats::NatsConfig;
use bigtix_service::redis::RedisConfig;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) mongo: MongoConfig,
    pub(crate) nats: NatsConfig,
    pub(crate) redis: RedisConfig,
}

impl Config {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            mongo: MongoConfig::read(settings, "expiration"),
            nats: NatsConfig::read(settings),
            redis: RedisConfig::read(settings),
        }
    }
}
