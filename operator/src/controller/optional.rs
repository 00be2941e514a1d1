//! Children of kinds that a cluster may lack, and may get or lose while the operator runs. Among the controller's own
//! watches one of a kind that is missing would hold up all others, so these are watched beside them.

use futures::future::ready;
use futures::stream::{self, Stream, StreamExt};
use kube::api::{Api, DynamicObject};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Client, ResourceExt};

use crate::kind::Kind;

/// Something each time that somebody else deletes or edits such a child among `ours`, in one namespace or in all.
pub(super) fn meddling(
    client: &Client,
    namespace: Option<&str>,
    ours: &Config,
) -> impl Stream<Item = ()> + Send + 'static {
    let optional = Kind::ALL.into_iter().filter(|kind| kind.is_optional());
    let watches: Vec<_> = optional
        .map(|kind| with_kind(client, namespace, ours, kind).boxed())
        .collect();
    stream::select_all(watches)
}

fn with_kind(
    client: &Client,
    namespace: Option<&str>,
    ours: &Config,
    kind: Kind,
) -> impl Stream<Item = ()> + Send + 'static {
    let (client, resource) = (client.clone(), kind.resource());
    let api: Api<PartialObjectMeta<DynamicObject>> = match namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    // While the kind is missing it is asked for again, every half minute in the end.
    watcher(api, ours.clone())
        .default_backoff()
        .filter(move |event| ready(event.as_ref().is_ok_and(|event| is_meddling(event, kind))))
        .map(drop)
}

fn is_meddling(event: &Event<PartialObjectMeta<DynamicObject>>, kind: Kind) -> bool {
    match event {
        Event::Delete(_) => true,
        Event::Apply(child) => is_touched(child, kind.manager()),
        Event::Init | Event::InitApply(_) | Event::InitDone => false,
    }
}

/// Whether anybody but us has set a field.
fn is_touched(child: &PartialObjectMeta<DynamicObject>, us: &str) -> bool {
    let mut managers = child.managed_fields().iter();
    managers.any(|entry| entry.manager.as_deref() != Some(us))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_only_the_operator_has_written_is_not_touched() {
        let us = Kind::PodMonitor.manager();
        let by = |managers: &[&str]| {
            let entries: Vec<_> = managers.iter().map(|name| json!({"manager": name})).collect();
            let child = serde_json::from_value(json!({"metadata": {"name": "a", "managedFields": entries}}));
            is_touched(&child.unwrap(), us)
        };
        assert!(!by(&[us]));
        assert!(by(&[us, "kubectl-edit"]));
    }
}
