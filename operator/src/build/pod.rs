//! What all pods share: how little they may do, how they are spread, what they are probed by.

mod probe;

use std::collections::BTreeMap;

use bigtix_crds::platform::{Amounts, Quantity, Resources};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, EnvVar, EnvVarSource, LocalObjectReference, ObjectFieldSelector,
    PodSecurityContext, PodSpec, PodTemplateSpec, ResourceRequirements, SeccompProfile, SecretKeySelector,
    SecurityContext, ServiceAccount, TopologySpreadConstraint, Volume,
};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub use probe::{Pace, http, tcp};

use super::endpoint::Port;
use super::{Child, Shop, meta};
use crate::names::Component;

/// The user and group that every container runs as. No image needs to know it.
pub const USER: i64 = 10_001;

/// What one component's pods are made of beside what all have in common.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Whose they are.
    pub component: Component,
    /// What runs in them, for the label.
    pub version: String,
    /// What makes them start anew when it changes.
    pub annotations: BTreeMap<String, String>,
    /// Run to their end before the container starts.
    pub init_containers: Vec<Container>,
    /// What runs.
    pub container: Container,
    /// What is mounted.
    pub volumes: Vec<Volume>,
    /// Whether volumes have to be made writable for [`USER`].
    pub owns_volumes: bool,
    /// Seconds between the request to stop and the end.
    pub grace: i64,
    /// The label that tells old pods from new ones, so that old ones do not count when new ones are spread.
    pub revision_label: Option<&'static str>,
}

/// The pods as a workload makes them.
#[must_use]
pub fn template(shop: Shop<'_>, pod: Pod) -> PodTemplateSpec {
    let Pod {
        component,
        version,
        annotations,
        init_containers,
        container,
        volumes,
        owns_volumes,
        grace,
        revision_label,
    } = pod;
    let spread = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        .map(|key| spread_over(shop, component, key, revision_label));
    let spec = PodSpec {
        image_pull_secrets: pull_secrets(shop),
        init_containers: (!init_containers.is_empty()).then_some(init_containers),
        service_account_name: Some(component.object_name(shop.platform)),
        topology_spread_constraints: Some(spread.into()),
        ..of_nobody(container, volumes, owns_volumes, grace)
    };
    PodTemplateSpec {
        metadata: Some(meta::pods(shop, component, &version, annotations)),
        spec: Some(spec),
    }
}

/// A pod that belongs to no shop, and may do as little.
#[must_use]
pub fn of_nobody(container: Container, volumes: Vec<Volume>, owns_volumes: bool, grace: i64) -> PodSpec {
    PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container],
        // Variables for every Service of the namespace would be settings that nobody gave.
        enable_service_links: Some(false),
        security_context: Some(pod_security(owns_volumes)),
        termination_grace_period_seconds: Some(grace),
        volumes: (!volumes.is_empty()).then_some(volumes),
        ..PodSpec::default()
    }
}

/// As much as a program needs: processor without a limit, memory with one.
#[must_use]
pub fn needs(cpu: &str, memory: &str, at_most: &str) -> Resources {
    let amounts = |request: &str, limit: Option<&str>| Amounts {
        request: Quantity(request.to_owned()),
        limit: limit.map(|limit| Quantity(limit.to_owned())),
    };
    Resources {
        cpu: amounts(cpu, None),
        memory: amounts(memory, Some(at_most)),
    }
}

/// A container that may do nothing but run; whoever calls adds what it runs.
#[must_use]
pub fn container(name: &str, image: &str, resources: &Resources) -> Container {
    Container {
        name: name.to_owned(),
        image: Some(image.to_owned()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        resources: Some(requirements(resources)),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities {
                drop: Some(vec!["ALL".to_owned()]),
                ..Capabilities::default()
            }),
            privileged: Some(false),
            read_only_root_filesystem: Some(true),
            ..SecurityContext::default()
        }),
        // The last words of one that crashed are read from its status.
        termination_message_policy: Some("FallbackToLogsOnError".to_owned()),
        ..Container::default()
    }
}

