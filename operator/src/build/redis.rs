//! Redis: one server. What it holds can be rebuilt, so a second one would keep nothing alive.

use std::collections::BTreeMap;

use bigtix_crds::platform::{ManagedStore, Quantity};
use k8s_openapi::api::core::v1::Container;

use super::endpoint::{self, Port};
use super::pod::{self, Pace, Pod};
use super::store::{self, managed, mount};
use super::{Child, Shop, amounts, meta};
use crate::names::Component;

pub use super::store::volume_size;

/// Where clients connect.
pub const PORT: Port = Port {
    name: "redis",
    number: 6379,
};
/// The entry of the store's Secret with the password itself.
pub const PASSWORD: &str = "password";
/// The entry of the store's Secret with the line of configuration that demands the password.
pub const PASSWORD_FILE: &str = "auth.conf";

const ME: Component = Component::Redis;
const FILE: &str = "redis.conf";
const CONFIG: &str = "config";
const SECRET: &str = "secret";
/// The share of its memory that data may take; a rewrite of the log copies what changes meanwhile.
const DATA_PERCENT: u64 = 60;
const GRACE_SECONDS: i64 = 30;

/// Everything that carries Redis; nothing where somebody else runs it. `template_size` is the size of the volume that the
/// StatefulSet was created with, none when there is none yet.
#[must_use]
pub fn children(shop: Shop<'_>, template_size: Option<&Quantity>) -> Vec<Child> {
    let Some(store) = managed(&shop.platform.stores.redis) else {
        return Vec::new();
    };
    let text = configuration(store);
    let mut children = vec![
        pod::account(shop, ME),
        store::configuration(shop, ME, FILE, &text),
        endpoint::members(shop, ME, &[PORT]),
        endpoint::balanced(shop, ME, &[PORT]),
        stateful_set(shop, store, template_size, &text),
    ];
    children.extend(pod::budget(shop, ME, store.replicas));
    children
}

/// How the store is reached; `password` may be a reference to a variable.
#[must_use]
pub fn url(shop: Shop<'_>, password: &str) -> String {
    format!(
        "redis://:{password}@{}:{}/0",
        ME.object_name(shop.platform),
        PORT.number
    )
}

fn configuration(store: &ManagedStore) -> String {
    let bound = amounts::bytes_of(&store.resources.memory)
        .map(|bytes| format!("maxmemory {}\n", amounts::percent(bytes, DATA_PERCENT)))
        .unwrap_or_default();
    format!(
        "port {}\ndir /data\nappendonly yes\nsave \"\"\n{bound}maxmemory-policy noeviction\ninclude /secret/{PASSWORD_FILE}\n",
        PORT.number
    )
}

fn stateful_set(shop: Shop<'_>, store: &ManagedStore, template_size: Option<&Quantity>, text: &str) -> Child {
    let container = Container {
        command: Some(vec!["redis-server".to_owned()]),
        args: Some(vec![format!("/etc/redis/{FILE}")]),
        ports: pod::ports(&[PORT]),
        startup_probe: Some(pod::tcp(PORT, Pace::STORE_START)),
        liveness_probe: Some(pod::tcp(PORT, Pace::ALIVE)),
        readiness_probe: Some(pod::tcp(PORT, Pace::READY)),
        volume_mounts: Some(vec![
            mount(CONFIG, "/etc/redis", true),
            mount(SECRET, "/secret", true),
            mount(store::DATA, "/data", false),
        ]),
        ..pod::container("redis", store.image.as_str(), &store.resources)
    };
    let pod = Pod {
        component: ME,
        version: store.version.clone(),
        annotations: BTreeMap::from([meta::digest_annotation("config", meta::digest(text))]),
        init_containers: Vec::new(),
        container,
        volumes: vec![
            store::configuration_volume(shop, ME, CONFIG),
            store::secret_volume(shop, ME, SECRET, PASSWORD_FILE),
        ],
        owns_volumes: true,
        grace: GRACE_SECONDS,
        revision_label: None,
    };
    store::members(shop, store, template_size, None, pod)
}
