//! Which settings each service gets. Passwords stay in Secrets: Kubernetes puts them into URLs when a pod starts.

use bigtix_crds::Service;
use bigtix_crds::platform::{EnvValue, EnvVar, Payments, Platform, Store};
use k8s_openapi::api::core::v1::{ConfigMapKeySelector, EnvVar as Variable, EnvVarSource};

use super::{ASKED_BY_PAGES, CALLS, INTERNAL, KEYS, PUBLIC, internal_url, is_called, public_url};
use crate::build::pod::{literal, secret};
use crate::build::{Shop, mongodb, nats, redis, store, stripe_double};
use crate::names::{self, Component};

/// The entry of a service's Secret with its password at MongoDB.
pub const MONGODB_ENTRY: &str = "mongodb";
/// The entry of a service's Secret with its password at NATS.
pub const NATS_ENTRY: &str = "nats";
/// The entry of a service's Secret with its password at Redis.
pub const REDIS_ENTRY: &str = "redis";
/// The entry of a Stripe account's Secret that pages show to browsers.
/// The entry of the Secret of a Stripe account that browsers get to know.
pub const PUBLISHABLE_KEY: &str = "publishableKey";
/// The entry of an external store's Secret.
pub(crate) const URI: &str = "uri";

/// Pods are reached through the ingress controller alone, which has an address within the cluster or its network.
const TRUSTED_PROXIES: &str =
    "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,198.18.0.0/15,127.0.0.0/8,::1,fc00::/7";

/// Whether the service reads the keys of session tokens.
pub(super) fn has_sessions(service: Service) -> bool {
    match service {
        Service::Auth | Service::Tickets | Service::Orders | Service::Payments => true,
        Service::Expiration | Service::Web => false,
    }
}

/// What the service is given, and last what its owner adds: a variable named by both has the owner's value.
pub(super) fn variables(shop: Shop<'_>, service: Service, own: &[EnvVar]) -> Vec<Variable> {
    let mut variables = process(shop, service);
    variables.extend(stores(shop, service));
    variables.extend(keys(shop, service));
    variables.extend(settings(shop, service));
    variables.retain(|variable| own.iter().all(|owners| owners.name != variable.name));
    variables.extend(own.iter().map(owners));
    variables
}

