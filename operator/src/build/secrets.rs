//! Which Secrets the objects name. What they hold is made by chance and stays, so none is built here.

use std::collections::BTreeSet;

use bigtix_crds::Service;
use bigtix_crds::platform::{Payments, Store};

use super::{Shop, backup, mongodb, nats, redis, service, store, stripe_double};
use crate::names::{self, Component};

/// A Secret that the operator has to make before pods start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSecret {
    /// Its name.
    pub name: String,
    /// Whose it is; none: the shop's as a whole.
    pub component: Option<Component>,
    /// The entries that pods read. A new release or a changed store may add some; what is there stays as it is.
    pub entries: BTreeSet<String>,
}

/// Every Secret that the operator has to make, in order.
#[must_use]
pub fn own(shop: Shop<'_>) -> Vec<OwnSecret> {
    let platform = shop.platform;
    let mut secrets = vec![
        of_shop(names::session_keys(platform), service::KEYS),
        of_shop(names::service_keys(platform), service::KEYS),
    ];
    secrets.extend(of_stores(shop));
    if platform.payments == Payments::StripeDouble {
        let entries = [stripe_double::SECRET_KEY, stripe_double::WEBHOOK_SECRET];
        secrets.push(of(shop, Component::StripeDouble, entries));
    }
    if platform.backup.is_some() && store::managed(&platform.stores.mongodb).is_some() {
        let entries = [backup::READER_ENTRY, backup::WRITER_ENTRY];
        secrets.push(of(shop, Component::Backup, entries));
    }
    let services = platform
        .services
        .iter()
        .map(|(service, _)| of_service(shop, service));
    secrets.extend(services.filter(|secret| !secret.entries.is_empty()));
    secrets
}

fn of_stores(shop: Shop<'_>) -> Vec<OwnSecret> {
    let stores = &shop.platform.stores;
    let mut secrets = Vec::new();
    if store::managed(&stores.mongodb).is_some() {
        secrets.push(of(shop, Component::Mongodb, [mongodb::KEY_FILE]));
    }
    if store::managed(&stores.nats).is_some() {
        let users = nats::users(shop);
        let names = users.iter().map(|service| service.as_str());
        secrets.push(of(
            shop,
            Component::Nats,
            names.chain([nats::ADMIN, nats::ROUTES_USER]),
        ));
    }
    if store::managed(&stores.redis).is_some() {
        secrets.push(of(
            shop,
            Component::Redis,
            [redis::PASSWORD, redis::PASSWORD_FILE],
        ));
    }
    secrets
}

fn of_service(shop: Shop<'_>, service: Service) -> OwnSecret {
    let stores = &shop.platform.stores;
    let entry = |store: &Store, entry| store::managed(store).map(|_| entry);
    let mut entries = Vec::new();
    if service != Service::Web {
        entries.extend(entry(&stores.mongodb, service::MONGODB_ENTRY));
        entries.extend(entry(&stores.nats, service::NATS_ENTRY));
        entries.extend(entry(&stores.redis, service::REDIS_ENTRY));
    }
    of(shop, Component::Service(service), entries)
}

fn of<'a>(shop: Shop<'_>, component: Component, entries: impl IntoIterator<Item = &'a str>) -> OwnSecret {
    OwnSecret {
        name: names::credentials(shop.platform, component),
        component: Some(component),
        entries: entries.into_iter().map(str::to_owned).collect(),
    }
}

fn of_shop(name: String, entry: &str) -> OwnSecret {
    OwnSecret {
        name,
        component: None,
        entries: BTreeSet::from([entry.to_owned()]),
    }
}
