//! Which settings each service gets: the resource's, and where everything is on this machine.

use std::collections::BTreeMap;

use bigtix_crds::platform::{EnvValue, Payments};
use bigtix_crds::{Platform, Service};

use crate::services::HELD;

use super::keys::Keys;

/// The proxies that a service believes: whatever is on this machine, which is the edge.
const THIS_MACHINE: &str = "127.0.0.0/8,::1";

/// Where Stripe is, or what stands for it, and how it is spoken to.
#[derive(Clone)]
pub(super) struct StripeAccess {
    pub(super) api_url: String,
    pub(super) secret_key: String,
    pub(super) webhook_secret: String,
    /// Where a bank sends the buyer back to. The double knows no such thing.
    pub(super) return_url: Option<String>,
    /// What the pay page loads, and the key with which that speaks to Stripe; without a key there is no card form.
    pub(super) script_url: String,
    pub(super) publishable_key: Option<String>,
    /// Whether a double takes the payments.
    pub(super) is_double: bool,
}

/// Where a service keeps what it knows and says what it does.
pub(super) struct StoreAccess {
    pub(super) mongodb_uri: String,
    pub(super) nats_url: String,
    pub(super) redis_url: String,
}

/// Everything that settings are made of.
pub(super) struct Wiring<'a> {
    pub(super) platform: &'a Platform,
    pub(super) keys: &'a Keys,
    pub(super) public_url: &'a str,
    /// Proxies before the edge, as the edge was told.
    pub(super) trusted_proxies: &'a str,
    pub(super) stripe: &'a StripeAccess,
    /// Addresses for calls between services, one per instance.
    pub(super) internal_urls: &'a BTreeMap<Service, Vec<String>>,
    /// Where users are served, for the pages.
    pub(super) public_urls: &'a BTreeMap<Service, String>,
    /// None for a service that has none.
    pub(super) stores: Option<StoreAccess>,
}

