//! One service: its pods, how they are reached, how many there are.

mod environment;

use std::collections::BTreeMap;

use bigtix_contracts::operations::{LIVEZ, READYZ};
use bigtix_crds::platform::{Image, Replicas, Workload};
use bigtix_crds::{Service, Version};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HPAScalingRules, HorizontalPodAutoscaler, HorizontalPodAutoscalerBehavior,
    HorizontalPodAutoscalerSpec, MetricSpec, MetricTarget, ResourceMetricSource,
};
use k8s_openapi::api::core::v1::{Container, Lifecycle, LifecycleHandler, SleepAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::endpoint::{self, Port};
use super::pod::{self, Pace, Pod};
use super::{Child, Shop, meta};
use crate::names::Component;

pub(crate) use environment::URI;
pub use environment::{MONGODB_ENTRY, NATS_ENTRY, PUBLISHABLE_KEY, REDIS_ENTRY};

/// Where users, the kubelet and whoever collects metrics are served.
pub const PUBLIC: Port = Port {
    name: "http",
    number: 3000,
};
/// Where other services are served.
pub const INTERNAL: Port = Port {
    name: "internal",
    number: 3001,
};
/// Who calls whom on the internal port.
pub const CALLS: &[(Service, Service)] = &[
    (Service::Tickets, Service::Orders),
    (Service::Orders, Service::Tickets),
    (Service::Payments, Service::Orders),
];
/// Whom the pages ask on behalf of users, as any client does: on the public port.
pub const ASKED_BY_PAGES: [Service; 4] = [
    Service::Auth,
    Service::Tickets,
    Service::Orders,
    Service::Payments,
];
/// The entry of the Secrets of keys that holds them all.
pub const KEYS: &str = "keys";

/// Seconds for which a pod that has to go still answers, because not everybody has heard of it yet.
const LINGER_SECONDS: i64 = 5;
/// The service gives requests 25 seconds and then its tasks 25; a little more for the rest.
const DRAIN_SECONDS: i64 = 55;
/// A pod that is ready and fails at once shall stop the rollout.
const SETTLE_SECONDS: i32 = 2;

/// What of a service is to run now. During a rollout it differs from what the platform wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running<'a> {
    /// What the pods run.
    pub image: &'a Image,
    /// Its version.
    pub version: &'a Version,
    /// How many pods; none leaves the number to whoever scales them.
    pub replicas: Option<u32>,
}

/// Everything that carries one service. `session_digest` tells one set of session keys from another: pods read them
/// when they start.
#[must_use]
pub fn children(
    shop: Shop<'_>,
    service: Service,
    workload: &Workload,
    running: Running<'_>,
    session_digest: &str,
) -> Vec<Child> {
    let component = Component::Service(service);
    let mut children = vec![
        pod::account(shop, component),
        endpoint::balanced(shop, component, &ports(service)),
        Child::Deployment(deployment(shop, service, workload, running, session_digest)),
    ];
    children.extend(pod::budget(shop, component, workload.replicas.at_least()));
    children.extend(autoscaler(shop, component, workload.replicas));
    children
}

/// The base URL at which other services reach this one.
#[must_use]
pub fn internal_url(shop: Shop<'_>, service: Service) -> String {
    format!(
        "http://{}:{}",
        Component::Service(service).object_name(shop.platform),
        INTERNAL.number
    )
}

/// The base URL of what the service serves to users, within the namespace.
#[must_use]
pub fn public_url(shop: Shop<'_>, service: Service) -> String {
    format!(
        "http://{}:{}",
        Component::Service(service).object_name(shop.platform),
        PUBLIC.number
    )
}

