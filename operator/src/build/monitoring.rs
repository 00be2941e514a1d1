//! What the Prometheus operator is told: which pods have metrics, and what is worth an alert.

mod alerts;

use bigtix_contracts::operations::METRICS;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::{Value, json};

use super::service::PUBLIC;
use super::{Child, Shop, meta};
use crate::names::{self, COMPONENT_LABEL, INSTANCE_LABEL};

/// The PodMonitor and the PrometheusRule, as far as they are asked for.
#[must_use]
pub fn children(shop: Shop<'_>) -> Vec<Child> {
    let wanted = &shop.platform.observability;
    let monitor = wanted.pod_monitor.then(|| pod_monitor(shop));
    let rules = wanted
        .alerts
        .then(|| object(shop, "PrometheusRule", &alerts::spec(shop)));
    monitor.into_iter().chain(rules).collect()
}

/// The label that Prometheus has for the shop's name.
fn instance_label() -> String {
    INSTANCE_LABEL.replace(['.', '/'], "_")
}

fn pod_monitor(shop: Shop<'_>) -> Child {
    let services: Vec<_> = shop
        .platform
        .services
        .iter()
        .map(|(service, _)| service.as_str())
        .collect();
    let spec = json!({
        "jobLabel": COMPONENT_LABEL,
        "podTargetLabels": [INSTANCE_LABEL],
        "selector": {
            "matchLabels": names::instance_labels(shop.platform),
            "matchExpressions": [{"key": COMPONENT_LABEL, "operator": "In", "values": services}],
        },
        "podMetricsEndpoints": [{"port": PUBLIC.name, "path": METRICS, "interval": "15s"}],
    });
    object(shop, "PodMonitor", &spec)
}

/// Kinds that are no part of Kubernetes, so that there are no types for them here.
fn object(shop: Shop<'_>, kind: &str, spec: &Value) -> Child {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("monitoring.coreos.com", "v1", kind));
    let name = shop.platform.name.as_str();
    let mut object = DynamicObject::new(name, &resource).data(json!({"spec": spec}));
    object.metadata = meta::shared(shop, name.to_owned());
    Child::Optional(object)
}
