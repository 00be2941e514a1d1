//! From a [`Platform`] to the objects that carry it out. Pure: the same shop gives the same objects, byte for byte.

pub mod address;
pub mod amounts;
pub mod backup;
pub mod endpoint;
pub mod ingress;
pub mod meta;
pub mod mongodb;
pub mod monitoring;
pub mod nats;
pub mod network;
pub mod pod;
pub mod redis;
pub mod secrets;
pub mod service;
pub mod store;
pub mod stripe_double;

use std::collections::BTreeMap;

use bigtix_crds::platform::{Payments, Quantity};
use bigtix_crds::{Platform, Service, Version};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Service as CoreService, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use kube::core::DynamicObject;

use crate::names::Component;
use service::Running;

/// What every object is built from.
#[derive(Clone, Copy, Debug)]
pub struct Shop<'a> {
    /// What is wanted.
    pub platform: &'a Platform,
    /// Where it is wanted.
    pub namespace: &'a str,
    /// The resource, so that what is built goes when it goes.
    pub owner: &'a OwnerReference,
    /// Where the operator itself runs: its pods may reach the stores and the services' metrics.
    pub operator_namespace: &'a str,
}

/// An object of a kind that the operator applies. Secrets and claims of volumes are not among them: those are created
/// and then left alone.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "few of them exist at a time")]
pub enum Child {
    /// An identity of pods.
    ServiceAccount(ServiceAccount),
    /// Files that are no secret.
    ConfigMap(ConfigMap),
    /// A name for pods.
    Service(CoreService),
    /// Pods of a store.
    StatefulSet(StatefulSet),
    /// Pods of a service.
    Deployment(Deployment),
    /// How many pods may be gone at once.
    PodDisruptionBudget(PodDisruptionBudget),
    /// How many pods there are.
    HorizontalPodAutoscaler(HorizontalPodAutoscaler),
    /// Who may speak to whom.
    NetworkPolicy(NetworkPolicy),
    /// The way in.
    Ingress(Ingress),
    /// An object of a kind that a cluster may not have.
    Optional(DynamicObject),
}

impl Child {
    /// Name, namespace, labels.
    #[must_use]
    pub fn metadata(&self) -> &ObjectMeta {
        match self {
            Self::ServiceAccount(object) => &object.metadata,
            Self::ConfigMap(object) => &object.metadata,
            Self::Service(object) => &object.metadata,
            Self::StatefulSet(object) => &object.metadata,
            Self::Deployment(object) => &object.metadata,
            Self::PodDisruptionBudget(object) => &object.metadata,
            Self::HorizontalPodAutoscaler(object) => &object.metadata,
            Self::NetworkPolicy(object) => &object.metadata,
            Self::Ingress(object) => &object.metadata,
            Self::Optional(object) => &object.metadata,
        }
    }

    /// As it is sent to the API.
    ///
    /// # Errors
    /// When an object of a kind without a type holds what JSON cannot.
    pub fn to_value(&self) -> serde_json::Result<serde_json::Value> {
        match self {
            Self::ServiceAccount(object) => serde_json::to_value(object),
            Self::ConfigMap(object) => serde_json::to_value(object),
            Self::Service(object) => serde_json::to_value(object),
            Self::StatefulSet(object) => serde_json::to_value(object),
            Self::Deployment(object) => serde_json::to_value(object),
            Self::PodDisruptionBudget(object) => serde_json::to_value(object),
            Self::HorizontalPodAutoscaler(object) => serde_json::to_value(object),
            Self::NetworkPolicy(object) => serde_json::to_value(object),
            Self::Ingress(object) => serde_json::to_value(object),
            Self::Optional(object) => serde_json::to_value(object),
        }
    }
}

/// The sizes that the volumes of the stores' StatefulSets were created with, which those cannot change; none where there
/// is no set yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct TemplateSizes<'a> {
    /// Of MongoDB.
    pub mongodb: Option<&'a Quantity>,
    /// Of NATS.
    pub nats: Option<&'a Quantity>,
    /// Of Redis.
    pub redis: Option<&'a Quantity>,
}

/// What is observed or chosen rather than wanted.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// What of each service is to run. A service that is left out is not built.
    pub running: &'a BTreeMap<Service, Running<'a>>,
    /// Tells one set of session keys from another.
    pub session_digest: &'a str,
    /// Of what stands for Stripe.
    pub stripe_double_version: &'a Version,
    /// Of volumes that exist.
    pub template_sizes: TemplateSizes<'a>,
}

/// The parts of the shop that have pods, in the order in which they are needed.
#[must_use]
pub fn components(shop: Shop<'_>) -> Vec<Component> {
    let stores = &shop.platform.stores;
    let managed = [
        (Component::Mongodb, &stores.mongodb),
        (Component::Nats, &stores.nats),
        (Component::Redis, &stores.redis),
    ];
    let stores = managed
        .into_iter()
        .filter(|(_, store)| store::managed(store).is_some());
    let double = (shop.platform.payments == Payments::StripeDouble).then_some(Component::StripeDouble);
    let backup = shop.platform.backup.as_ref().map(|_| Component::Backup);
    let services = shop
        .platform
        .services
        .iter()
        .map(|(service, _)| Component::Service(service));
    stores
        .map(|(component, _)| component)
        .chain(double)
        .chain(backup)
        .chain(services)
        .collect()
}

/// Every object of the shop, in the order in which a new shop is brought about.
#[must_use]
pub fn all(shop: Shop<'_>, circumstances: Circumstances<'_>) -> Vec<Child> {
    let Circumstances {
        running,
        session_digest,
        stripe_double_version,
        template_sizes: TemplateSizes { mongodb, nats, redis },
    } = circumstances;
    let mut children = network::children(shop);
    children.extend(mongodb::children(shop, mongodb));
    children.extend(nats::children(shop, nats));
    children.extend(redis::children(shop, redis));
    children.extend(stripe_double::children(shop, stripe_double_version));
    children.extend(backup::children(shop));
    for (service, workload) in shop.platform.services.iter() {
        if let Some(running) = running.get(&service) {
            children.extend(service::children(
                shop,
                service,
                workload,
                *running,
                session_digest,
            ));
        }
    }
    children.extend(ingress::children(shop));
    children.extend(monitoring::children(shop));
    children
}
