//! The table of connections.

use bigtix_crds::platform::{BackupTarget, EnvValue, NetworkPolicy, Payments, Store};
use bigtix_crds::{Platform, Service};

use crate::build::endpoint::Port;
use crate::build::{Shop, address, components, ingress, mongodb, nats, redis, service, stripe_double};
use crate::names::Component;

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The pods of a component of the same shop.
    Pods(Component),
    /// Every pod of a namespace.
    Namespace(String),
    /// Every pod of the cluster.
    AnyNamespace,
    /// Every address of the public internet.
    Public,
    /// Everybody.
    Anybody,
}

/// One connection that is let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Who connects.
    pub from: End,
    /// Who answers.
    pub to: End,
    /// At which port of the pod; none means any.
    pub port: Option<u16>,
}

const STRIPE: &str = "api.stripe.com";
const HTTPS: u16 = 443;
/// Where collectors of traces listen. A policy sees the pod's port, and the URL may name another one of a Service.
const COLLECTOR: u16 = 4318;
/// The two settings of the provider that events are imported from; without the key nothing is.
const PROVIDER_URL: &str = "TICKETMASTER_API_URL";
const PROVIDER_KEY: &str = "TICKETMASTER_API_KEY";

/// Every connection that the shop needs.
#[must_use]
pub fn edges(shop: Shop<'_>) -> Vec<Edge> {
    let mut edges = Vec::new();
    let services = shop.platform.services.iter().map(|(service, _)| service);
    for service in services {
        edges.extend(to_stores(shop.platform, service));
        edges.extend(to_outside(shop.platform, service));
        edges.extend(from_outside(shop, service));
    }
    edges.extend(calls(shop.platform));
    edges.extend(within_stores(shop));
    edges.extend(with_the_double(shop.platform));
    edges.extend(of_backups(shop.platform));
    edges
}

fn edge(from: End, to: End, port: impl Into<Option<u16>>) -> Edge {
    Edge {
        from,
        to,
        port: port.into(),
    }
}

fn pods(service: Service) -> End {
    End::Pods(Component::Service(service))
}

fn to_stores(platform: &Platform, service: Service) -> Vec<Edge> {
    let stores = &platform.stores;
    let mut used = Vec::new();
    if service != Service::Web {
        used.push((&stores.mongodb, Component::Mongodb, mongodb::PORT));
        used.push((&stores.nats, Component::Nats, nats::CLIENTS));
        used.push((&stores.redis, Component::Redis, redis::PORT));
    }
    used.into_iter()
        .map(|(store, component, port)| to_store(pods(service), store, component, port))
        .collect()
}

fn to_store(from: End, store: &Store, component: Component, port: Port) -> Edge {
    match store {
        Store::Managed(_) => edge(from, End::Pods(component), port.number),
        // Where it is stands in a Secret, and nothing is built from what a Secret says.
        Store::External { secret_name: _ } => edge(from, End::Anybody, None),
    }
}

/// To the database, and to the bucket where archives are kept in one.
fn of_backups(platform: &Platform) -> Vec<Edge> {
    let Some(backup) = &platform.backup else {
        return Vec::new();
    };
    let from = End::Pods(Component::Backup);
    let database = to_store(
        from.clone(),
        &platform.stores.mongodb,
        Component::Mongodb,
        mongodb::PORT,
    );
    let bucket = match &backup.target {
        BackupTarget::Volume(_) => None,
        BackupTarget::S3 { endpoint: None, .. } => Some(edge(from, End::Public, HTTPS)),
        BackupTarget::S3 {
            endpoint: Some(url), ..
        } => {
            let port = address::of(url.as_str()).map(|address| address.port);
            Some(edge(from, End::Anybody, port))
        }
    };
    [Some(database), bucket].into_iter().flatten().collect()
}

fn calls(platform: &Platform) -> Vec<Edge> {
    let exists = |service: &Service| platform.services.get(*service).is_some();
    let calls = service::CALLS
        .iter()
        .map(|(caller, called)| (*caller, *called, service::INTERNAL.number));
    let pages = service::ASKED_BY_PAGES
        .iter()
        .map(|asked| (Service::Web, *asked, service::PUBLIC.number));
    calls
        .chain(pages)
        .filter(|(caller, called, _)| exists(caller) && exists(called))
        .map(|(caller, called, port)| edge(pods(caller), pods(called), port))
        .collect()
}

