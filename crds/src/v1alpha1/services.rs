//! The services' own sizes, images and environments.

use super::defaults::default_is_the_empty_object;
use super::formats;
use crate::Service;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One entry for each service; what is left out gets the release's version and the profile's size.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Services {
    /// Accounts and sessions.
    #[serde(default)]
    pub auth: Workload,
    /// Listings and the catalogue of events.
    #[serde(default)]
    pub tickets: Workload,
    /// Reservations and orders.
    #[serde(default)]
    pub orders: Workload,
    /// Charges and refunds.
    #[serde(default)]
    pub payments: Workload,
    /// Drives the expiry of reservations.
    #[serde(default)]
    pub expiration: Workload,
    /// The pages.
    #[serde(default)]
    pub web: Workload,
}

impl Services {
    /// The entry of one service.
    #[must_use]
    pub const fn get(&self, service: Service) -> &Workload {
        match service {
            Service::Auth => &self.auth,
            Service::Tickets => &self.tickets,
            Service::Orders => &self.orders,
            Service::Payments => &self.payments,
            Service::Expiration => &self.expiration,
            Service::Web => &self.web,
        }
    }
}

/// How one service runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("!(has(self.replicas) && has(self.autoscaling))", "set replicas or autoscaling, not both"))]
pub struct Workload {
    /// Version of this service alone, such as 1.0.1. Left out, it is the one that spec.version stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::version")]
    pub version: Option<String>,
    /// Image of this service. Left out, it is built from spec.images.registry, the service's name and its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::image")]
    pub image: Option<String>,
    /// Number of pods. Left out, 1 in Development and 2 in Production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub replicas: Option<i32>,
    /// Lets the number of pods follow their load, instead of replicas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,
    /// Processor and memory of each pod.
    #[serde(default)]
    pub resources: Resources,
    /// Further environment variables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub env: Vec<EnvVar>,
}

/// Bounds between which the number of pods follows their load.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("self.minReplicas <= self.maxReplicas", "minReplicas must not exceed maxReplicas"))]
pub struct Autoscaling {
    /// Fewest pods.
    #[schemars(range(min = 1, max = 100))]
    pub min_replicas: i32,
    /// Most pods.
    #[schemars(range(min = 1, max = 100))]
    pub max_replicas: i32,
    /// Share of the requested processor that is aimed at, in percent.
    #[serde(rename = "targetCPUPercent", default = "Autoscaling::target")]
    #[schemars(range(min = 10, max = 100))]
    pub target_cpu_percent: i32,
    /// Seconds for which the load has to be low before pods go.
    #[serde(default = "Autoscaling::five_minutes")]
    #[schemars(range(min = 0, max = 3600))]
    pub scale_down_stabilization_seconds: i32,
}

impl Autoscaling {
    const fn five_minutes() -> i32 {
        300
    }
    const fn target() -> i32 {
        70
    }
}

/// Processor and memory.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Resources {
    /// What a pod is promised, and placed by.
    #[serde(default)]
    pub requests: Quantities,
    /// What a pod may not exceed.
    #[serde(default)]
    pub limits: Quantities,
}

/// An amount of each.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Quantities {
    /// Processors, such as 2 or 250m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::quantity")]
    pub cpu: Option<Quantity>,
    /// Memory in bytes, such as 128Mi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::quantity")]
    pub memory: Option<Quantity>,
}

/// One environment variable.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.value) != has(self.valueFrom)", "set exactly one of value and valueFrom"))]
pub struct EnvVar {
    /// Name of the variable.
    #[schemars(schema_with = "formats::variable_name")]
    pub name: String,
    /// Its value, for what is no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub value: Option<String>,
    /// Where its value is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_from: Option<EnvVarSource>,
}

/// Where a variable's value is kept.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = ("has(self.secretKeyRef) != has(self.configMapKeyRef)", "set exactly one of secretKeyRef and configMapKeyRef"))]
pub struct EnvVarSource {
    /// An entry of a Secret in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_key_ref: Option<SecretKey>,
    /// An entry of a ConfigMap in the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_key_ref: Option<ConfigMapKey>,
}

/// An entry of a Secret.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKey {
    /// Name of the Secret.
    #[schemars(schema_with = "formats::object_name")]
    pub name: String,
    /// Key of the entry.
    #[schemars(schema_with = "formats::data_key")]
    pub key: String,
}

/// An entry of a ConfigMap.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapKey {
    /// Name of the ConfigMap.
    #[schemars(schema_with = "formats::object_name")]
    pub name: String,
    /// Key of the entry.
    #[schemars(schema_with = "formats::data_key")]
    pub key: String,
}

default_is_the_empty_object!(Services, Workload, Resources, Quantities);
