//! The settings of the payments service.

use std::time::Duration;

use bigtix_service::http::keys::KeyRing;
use bigtix_service::http::limit::read_limit;
use bigtix_service::http::session::Sessions;
use bigtix_service::internal::read_service_keys;
use bigtix_service::mongo::MongoConfig;
use bigtix_service::nats::NatsConfig;
use bigtix_service::rate::RateConfig;
use bigtix_service::{Secret, Settings};

use crate::NAME;
use crate::adapters::stripe::StripeConfig;

/// Everything that the payments service reads from its environment.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where payments are kept.
    pub mongo: MongoConfig,
    /// Where order events come from and payment events go to.
    pub nats: NatsConfig,
    /// Who is signed in.
    pub sessions: Sessions,
    /// How many changes one user may ask for.
    pub changes: RateConfig,
    /// What services show each other.
    pub service_keys: KeyRing,
    /// The internal addresses of the orders service.
    pub orders_urls: Vec<String>,
    /// How Stripe is reached.
    pub stripe: StripeConfig,
    /// What Stripe signs webhooks with; two of them while one is rotated.
    pub webhook_secrets: Vec<Secret>,
    /// How long a request waits for its payment to be settled.
    pub patience: Duration,
    /// How long Stripe may leave a payment without an intent before it is given up.
    pub give_up: Duration,
}

impl Config {
    /// Reads it.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            mongo: MongoConfig::read(settings, NAME),
            nats: NatsConfig::read(settings),
            sessions: Sessions::read(settings),
            changes: read_limit(settings),
            service_keys: read_service_keys(settings),
            orders_urls: settings.list("ORDERS_URL", "the internal base URLs of the orders service"),
            stripe: StripeConfig {
                url: settings.text("STRIPE_API_URL", "https://api.stripe.com/", "where Stripe's API is"),
                secret_key: settings.secret("STRIPE_SECRET_KEY", "the shop's key at Stripe"),
                return_url: settings
                    .optional("STRIPE_RETURN_URL", "where a bank sends the buyer back to; needed for banks that redirect"),
                deadline: settings.milliseconds("STRIPE_DEADLINE_MILLISECONDS", 8_000, "how long one call to Stripe may take"),
            },
            webhook_secrets: read_webhook_secrets(settings),
            patience: settings.milliseconds(
                "PAYMENT_PATIENCE_MILLISECONDS",
                10_000,
                "how long a request waits for its payment before it answers that the outcome is not known yet",
            ),
            give_up: settings.seconds(
                "PAYMENT_GIVE_UP_SECONDS",
                60,
                "how long Stripe may answer with errors of its own, and list no payment, before an attempt has failed",
            ),
        }
    }

    /// How long a worker has a payment before others may take it: longer than any one call.
    pub(crate) fn lease(&self) -> Duration {
        self.stripe.deadline + Duration::from_secs(2)
    }
}

fn read_webhook_secrets(settings: &mut Settings) -> Vec<Secret> {
    let text = settings.secret(
        "STRIPE_WEBHOOK_SECRET",
        "what Stripe signs webhooks with; several, separated by commas, while one is rotated",
    );
    let parts = text
        .expose()
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(Secret::new).collect()
}