/// To Stripe, to the provider of events, to the collector of traces.
fn to_outside(platform: &Platform, service: Service) -> Vec<Edge> {
    let mut edges = Vec::new();
    if let (Service::Payments, Payments::Account { api_url, .. }) = (service, &platform.payments) {
        edges.push(edge_to(service, api_url.as_str()));
    }
    if service == Service::Tickets && owners(platform, service, PROVIDER_KEY).is_some() {
        edges.push(match owners(platform, service, PROVIDER_URL) {
            None => edge(pods(service), End::Public, HTTPS),
            Some(EnvValue::Literal(url)) => edge_to(service, url),
            Some(EnvValue::SecretKey { .. } | EnvValue::ConfigMapKey { .. }) => {
                edge(pods(service), End::Anybody, None)
            }
        });
    }
    if let Some(endpoint) = &platform.observability.otlp_endpoint {
        let named = address::of(endpoint.as_str()).map_or(COLLECTOR, |address| address.port);
        edges.push(edge(pods(service), End::Anybody, named));
        if named != COLLECTOR {
            edges.push(edge(pods(service), End::Anybody, COLLECTOR));
        }
    }
    edges
}

/// Stripe has no fixed addresses, but public ones. What another URL leads to may be within the cluster.
fn edge_to(service: Service, url: &str) -> Edge {
    match address::of(url) {
        Some(address) if address.host == STRIPE => edge(pods(service), End::Public, address.port),
        Some(address) => edge(pods(service), End::Anybody, address.port),
        None => edge(pods(service), End::Anybody, None),
    }
}

fn owners<'a>(platform: &'a Platform, service: Service, name: &str) -> Option<&'a EnvValue> {
    let own = &platform.services.get(service)?.env;
    own.iter()
        .find(|variable| variable.name == name)
        .map(|variable| &variable.value)
}

/// From the ingress controller, from the operator, which judges a rollout by the pods' metrics, and from whoever else collects
/// them.
fn from_outside(shop: Shop<'_>, service: Service) -> Vec<Edge> {
    let port = service::PUBLIC.number;
    let mut edges = vec![edge(operator(shop), pods(service), port)];
    if ingress::routed(shop).any(|(_, routed)| routed == service) {
        let from = match &shop.platform.network_policy {
            NetworkPolicy::Enforced {
                ingress_namespace: Some(namespace),
            } => End::Namespace(namespace.to_string()),
            NetworkPolicy::Enforced {
                ingress_namespace: None,
            }
            | NetworkPolicy::Disabled => End::Anybody,
        };
        edges.push(edge(from, pods(service), port));
    }
    if shop.platform.observability.pod_monitor {
        // Where Prometheus runs is not said.
        edges.push(edge(End::AnyNamespace, pods(service), port));
    }
    edges
}

/// Between the members of a store, and from the operator, which sets them up and asks how they are.
fn within_stores(shop: Shop<'_>) -> Vec<Edge> {
    let exists = |component| components(shop).contains(&component);
    [
        (Component::Mongodb, mongodb::PORT, mongodb::PORT),
        (Component::Nats, nats::ROUTES, nats::MONITORING),
    ]
    .into_iter()
    .filter(|(component, ..)| exists(*component))
    .flat_map(|(component, members, operators)| {
        let there = End::Pods(component);
        [
            edge(there.clone(), there.clone(), members.number),
            edge(operator(shop), there, operators.number),
        ]
    })
    .collect()
}

fn with_the_double(platform: &Platform) -> Vec<Edge> {
    let (double, payments) = (End::Pods(Component::StripeDouble), pods(Service::Payments));
    match (&platform.payments, platform.services.get(Service::Payments)) {
        (Payments::StripeDouble, Some(_)) => vec![
            edge(payments.clone(), double.clone(), stripe_double::PORT.number),
            edge(double, payments, service::PUBLIC.number),
        ],
        (Payments::StripeDouble, None) | (Payments::Account { .. }, _) => Vec::new(),
    }
}

fn operator(shop: Shop<'_>) -> End {
    End::Namespace(shop.operator_namespace.to_owned())
}
