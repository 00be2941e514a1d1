//! The watch of backups and restores. A shop is looked at when the cache has what it is looked at for.

use bigtix_crds::{BigTixBackup, BigTixRestore};
use futures::future::ready;
use futures::stream::{Stream, StreamExt, select};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Client, ResourceExt};

use super::{Stored, api};
use crate::apply::object::Namespaced;
use crate::observe::Watched;

/// The requests in one namespace or in all, and the shop of each that comes, changes or goes.
pub(super) fn watched(
    client: &Client,
    namespace: Option<&str>,
) -> (Watched, impl Stream<Item = ObjectRef<Stored>> + Send + 'static) {
    let (backups, of_backups) = cached(client, namespace, |backup: &BigTixBackup| {
        backup.spec.shop.clone()
    });
    let (restores, of_restores) = cached(client, namespace, |restore: &BigTixRestore| {
        restore.spec.shop.clone()
    });
    (Watched { backups, restores }, select(of_backups, of_restores))
}

fn cached<K>(
    client: &Client,
    namespace: Option<&str>,
    shop: fn(&K) -> String,
) -> (Store<K>, impl Stream<Item = ObjectRef<Stored>> + Send + 'static)
where
    K: Namespaced + Send + Sync + 'static,
{
    let (store, writer) = reflector::store();
    let touched = watcher(api::<K>(client, namespace), watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .touched_objects()
        .filter_map(move |request| ready(request.ok().and_then(|request| of(&request, shop(&request)))));
    (store, touched)
}

/// The shop of that name beside a request about it.
fn of(request: &impl ResourceExt, shop: String) -> Option<ObjectRef<Stored>> {
    Some(ObjectRef::new(&shop).within(&request.namespace()?))
}
