//! Images, network policy and observability.

use super::defaults::default_is_the_empty_object;
use super::formats;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where images come from.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Images {
    /// Registry and path that the services' images are below.
    #[serde(default = "Images::registry")]
    #[schemars(schema_with = "formats::registry")]
    pub registry: String,
    /// Secrets that let images be pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub pull_secrets: Vec<NamedReference>,
}

impl Images {
    fn registry() -> String {
        "ghcr.io/bigtix".to_owned()
    }
}

/// An object in the same namespace.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedReference {
    /// Its name.
    #[schemars(schema_with = "formats::object_name")]
    pub name: String,
}

/// Which connections between pods are let through.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicy {
    /// Whether everything is refused but the connections that the platform needs.
    #[serde(default = "NetworkPolicy::enabled")]
    pub enabled: bool,
    /// Namespace of the ingress controller. Left out, pods of every namespace may reach what the Ingress leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::object_name")]
    pub ingress_namespace: Option<String>,
}

impl NetworkPolicy {
    const fn enabled() -> bool {
        true
    }
}

/// Metrics, alerts and traces. Dashboards are the chart's: one set serves all shops.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Observability {
    /// Whether a PodMonitor of the Prometheus operator is made.
    #[serde(default)]
    pub pod_monitor: bool,
    /// Whether a PrometheusRule with alerts is made.
    #[serde(default)]
    pub alerts: bool,
    /// Where traces are sent by OTLP over HTTP. Left out, nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::url")]
    pub otlp_endpoint: Option<String>,
}

default_is_the_empty_object!(Images, NetworkPolicy, Observability);