/// The pods.
#[must_use]
pub fn deployment(
    shop: Shop<'_>,
    service: Service,
    workload: &Workload,
    running: Running<'_>,
    session_digest: &str,
) -> Deployment {
    let component = Component::Service(service);
    let Running {
        image,
        version,
        replicas,
    } = running;
    let deadline = shop.platform.upgrade.progress_deadline.as_secs();
    let keys =
        environment::has_sessions(service).then(|| meta::digest_annotation("session-keys", session_digest));
    let template = pod::template(
        shop,
        Pod {
            component,
            version: version.to_string(),
            annotations: BTreeMap::from_iter(keys),
            init_containers: Vec::new(),
            container: container(shop, service, workload, image),
            volumes: Vec::new(),
            owns_volumes: false,
            grace: LINGER_SECONDS + DRAIN_SECONDS,
            revision_label: Some("pod-template-hash"),
        },
    );
    let mut metadata = meta::component(shop, component);
    let version_label = template
        .metadata
        .as_ref()
        .and_then(|pods| pods.labels.as_ref()?.get_key_value(meta::VERSION_LABEL));
    if let (Some(labels), Some((label, version))) = (&mut metadata.labels, version_label) {
        labels.insert(label.clone(), version.clone());
    }
    Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            min_ready_seconds: Some(SETTLE_SECONDS),
            progress_deadline_seconds: Some(i32::try_from(deadline).unwrap_or(i32::MAX)),
            replicas: replicas.map(|count| i32::try_from(count).unwrap_or(i32::MAX)),
            revision_history_limit: Some(3),
            selector: meta::selector(shop, component),
            strategy: Some(one_more_at_a_time()),
            template,
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn container(shop: Shop<'_>, service: Service, workload: &Workload, image: &Image) -> Container {
    let linger = LifecycleHandler {
        sleep: Some(SleepAction {
            seconds: LINGER_SECONDS,
        }),
        ..LifecycleHandler::default()
    };
    Container {
        env: Some(environment::variables(shop, service, &workload.env)),
        lifecycle: Some(Lifecycle {
            pre_stop: Some(linger),
            ..Lifecycle::default()
        }),
        ports: pod::ports(&ports(service)),
        startup_probe: Some(pod::http(LIVEZ, PUBLIC, Pace::START)),
        liveness_probe: Some(pod::http(LIVEZ, PUBLIC, Pace::ALIVE)),
        readiness_probe: Some(pod::http(READYZ, PUBLIC, Pace::READY)),
        ..pod::container(service.as_str(), image.as_str(), &workload.resources)
    }
}

fn ports(service: Service) -> Vec<Port> {
    let internal = is_called(service).then_some(INTERNAL);
    [PUBLIC].into_iter().chain(internal).collect()
}

fn is_called(service: Service) -> bool {
    CALLS.iter().any(|(_, called)| *called == service)
}

/// Never fewer pods than there were.
fn one_more_at_a_time() -> DeploymentStrategy {
    DeploymentStrategy {
        type_: Some("RollingUpdate".to_owned()),
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: Some(IntOrString::Int(1)),
            max_unavailable: Some(IntOrString::Int(0)),
        }),
    }
}

/// It stays while the shop sleeps: it leaves alone what has no pods.
fn autoscaler(shop: Shop<'_>, component: Component, replicas: Replicas) -> Option<Child> {
    let (min, max, percent, calm) = match replicas {
        Replicas::Fixed(_) => return None,
        Replicas::Autoscaled {
            min,
            max,
            target_cpu_percent,
            scale_down_stabilization,
        } => (min, max, target_cpu_percent, scale_down_stabilization),
    };
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let processor = ResourceMetricSource {
        name: "cpu".to_owned(),
        target: MetricTarget {
            type_: "Utilization".to_owned(),
            average_utilization: Some(number(percent)),
            ..MetricTarget::default()
        },
    };
    let spec = HorizontalPodAutoscalerSpec {
        behavior: Some(HorizontalPodAutoscalerBehavior {
            scale_down: Some(HPAScalingRules {
                stabilization_window_seconds: i32::try_from(calm.as_secs()).ok(),
                ..HPAScalingRules::default()
            }),
            scale_up: None,
        }),
        max_replicas: number(max),
        metrics: Some(vec![MetricSpec {
            type_: "Resource".to_owned(),
            resource: Some(processor),
            ..MetricSpec::default()
        }]),
        min_replicas: Some(number(min)),
        scale_target_ref: CrossVersionObjectReference {
            api_version: Some("apps/v1".to_owned()),
            kind: "Deployment".to_owned(),
            name: component.object_name(shop.platform),
        },
    };
    Some(Child::HorizontalPodAutoscaler(HorizontalPodAutoscaler {
        metadata: meta::component(shop, component),
        spec: Some(spec),
        ..HorizontalPodAutoscaler::default()
    }))
}
