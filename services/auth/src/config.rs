//! Settings of the auth service.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use bigtix_contracts::network::Network;
use bigtix_service::Settings;
use bigtix_service::http::session::Sessions;
use bigtix_service::mongo::MongoConfig;
use bigtix_service::nats::NatsConfig;
use bigtix_service::rate::RateConfig;

use crate::adapters::passwords::HashingCost;
use crate::app::Rules;
use crate::domain::attempts::AttemptLimits;
use crate::domain::client_address::TrustedProxies;
use crate::domain::credentials::{Email, PasswordPolicy};
use crate::http::Edge;

/// The proxies that are trusted unless others are named: those on the same machine.
const LOOPBACK: &str = "127.0.0.0/8,::1";

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) mongo: MongoConfig,
    pub(crate) nats: NatsConfig,
    pub(crate) sessions: Sessions,
    pub(crate) hashing: HashingCost,
    pub(crate) rules: Rules,
    pub(crate) edge: Edge,
    pub(crate) requests: RateConfig,
}

impl Config {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            mongo: MongoConfig::read(settings, "auth"),
            nats: NatsConfig::read(settings),
            sessions: Sessions::read(settings),
            hashing: read_hashing(settings),
            rules: read_rules(settings),
            edge: read_edge(settings),
            requests: RateConfig::read(
                settings,
                "REQUESTS_PER_ADDRESS_PER_SECOND",
                30,
                "sign-ups, sign-ins and sign-outs from one address in a second, and ten times as many at once; 0: any number",
            ),
        }
    }
}

fn read_hashing(settings: &mut Settings) -> HashingCost {
    HashingCost {
        memory: settings.parsed(
            "PASSWORD_HASH_MEMORY_KIB",
            "a whole number",
            19_456,
            "memory of one argon2id hash",
        ),
        iterations: settings.parsed(
            "PASSWORD_HASH_ITERATIONS",
            "a whole number",
            2,
            "passes of argon2id over its memory",
        ),
        parallelism: settings.parsed(
            "PASSWORD_HASH_PARALLELISM",
            "a whole number",
            1,
            "lanes of argon2id",
        ),
        workers: match settings.count(
            "PASSWORD_HASH_WORKERS",
            0,
            "passwords that are hashed at once; 0: one a core",
        ) {
            0 => available_parallelism().map_or(2, NonZeroUsize::get),
            workers => usize::try_from(workers).unwrap_or(usize::MAX),
        },
        queue: settings.parsed(
            "PASSWORD_HASH_QUEUE",
            "a whole number",
            256,
            "passwords that may wait to be hashed; more are answered 503",
        ),
    }
}

fn read_rules(settings: &mut Settings) -> Rules {
    let limits = AttemptLimits {
        per_pair: settings.parsed(
            "SIGN_IN_FAILURES_PER_EMAIL",
            "a whole number",
            10,
            "failed sign-ins of one email from one address before it has to wait",
        ),
        per_address: settings.parsed(
            "SIGN_IN_FAILURES_PER_ADDRESS",
            "a whole number",
            100,
            "failed sign-ins from one address before it has to wait",
        ),
        window: settings.seconds(
            "SIGN_IN_FAILURE_WINDOW_SECONDS",
            300,
            "how long a failed sign-in counts",
        ),
    };
    let mut administrators = BTreeSet::new();
    for email in settings.list("ADMINISTRATORS", "emails of those who may refund any order") {
        match email.parse::<Email>() {
            Ok(email) => drop(administrators.insert(email)),
            Err(_) => settings.refuse("ADMINISTRATORS", format!("has {email:?}, which is no email")),
        }
    }
    Rules {
        policy: settings.parsed("PASSWORD_POLICY", "default or basic", PasswordPolicy::Default, "default: 8 to 64 characters with a digit, an upper-case and a lower-case letter; basic: 4 to 64 characters"),
        limits,
        session_lifetime: settings.seconds("SESSION_LIFETIME_SECONDS", 12 * 60 * 60, "how long a session lasts"),
        administrators,
    }
}

fn read_edge(settings: &mut Settings) -> Edge {
    let url = settings.text(
        "PUBLIC_URL",
        "",
        "where users reach the shop; cookies are Secure when it begins with https",
    );
    let text = settings.text(
        "TRUSTED_PROXIES",
        LOOPBACK,
        "addresses and ranges of proxies whose X-Forwarded-* headers count",
    );
    let networks: Result<Vec<Network>, _> = text.split(',').map(|network| network.trim().parse()).collect();
    let networks = networks.unwrap_or_else(|why| {
        settings.refuse("TRUSTED_PROXIES", why);
        Vec::new()
    });
    Edge {
        is_https: url.starts_with("https://"),
        proxies: TrustedProxies::new(networks),
    }
}
