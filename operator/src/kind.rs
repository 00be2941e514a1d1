//! The kinds of objects that the operator applies.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Resource;
use kube::core::{ApiResource, GroupVersionKind};

use crate::build::Child;

/// A kind that the operator applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `v1/ServiceAccount`
    ServiceAccount,
    /// `v1/ConfigMap`
    ConfigMap,
    /// `v1/Service`
    Service,
    /// `apps/v1/StatefulSet`
    StatefulSet,
    /// `apps/v1/Deployment`
    Deployment,
    /// `policy/v1/PodDisruptionBudget`
    PodDisruptionBudget,
    /// `autoscaling/v2/HorizontalPodAutoscaler`
    HorizontalPodAutoscaler,
    /// `networking.k8s.io/v1/NetworkPolicy`
    NetworkPolicy,
    /// `networking.k8s.io/v1/Ingress`
    Ingress,
    /// `monitoring.coreos.com/v1/PodMonitor`
    PodMonitor,
    /// `monitoring.coreos.com/v1/PrometheusRule`
    PrometheusRule,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::ServiceAccount,
        Self::ConfigMap,
        Self::Service,
        Self::StatefulSet,
        Self::Deployment,
        Self::PodDisruptionBudget,
        Self::HorizontalPodAutoscaler,
        Self::NetworkPolicy,
        Self::Ingress,
        Self::PodMonitor,
        Self::PrometheusRule,
    ];

    /// How an API server calls it.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        fn of<K: Resource<DynamicType = ()>>() -> ApiResource {
            ApiResource::erase::<K>(&())
        }
        match self {
            Self::ServiceAccount => of::<ServiceAccount>(),
            Self::ConfigMap => of::<ConfigMap>(),
            Self::Service => of::<Service>(),
            Self::StatefulSet => of::<StatefulSet>(),
            Self::Deployment => of::<Deployment>(),
            Self::PodDisruptionBudget => of::<PodDisruptionBudget>(),
            Self::HorizontalPodAutoscaler => of::<HorizontalPodAutoscaler>(),
            Self::NetworkPolicy => of::<NetworkPolicy>(),
            Self::Ingress => of::<Ingress>(),
            Self::PodMonitor => monitoring("PodMonitor"),
            Self::PrometheusRule => monitoring("PrometheusRule"),
        }
    }

    /// Whether a cluster may lack it.
    #[must_use]
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::PodMonitor | Self::PrometheusRule)
    }

    /// The field manager of what is applied: one for each concern, so that `managedFields` says why a field is ours.
    #[must_use]
    pub const fn manager(self) -> &'static str {
        match self {
            Self::ServiceAccount
            | Self::Deployment
            | Self::PodDisruptionBudget
            | Self::HorizontalPodAutoscaler => "bigtix/workloads",
            Self::StatefulSet | Self::ConfigMap => "bigtix/stores",
            Self::Service | Self::NetworkPolicy | Self::Ingress => "bigtix/network",
            Self::PodMonitor | Self::PrometheusRule => "bigtix/monitoring",
        }
    }
}

fn monitoring(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("monitoring.coreos.com", "v1", kind))
}

impl Child {
    /// Its kind; none when it is of one that the operator does not know, which is a mistake of its builder.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::ServiceAccount(_) => Kind::ServiceAccount,
            Self::ConfigMap(_) => Kind::ConfigMap,
            Self::Service(_) => Kind::Service,
            Self::StatefulSet(_) => Kind::StatefulSet,
            Self::Deployment(_) => Kind::Deployment,
            Self::PodDisruptionBudget(_) => Kind::PodDisruptionBudget,
            Self::HorizontalPodAutoscaler(_) => Kind::HorizontalPodAutoscaler,
            Self::NetworkPolicy(_) => Kind::NetworkPolicy,
            Self::Ingress(_) => Kind::Ingress,
            Self::Optional(object) => {
                let kind = object.types.as_ref().map(|types| types.kind.as_str());
                return Kind::ALL
                    .into_iter()
                    .filter(|known| known.is_optional())
                    .find(|known| Some(known.resource().kind.as_str()) == kind);
            }
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }
}
