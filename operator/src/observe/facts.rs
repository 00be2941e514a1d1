//! What was observed of one shop, as plain data.

use std::collections::{BTreeMap, BTreeSet};

use bigtix_crds::{BigTix, BigTixBackup, BigTixRestore, Platform, Service, Violation};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::Value;

use crate::build::Shop;
use crate::build::mongodb::User;
use crate::kind::Kind;
use crate::names::COMPONENT_LABEL;
use crate::traffic::Traffic;

/// Everything that the next step follows from.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The resource with the status that was written last.
    pub resource: BigTix,
    /// What it means, or what is wrong with it.
    pub verdict: Result<Platform, Vec<Violation>>,
    /// Where it is.
    pub namespace: String,
    /// The resource, as its children name it.
    pub owner: OwnerReference,
    /// Where the operator runs.
    pub operator_namespace: String,
    /// The objects that are there.
    pub live: Live,
    /// The Secrets that the operator made or should make.
    pub secrets: BTreeMap<String, SecretFacts>,
    /// Of Secrets that users bring: which entries each has; none when there is no such Secret.
    pub brought: BTreeMap<String, Option<BTreeSet<String>>>,
    /// The backups in the namespace, also those of other shops.
    pub backups: Vec<BigTixBackup>,
    /// The restores of this shop.
    pub restores: Vec<BigTixRestore>,
    /// The database, where the operator runs it.
    pub mongodb: MongodbFacts,
    /// What pods say of the requests that they have answered, by name; of those that a rollout has made, and that say so.
    pub traffic: BTreeMap<String, Traffic>,
    /// Kinds that a cluster may lack and this one has.
    pub optional_kinds: BTreeSet<String>,
}

impl Observed {
    /// What objects are built from.
    #[must_use]
    pub fn shop<'a>(&'a self, platform: &'a Platform) -> Shop<'a> {
        Shop {
            platform,
            namespace: &self.namespace,
            owner: &self.owner,
            operator_namespace: &self.operator_namespace,
        }
    }
}

/// Whether a pod has ended, so that it has no connection any more.
#[must_use]
pub fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The objects of a shop by name.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// All of them that the operator applies, as they are.
    pub objects: BTreeMap<(Kind, String), Value>,
    /// Pods of services.
    pub deployments: BTreeMap<String, Deployment>,
    /// Pods of stores.
    pub stateful_sets: BTreeMap<String, StatefulSet>,
    /// The way in.
    pub ingresses: BTreeMap<String, Ingress>,
    /// Volumes of stores.
    pub claims: BTreeMap<String, PersistentVolumeClaim>,
    /// All pods.
    pub pods: Vec<Pod>,
}

impl Live {
    /// The pods of services that have not ended, on their way out too.
    #[must_use]
    pub fn service_pods(&self) -> Vec<String> {
        let is_of_a_service = |pod: &&Pod| {
            let component = pod.labels().get(COMPONENT_LABEL);
            component
                .is_some_and(|component| Service::ALL.iter().any(|service| service.as_str() == component))
        };
        let pods = self.pods.iter().filter(is_of_a_service);
        pods.filter(|pod| !has_ended(pod))
            .map(ResourceExt::name_any)
            .collect()
    }
}

/// What is known of a Secret without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretFacts {
    /// Its entries.
    pub entries: BTreeSet<String>,
    /// Tells these values from others.
    pub digest: String,
    /// Of the session keys: when the newest was made.
    pub rotated_at: Option<Timestamp>,
}

/// The database as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MongodbFacts {
    /// Somebody else runs it, or it has no pods yet.
    Absent,
    /// It does not answer.
    Silent(String),
    /// Its first member belongs to no set yet.
    Fresh,
    /// It is a set.
    Set {
        /// The members, by ordinal.
        members: Vec<Member>,
        /// The version that the primary says it is.
        version: Option<String>,
        /// Those who have a user with their present password.
        users: BTreeSet<User>,
    },
}

/// One member of the replica set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Host and port under which the others know it.
    pub address: String,
    /// Whether it takes writes.
    pub is_primary: bool,
    /// Whether it has all the data and answers.
    pub is_healthy: bool,
}