/// What every process reads.
fn process(shop: Shop<'_>, service: Service) -> Vec<Variable> {
    let mut variables = vec![literal("LISTEN", format!("0.0.0.0:{}", PUBLIC.number))];
    if is_called(service) {
        variables.push(literal("INTERNAL_LISTEN", format!("0.0.0.0:{}", INTERNAL.number)));
    }
    if let Some(endpoint) = &shop.platform.observability.otlp_endpoint {
        variables.extend([
            literal("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            literal("OTEL_SERVICE_NAME", service.as_str()),
        ]);
    }
    variables
}

fn stores(shop: Shop<'_>, service: Service) -> Vec<Variable> {
    let stores = &shop.platform.stores;
    let user = service.as_str();
    let mut variables = Vec::new();
    if service == Service::Web {
        return variables;
    }
    let connect = |variable, store: &Store, entry, password, url: &dyn Fn(&str) -> String| match store {
        Store::Managed(_) => {
            let credentials = names::credentials(shop.platform, Component::Service(service));
            let reference = format!("$({password})");
            vec![
                secret(password, credentials, entry),
                literal(variable, url(&reference)),
            ]
        }
        Store::External { secret_name } => vec![secret(variable, secret_name.as_str(), URI)],
    };
    variables.extend(connect(
        "MONGODB_URI",
        &stores.mongodb,
        MONGODB_ENTRY,
        "MONGODB_PASSWORD",
        &|password| mongodb::uri(shop, user, password),
    ));
    variables.push(literal("MONGODB_DATABASE", user));
    variables.extend(connect(
        "NATS_URL",
        &stores.nats,
        NATS_ENTRY,
        "NATS_PASSWORD",
        &|password| nats::url(shop, user, password),
    ));
    // Of somebody else's servers the number is not known; one copy is always possible.
    let copies = store::managed(&stores.nats).map(|managed| managed.replicas.to_string());
    variables.extend(copies.map(|copies| literal("NATS_REPLICAS", copies)));
    variables.extend(connect(
        "REDIS_URL",
        &stores.redis,
        REDIS_ENTRY,
        "REDIS_PASSWORD",
        &|password| redis::url(shop, password),
    ));
    variables
}

fn keys(shop: Shop<'_>, service: Service) -> Vec<Variable> {
    let platform = shop.platform;
    let mut variables = Vec::new();
    if has_sessions(service) {
        variables.push(secret("SESSION_KEYS", names::session_keys(platform), KEYS));
        variables.push(literal("SESSION_COMPAT", platform.session.compat.to_string()));
    }
    if CALLS
        .iter()
        .any(|(caller, called)| [*caller, *called].contains(&service))
    {
        variables.push(secret("SERVICE_KEYS", names::service_keys(platform), KEYS));
    }
    for (_, called) in CALLS.iter().filter(|(caller, _)| *caller == service) {
        let name = format!("{}_URL", called.as_str().to_uppercase());
        variables.push(literal(name, internal_url(shop, *called)));
    }
    variables
}

fn settings(shop: Shop<'_>, service: Service) -> Vec<Variable> {
    let platform = shop.platform;
    match service {
        Service::Auth => accounts(platform),
        Service::Orders => {
            let (reservation, held) = (platform.reservation, platform.max_held_tickets_per_user);
            vec![
                literal("RESERVATION_SECONDS", reservation.as_secs().to_string()),
                literal("MAX_HELD_TICKETS_PER_USER", held.to_string()),
            ]
        }
        Service::Payments => stripe(shop),
        Service::Web => pages(shop),
        Service::Tickets | Service::Expiration => Vec::new(),
    }
}

/// Where the pages ask, and how cards are taken. The double has no script: its test cards need none.
fn pages(shop: Shop<'_>) -> Vec<Variable> {
    let mut variables = vec![literal("PUBLIC_URL", shop.platform.ingress.url())];
    variables.extend(ASKED_BY_PAGES.iter().map(|asked| {
        let name = format!("{}_API_URL", asked.as_str().to_uppercase());
        literal(name, public_url(shop, *asked))
    }));
    match &shop.platform.payments {
        Payments::StripeDouble => variables.push(literal("STRIPE_TEST_CARDS", "true")),
        Payments::Account {
            secret_name,
            api_url: _,
            script_url,
        } => variables.extend([
            literal("STRIPE_TEST_CARDS", "false"),
            literal("STRIPE_SCRIPT_URL", script_url.to_string()),
            secret("STRIPE_PUBLISHABLE_KEY", secret_name.as_str(), PUBLISHABLE_KEY),
        ]),
    }
    variables
}

fn accounts(platform: &Platform) -> Vec<Variable> {
    let administrators: Vec<_> = platform.administrators.iter().map(ToString::to_string).collect();
    let lifetime = platform.session.lifetime.as_secs();
    let mut variables = vec![
        literal("SESSION_LIFETIME_SECONDS", lifetime.to_string()),
        literal("PUBLIC_URL", platform.ingress.url()),
        literal("TRUSTED_PROXIES", TRUSTED_PROXIES),
    ];
    // The API drops an empty value, and what it drops looks changed at every comparison.
    if !administrators.is_empty() {
        variables.push(literal("ADMINISTRATORS", administrators.join(",")));
    }
    variables
}

fn stripe(shop: Shop<'_>) -> Vec<Variable> {
    let platform = shop.platform;
    let (api_url, secret_name, return_url) = match &platform.payments {
        Payments::StripeDouble => {
            let credentials = names::credentials(platform, Component::StripeDouble);
            // The double refuses what it does not know, and it knows no banks.
            (stripe_double::url(shop), credentials, None)
        }
        Payments::Account {
            secret_name,
            api_url,
            script_url: _,
        } => {
            let return_url = format!("{}/orders", platform.ingress.url());
            (api_url.to_string(), secret_name.to_string(), Some(return_url))
        }
    };
    let mut variables = vec![
        literal("STRIPE_API_URL", api_url),
        secret("STRIPE_SECRET_KEY", &secret_name, stripe_double::SECRET_KEY),
        secret(
            "STRIPE_WEBHOOK_SECRET",
            &secret_name,
            stripe_double::WEBHOOK_SECRET,
        ),
    ];
    variables.extend(return_url.map(|url| literal("STRIPE_RETURN_URL", url)));
    variables
}

fn owners(EnvVar { name, value }: &EnvVar) -> Variable {
    match value {
        EnvValue::Literal(value) if value.is_empty() => Variable {
            name: name.clone(),
            ..Variable::default()
        },
        EnvValue::Literal(value) => literal(name, value),
        EnvValue::SecretKey { name: holder, key } => secret(name, holder.as_str(), key),
        EnvValue::ConfigMapKey { name: holder, key } => {
            let selector = ConfigMapKeySelector {
                name: holder.to_string(),
                key: key.clone(),
                optional: None,
            };
            let source = EnvVarSource {
                config_map_key_ref: Some(selector),
                ..EnvVarSource::default()
            };
            Variable {
                name: name.clone(),
                value: None,
                value_from: Some(source),
            }
        }
    }
}