impl Wiring<'_> {
    /// The settings of one service.
    pub(super) fn settings(&self, service: Service) -> BTreeMap<String, String> {
        let platform = self.platform;
        let administrators: Vec<_> = platform.administrators.iter().map(ToString::to_string).collect();
        let proxies = match self.trusted_proxies {
            "" => THIS_MACHINE.to_owned(),
            more => format!("{THIS_MACHINE},{more}"),
        };
        let mut settings = vec![
            ("SESSION_KEYS", self.keys.sessions.clone()),
            ("SESSION_COMPAT", platform.session.compat.to_string()),
            (
                "SESSION_LIFETIME_SECONDS",
                platform.session.lifetime.as_secs().to_string(),
            ),
            ("SERVICE_KEYS", self.keys.services.clone()),
            ("TICKETS_URL", self.internal(Service::Tickets)),
            ("ORDERS_URL", self.internal(Service::Orders)),
            ("RESERVATION_SECONDS", platform.reservation.as_secs().to_string()),
            (
                "MAX_HELD_TICKETS_PER_USER",
                platform.max_held_tickets_per_user.to_string(),
            ),
            ("ADMINISTRATORS", administrators.join(",")),
            ("PUBLIC_URL", self.public_url.to_owned()),
            ("TRUSTED_PROXIES", proxies),
            ("OTEL_SERVICE_NAME", format!("bigtix-{service}")),
        ];
        if let Some(StoreAccess {
            mongodb_uri,
            nats_url,
            redis_url,
        }) = &self.stores
        {
            settings.extend([
                ("MONGODB_URI", mongodb_uri.clone()),
                ("MONGODB_DATABASE", service.as_str().to_owned()),
                ("NATS_URL", nats_url.clone()),
                ("REDIS_URL", redis_url.clone()),
            ]);
        }
        if let Some(endpoint) = &platform.observability.otlp_endpoint {
            settings.push(("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.to_string()));
        }
        match service {
            Service::Payments => settings.extend(self.payments()),
            Service::Web => settings.extend(self.pages()),
            Service::Auth | Service::Tickets | Service::Orders | Service::Expiration => {}
        }
        let own = platform
            .services
            .get(service)
            .into_iter()
            .flat_map(|workload| &workload.env)
            .filter_map(|variable| match &variable.value {
                EnvValue::Literal(value) => Some((variable.name.clone(), value.clone())),
                // Named among what is ignored: there are no such objects here.
                EnvValue::SecretKey { .. } | EnvValue::ConfigMapKey { .. } => None,
            });
        settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .chain(own)
            .collect()
    }

    fn payments(&self) -> Vec<(&'static str, String)> {
        let stripe = self.stripe;
        vec![
            ("STRIPE_API_URL", stripe.api_url.clone()),
            ("STRIPE_SECRET_KEY", stripe.secret_key.clone()),
            ("STRIPE_WEBHOOK_SECRET", stripe.webhook_secret.clone()),
            ("STRIPE_RETURN_URL", stripe.return_url.clone().unwrap_or_default()),
        ]
    }

    fn pages(&self) -> Vec<(&'static str, String)> {
        let url = |service| self.public_urls.get(&service).cloned().unwrap_or_default();
        let mut settings = vec![
            ("AUTH_API_URL", url(Service::Auth)),
            ("TICKETS_API_URL", url(Service::Tickets)),
            ("ORDERS_API_URL", url(Service::Orders)),
            ("PAYMENTS_API_URL", url(Service::Payments)),
            ("STRIPE_TEST_CARDS", self.stripe.is_double.to_string()),
        ];
        if let Some(key) = &self.stripe.publishable_key {
            settings.extend([
                ("STRIPE_SCRIPT_URL", self.stripe.script_url.clone()),
                ("STRIPE_PUBLISHABLE_KEY", key.clone()),
            ]);
        }
        settings
    }

    fn internal(&self, service: Service) -> String {
        self.internal_urls
            .get(&service)
            .map(|urls| urls.join(","))
            .unwrap_or_default()
    }
}

/// The settings of every service with every address and key as if it were the same at each start: what differs between two
/// of these differs because of the resource. `instances` says how many of a service run.
pub(crate) fn foreseen(
    platform: &Platform,
    instances: impl Fn(Service) -> u32,
) -> BTreeMap<Service, BTreeMap<String, String>> {
    let same = |text: &str| text.to_owned();
    let keys = Keys {
        sessions: String::new(),
        services: String::new(),
        stripe: String::new(),
        webhook: String::new(),
    };
    let (api_url, script_url, is_double) = match &platform.payments {
        Payments::StripeDouble => (same("double"), same("double"), true),
        Payments::Account {
            secret_name: _,
            api_url,
            script_url,
        } => (api_url.to_string(), script_url.to_string(), false),
    };
    let stripe = StripeAccess {
        api_url,
        secret_key: String::new(),
        webhook_secret: String::new(),
        return_url: (!is_double).then(|| same("orders")),
        script_url,
        publishable_key: Some(String::new()),
        is_double,
    };
    let urls = |service: Service| {
        (1..=instances(service))
            .map(|number| format!("{service}-{number}"))
            .collect()
    };
    let internal_urls: BTreeMap<Service, Vec<String>> = HELD
        .iter()
        .map(|held| (held.service, urls(held.service)))
        .collect();
    let public_urls = HELD
        .iter()
        .map(|held| (held.service, held.service.to_string()))
        .collect();
    let settings = |held: &crate::services::Held| {
        let wiring = Wiring {
            platform,
            keys: &keys,
            public_url: "",
            trusted_proxies: "",
            stripe: &stripe,
            internal_urls: &internal_urls,
            public_urls: &public_urls,
            stores: None,
        };
        (held.service, wiring.settings(held.service))
    };
    HELD.iter().map(settings).collect()
}
