//! NATS with JetStream: one account, a user per service that may say and hear only its own.

mod configuration;

use std::collections::BTreeMap;

use bigtix_crds::Service;
use bigtix_crds::platform::{ManagedStore, Quantity};
use k8s_openapi::api::core::v1::{Container, EnvVar, ExecAction, Lifecycle, LifecycleHandler};

use super::endpoint::{self, Port};
use super::pod::{self, Pace, Pod};
use super::store::{self, managed, mount};
use super::{Child, Shop, amounts, meta};
use crate::names::{self, Component};

pub use super::store::volume_size;

/// Where clients connect.
pub const CLIENTS: Port = Port {
    name: "nats",
    number: 4222,
};
/// Where servers connect to each other.
pub const ROUTES: Port = Port {
    name: "routes",
    number: 6222,
};
/// Where a server says how it is.
pub const MONITORING: Port = Port {
    name: "monitoring",
    number: 8222,
};
/// The user, and the entry of the store's Secret with its password, that may do everything in the account.
pub const ADMIN: &str = "admin";
/// The user, and the entry of the store's Secret with its password, that servers show each other.
pub const ROUTES_USER: &str = "routes";

const ME: Component = Component::Nats;
const FILE: &str = "nats.conf";
const CONFIG: &str = "config";
/// The share of its memory that the collector keeps the server within.
const HEAP_PERCENT: u64 = 90;
/// Longer than the lame duck lasts.
const GRACE_SECONDS: i64 = 60;
/// Of a server of which others exist. It asks its clients to go to them one by one before it stops.
const LAME_DUCK: [&str; 2] = ["nats-server", "-sl=ldm=1"];

/// Everything that carries NATS; nothing where somebody else runs it. `template_size` is the size of the volumes that the
/// StatefulSet was created with, none when there is none yet.
#[must_use]
pub fn children(shop: Shop<'_>, template_size: Option<&Quantity>) -> Vec<Child> {
    let Some(store) = managed(&shop.platform.stores.nats) else {
        return Vec::new();
    };
    let text = configuration::text(shop.platform.name.as_str(), store.replicas, &users(shop));
    let mut children = vec![
        pod::account(shop, ME),
        store::configuration(shop, ME, FILE, &text),
        endpoint::members(shop, ME, &[CLIENTS, ROUTES, MONITORING]),
        endpoint::balanced(shop, ME, &[CLIENTS]),
        stateful_set(shop, store, template_size, &text),
    ];
    children.extend(pod::budget(shop, ME, store.replicas));
    children
}

/// The services that are on the bus, each with a user and an entry of the store's Secret of its name. Passwords have to
/// begin with a letter and consist of letters, digits, `-` and `_`.
#[must_use]
pub fn users(shop: Shop<'_>) -> Vec<Service> {
    let services = shop.platform.services.iter().map(|(service, _)| service);
    services.filter(|service| *service != Service::Web).collect()
}

/// How a service connects; `password` may be a reference to a variable.
#[must_use]
pub fn url(shop: Shop<'_>, user: &str, password: &str) -> String {
    format!(
        "nats://{user}:{password}@{}:{}",
        ME.object_name(shop.platform),
        CLIENTS.number
    )
}

/// Where a server says how it is, for the operator.
#[must_use]
pub fn monitoring_url(shop: Shop<'_>, ordinal: u32) -> String {
    format!(
        "http://{}.{}.svc:{}",
        server(shop, ordinal),
        shop.namespace,
        MONITORING.number
    )
}

fn server(shop: Shop<'_>, ordinal: u32) -> String {
    let (name, members) = (ME.object_name(shop.platform), names::members(shop.platform, ME));
    format!("{name}-{ordinal}.{members}")
}

fn stateful_set(shop: Shop<'_>, store: &ManagedStore, template_size: Option<&Quantity>, text: &str) -> Child {
    let arguments = ["--config", "/etc/nats/nats.conf", "--name", "$(POD_NAME)"];
    let container = Container {
        // No command: the images agree on what they start, not on where it lies.
        args: Some(arguments.map(str::to_owned).into()),
        env: Some(environment(shop, store)),
        lifecycle: (store.replicas > 1).then(lame_duck),
        ports: pod::ports(&[CLIENTS, ROUTES, MONITORING]),
        startup_probe: Some(pod::http(
            "/healthz?js-enabled-only=true",
            MONITORING,
            Pace::STORE_START,
        )),
        liveness_probe: Some(pod::http(
            "/healthz?js-enabled-only=true",
            MONITORING,
            Pace::ALIVE,
        )),
        readiness_probe: Some(pod::http("/healthz", MONITORING, Pace::READY)),
        volume_mounts: Some(vec![
            mount(CONFIG, "/etc/nats", true),
            mount(store::DATA, "/data", false),
        ]),
        ..pod::container("nats", store.image.as_str(), &store.resources)
    };
    let pod = Pod {
        component: ME,
        version: store.version.clone(),
        annotations: BTreeMap::from([meta::digest_annotation("config", meta::digest(text))]),
        init_containers: Vec::new(),
        container,
        volumes: vec![store::configuration_volume(shop, ME, CONFIG)],
        owns_volumes: true,
        grace: GRACE_SECONDS,
        revision_label: None,
    };
    store::members(shop, store, template_size, None, pod)
}

/// The passwords, which the configuration names and does not know.
fn environment(shop: Shop<'_>, store: &ManagedStore) -> Vec<EnvVar> {
    let credentials = names::credentials(shop.platform, ME);
    let password = |user: &str| pod::secret(configuration::password_variable(user), &credentials, user);
    let mut variables = vec![pod::own_name(), password(ADMIN)];
    variables.extend(users(shop).into_iter().map(|service| password(service.as_str())));
    if store.replicas > 1 {
        variables.push(password(ROUTES_USER));
        variables.extend((0..store.replicas).map(|ordinal| {
            let (password, host) = (
                configuration::password_variable(ROUTES_USER),
                server(shop, ordinal),
            );
            let url = format!("nats://{ROUTES_USER}:$({password})@{host}:{}", ROUTES.number);
            pod::literal(configuration::route_variable(ordinal), url)
        }));
    }
    let heap = amounts::bytes_of(&store.resources.memory).map(|bytes| amounts::percent(bytes, HEAP_PERCENT));
    variables.extend(heap.map(|bytes| pod::literal("GOMEMLIMIT", bytes.to_string())));
    variables
}

/// The termination signal stops a server at once, unless it is a lame duck already; so it is made one before. The program
/// sends the signal to itself, because there may be no shell.
fn lame_duck() -> Lifecycle {
    let action = ExecAction {
        command: Some(LAME_DUCK.map(str::to_owned).into()),
    };
    Lifecycle {
        pre_stop: Some(LifecycleHandler {
            exec: Some(action),
            ..LifecycleHandler::default()
        }),
        ..Lifecycle::default()
    }
}
