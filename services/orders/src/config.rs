//! Settings of the orders service.

use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::limit::read_limit;
use bigtix_service::http::session::Sessions;
use bigtix_service::internal::read_service_keys;
use bigtix_service::mongo::MongoConfig;
use bigtix_service::nats::NatsConfig;
use bigtix_service::rate::RateConfig;
use bigtix_service::{Secret, Settings};

use crate::app::Rules;
use crate::domain::partition::MOST;

const PARTITION_URIS: &str = "MONGODB_PARTITION_URIS";

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// One for each partition, in order; the first one is the service's own.
    pub(crate) databases: Vec<MongoConfig>,
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
            databases: read_databases(settings),
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

/// The service's own database, and those among which events are spread besides. Each has a name of its own, so that several
/// may be on one replica set.
fn read_databases(settings: &mut Settings) -> Vec<MongoConfig> {
    let home = MongoConfig::read(settings, "orders");
    let further = settings.optional_secret(
        PARTITION_URIS,
        "replica sets of further partitions, a URI each, separated by spaces; number 1 keeps its orders in the database \
         MONGODB_DATABASE-1, and how many there are is fixed when the shop is made",
    );
    let uris = further.iter().flat_map(|uris| uris.expose().split_whitespace());
    let further = uris.zip(1_usize..).map(|(uri, number)| MongoConfig {
        uri: Secret::new(uri),
        database: format!("{}-{number}", home.database),
    });
    let databases: Vec<MongoConfig> = std::iter::once(home.clone()).chain(further).collect();
    if databases.len() > MOST {
        settings.refuse(PARTITION_URIS, format!("must be at most {}", MOST - 1));
    }
    databases
}