/// The ports of a container.
#[must_use]
pub fn ports(ports: &[Port]) -> Option<Vec<ContainerPort>> {
    let container_port = |port: &Port| ContainerPort {
        name: Some(port.name.to_owned()),
        container_port: port.number.into(),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    Some(ports.iter().map(container_port).collect())
}

/// A variable with its value.
#[must_use]
pub fn literal(name: impl Into<String>, value: impl Into<String>) -> EnvVar {
    EnvVar {
        name: name.into(),
        value: Some(value.into()),
        value_from: None,
    }
}

/// A variable whose value is an entry of a Secret.
#[must_use]
pub fn secret(name: impl Into<String>, secret: impl Into<String>, key: impl Into<String>) -> EnvVar {
    let selector = SecretKeySelector {
        name: secret.into(),
        key: key.into(),
        optional: None,
    };
    EnvVar {
        name: name.into(),
        value: None,
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(selector),
            ..EnvVarSource::default()
        }),
    }
}

/// The variable `POD_NAME`.
#[must_use]
pub fn own_name() -> EnvVar {
    of_pod("POD_NAME", "metadata.name")
}

/// The variable `POD_IP`.
#[must_use]
pub fn own_address() -> EnvVar {
    of_pod("POD_IP", "status.podIP")
}

fn of_pod(name: &str, field_path: &str) -> EnvVar {
    let selector = ObjectFieldSelector {
        field_path: field_path.to_owned(),
        api_version: Some("v1".to_owned()),
    };
    EnvVar {
        name: name.to_owned(),
        value: None,
        value_from: Some(EnvVarSource {
            field_ref: Some(selector),
            ..EnvVarSource::default()
        }),
    }
}

/// The identity of a component's pods. It may do nothing.
#[must_use]
pub fn account(shop: Shop<'_>, component: Component) -> Child {
    Child::ServiceAccount(ServiceAccount {
        metadata: meta::component(shop, component),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    })
}

/// Lets one pod go at a time; none where there is only one, because a budget for it would block every drain.
#[must_use]
pub fn budget(shop: Shop<'_>, component: Component, replicas: u32) -> Option<Child> {
    let spec = PodDisruptionBudgetSpec {
        max_unavailable: Some(IntOrString::Int(1)),
        selector: Some(meta::selector(shop, component)),
        // Of a store, a member that is not ready may hold the only copy of the newest writes.
        unhealthy_pod_eviction_policy: matches!(component, Component::Service(_))
            .then(|| "AlwaysAllow".to_owned()),
        ..PodDisruptionBudgetSpec::default()
    };
    (replicas >= 2).then(|| {
        Child::PodDisruptionBudget(PodDisruptionBudget {
            metadata: meta::component(shop, component),
            spec: Some(spec),
            ..PodDisruptionBudget::default()
        })
    })
}

/// As the API has it.
#[must_use]
pub fn requirements(resources: &Resources) -> ResourceRequirements {
    let Resources { cpu, memory } = resources;
    let named = [("cpu", cpu), ("memory", memory)];
    let limit = |(name, amounts): &(&str, &Amounts)| Some(((*name).to_owned(), amounts.limit.clone()?));
    let limits: BTreeMap<_, _> = named.iter().filter_map(limit).collect();
    let requests = named.map(|(name, amounts)| (name.to_owned(), amounts.request.clone()));
    ResourceRequirements {
        limits: (!limits.is_empty()).then_some(limits),
        requests: Some(BTreeMap::from(requests)),
        ..ResourceRequirements::default()
    }
}

fn pod_security(owns_volumes: bool) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(USER),
        run_as_group: Some(USER),
        fs_group: owns_volumes.then_some(USER),
        // A large volume is not walked through at every start.
        fs_group_change_policy: owns_volumes.then(|| "OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            localhost_profile: None,
        }),
        ..PodSecurityContext::default()
    }
}

fn spread_over(
    shop: Shop<'_>,
    component: Component,
    topology_key: &str,
    revision_label: Option<&str>,
) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        label_selector: Some(meta::selector(shop, component)),
        match_label_keys: revision_label.map(|label| vec![label.to_owned()]),
        max_skew: 1,
        topology_key: topology_key.to_owned(),
        // A small cluster shall run the shop too.
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        ..TopologySpreadConstraint::default()
    }
}

fn pull_secrets(shop: Shop<'_>) -> Option<Vec<LocalObjectReference>> {
    let secrets = &shop.platform.pull_secrets;
    let reference = |secret: &bigtix_crds::platform::SecretName| LocalObjectReference {
        name: secret.to_string(),
    };
    (!secrets.is_empty()).then(|| secrets.iter().map(reference).collect())
}
