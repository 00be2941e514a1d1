//! A cluster in memory: it takes the writes of a pass and does what controllers would do about them.

use std::collections::{BTreeMap, BTreeSet};

use bigtix_crds::v1alpha1::BigTixBackupSpec;
use bigtix_crds::{BigTix, BigTixBackup, BigTixRestore, Catalog, Service, Violation, from_value};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentStatus, StatefulSetStatus};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

use super::super::*;
use crate::build::mongodb as database;
use crate::difference::stamped;
use crate::next::mongodb::MongodbStep;
use crate::observe::facts::{Live, Member, MongodbFacts, SecretFacts};
use crate::status::status;
use crate::traffic::Traffic;

const NAMESPACE: &str = "shops";
const UID: &str = "1a2b3c4d-0000-4000-8000-000000000000";

pub(crate) struct Cluster {
    pub(crate) resource: BigTix,
    catalog: Catalog,
    /// What the resource means. To find out costs more than a pass.
    verdict: Result<Platform, Vec<Violation>>,
    pub(crate) live: Live,
    pub(crate) secrets: BTreeMap<String, SecretFacts>,
    pub(crate) mongodb: MongodbFacts,
    pub(crate) backups: Vec<BigTixBackup>,
    pub(crate) restores: Vec<BigTixRestore>,
    pub(crate) brought: BTreeMap<String, Option<BTreeSet<String>>>,
    /// Images that never get ready.
    pub(crate) bad: BTreeSet<String>,
    /// What each pod of an image says of its requests; the others cannot be asked.
    pub(crate) traffic: BTreeMap<String, Traffic>,
    pub(crate) now: Timestamp,
}

impl Cluster {
    pub(crate) fn with(spec: Value) -> Self {
        let (resource, catalog) = (resource(spec, 1), Catalog::embedded());
        Self {
            verdict: leave::meaning(&resource, &catalog),
            resource,
            catalog,
            live: Live::default(),
            secrets: BTreeMap::new(),
            mongodb: MongodbFacts::Absent,
            backups: Vec::new(),
            restores: Vec::new(),
            brought: BTreeMap::new(),
            bad: BTreeSet::new(),
            traffic: BTreeMap::new(),
            now: Timestamp::from_second(1_000_000).expect("a time"),
        }
    }

    /// Changes the resource as a user would.
    pub(crate) fn change(&mut self, spec: Value) {
        let generation = self.resource.metadata.generation.unwrap_or(0) + 1;
        let before = std::mem::replace(&mut self.resource, resource(spec, generation));
        self.resource.status = before.status;
        self.resource.metadata.finalizers = before.metadata.finalizers;
        self.resource.metadata.deletion_timestamp = before.metadata.deletion_timestamp;
        self.verdict = leave::meaning(&self.resource, &self.catalog);
    }

    /// One more release that the operator knows.
    pub(crate) fn learn(&mut self, release: &Value) {
        let catalog = self.catalog.clone().with(&release.to_string());
        self.catalog = catalog.expect("a release");
        self.verdict = leave::meaning(&self.resource, &self.catalog);
    }

    pub(crate) fn observed(&self) -> Observed {
        let mut observed = self.observed_without_traffic();
        if let Ok(platform) = &observed.verdict {
            let said = |pod: &&Pod| Some((pod.name_any(), self.traffic.get(image_of(pod)?)?.clone()));
            observed.traffic = asked_for_metrics(&observed, platform)
                .iter()
                .filter_map(said)
                .collect();
        }
        observed
    }

    fn observed_without_traffic(&self) -> Observed {
        Observed {
            resource: self.resource.clone(),
            verdict: self.verdict.clone(),
            namespace: NAMESPACE.to_owned(),
            owner: self.resource.controller_owner_ref(&()).unwrap_or_default(),
            operator_namespace: "bigtix-system".to_owned(),
            live: self.live.clone(),
            secrets: self.secrets.clone(),
            brought: self.brought.clone(),
            backups: self.backups.clone(),
            restores: self.restores.clone(),
            mongodb: self.mongodb.clone(),
            traffic: BTreeMap::new(),
            optional_kinds: BTreeSet::new(),
        }
    }

    pub(crate) fn decide(&self) -> Decision {
        next(&self.observed(), self.now)
    }

    /// A pass, of which only the first `writes` are made before the operator dies.
    pub(crate) fn pass(&mut self, writes: usize) -> Decision {
        let observed = self.observed();
        let decision = next(&observed, self.now);
        for write in decision.writes.iter().take(writes) {
            self.write(&observed, write);
        }
        if writes >= decision.writes.len() {
            self.resource.status = Some(status(&observed, &decision, self.now));
        }
        self.settle();
        self.now = self
            .now
            .checked_add(k8s_openapi::jiff::SignedDuration::from_secs(5))
            .expect("a time");
        decision
    }

    pub(crate) fn until_done(&mut self) {
        for _ in 0..100 {
            let decision = self.pass(usize::MAX);
            if decision.writes.is_empty() && decision.look_again == AT_REST {
                return;
            }
        }
        panic!("no end: {:?}", self.decide());
    }

    fn write(&mut self, observed: &Observed, write: &Write) {
        match write {
            Write::Keep => self.resource.finalizers_mut().push(leave::FINALIZER.to_owned()),
            Write::Release => self
                .resource
                .finalizers_mut()
                .retain(|held| held != leave::FINALIZER),
            Write::DeleteClaim(name) => drop(self.live.claims.remove(name)),
            Write::Secret(wanted) => {
                let facts = SecretFacts {
                    entries: wanted.entries.clone(),
                    digest: format!("{:?}", wanted.entries.len()),
                    rotated_at: Some(self.now),
                };
                self.secrets.insert(wanted.name.clone(), facts);
            }
            Write::RotateSessionKeys(name) => {
                let facts = self.secrets.get_mut(name).expect("what is rotated is there");
                facts.digest.push('x');
                facts.rotated_at = Some(self.now);
            }
            Write::Apply(child) => self.apply(child),
            Write::Delete(kind, name) => {
                self.live.objects.remove(&(*kind, name.clone()));
                match kind {
                    Kind::Deployment => drop(self.live.deployments.remove(name)),
                    Kind::StatefulSet => drop(self.live.stateful_sets.remove(name)),
                    Kind::Ingress => drop(self.live.ingresses.remove(name)),
                    _ => {}
                }
            }
            Write::Claim(claim) => drop(self.live.claims.insert(claim.name_any(), claim.clone())),
            Write::Backup { name, shop, occasion } => {
                let mut backup = BigTixBackup::new(name, BigTixBackupSpec { shop: shop.clone() });
                backup
                    .labels_mut()
                    .insert(occasion.label().to_owned(), "true".to_owned());
                self.backups.push(backup);
            }
            Write::DeleteBackup(name) => self.backups.retain(|backup| backup.name_any() != *name),
            Write::Grow { claim, .. } => panic!("{claim} is big enough"),
            Write::Mongodb(step) => self.database(observed, step),
        }
    }

    fn apply(&mut self, child: &Child) {
        let kind = child.kind().expect("a known kind");
        let name = child.name().to_owned();
        let mut value = stamped(child.to_value().expect("plain data"));
        value["metadata"]["generation"] = json!(1);
        match child {
            Child::Deployment(_) => {
                let live = serde_json::from_value(value.clone()).expect("a Deployment");
                self.live.deployments.insert(name.clone(), live);
            }
            Child::StatefulSet(_) => {
                let live = serde_json::from_value(value.clone()).expect("a StatefulSet");
                self.live.stateful_sets.insert(name.clone(), live);
            }
            Child::Ingress(_) => {
                value["status"] = json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}});
                let live = serde_json::from_value(value.clone()).expect("an Ingress");
                self.live.ingresses.insert(name.clone(), live);
            }
            _ => {}
        }
        self.live.objects.insert((kind, name), value);
    }

    fn database(&mut self, observed: &Observed, step: &MongodbStep) {
        let platform = observed.verdict.as_ref().expect("valid");
        let member = |address: &str, is_primary| Member {
            address: address.to_owned(),
            is_primary,
            is_healthy: true,
        };
        if let (MongodbStep::Initiate { address }, MongodbFacts::Fresh) = (step, &self.mongodb) {
            self.mongodb = MongodbFacts::Set {
                members: vec![member(address, true)],
                version: Some("6.0.5".to_owned()),
                users: BTreeSet::new(),
            };
            return;
        }
        let MongodbFacts::Set { members, users, .. } = &mut self.mongodb else {
            panic!("{step:?} of {:?}", self.mongodb);
        };
        match step {
            MongodbStep::Initiate { .. } => panic!("it is a set already"),
            MongodbStep::Add { ordinal, address } => {
                assert_eq!(
                    *address,
                    database::member_address(observed.shop(platform), *ordinal)
                );
                members.push(member(address, false));
            }
            MongodbStep::Remove {
                address,
                is_primary: true,
            } => {
                for member in members {
                    member.is_primary = member.address != *address;
                }
            }
            MongodbStep::Remove {
                address,
                is_primary: false,
            } => {
                members.retain(|member| member.address != *address);
            }
            MongodbStep::Users(new) => users.extend(new),
        }
    }

    /// What controllers and kubelets do about what is described.
    fn settle(&mut self) {
        for deployment in self.live.deployments.values_mut() {
            let spec = deployment.spec.clone().unwrap_or_default();
            let image = spec
                .template
                .spec
                .and_then(|pod| pod.containers.first()?.image.clone());
            let count = spec.replicas.unwrap_or(1);
            let is_bad = image.is_some_and(|image| self.bad.contains(&image));
            deployment.status = Some(DeploymentStatus {
                observed_generation: deployment.metadata.generation,
                replicas: Some(count),
                updated_replicas: Some(count),
                available_replicas: Some(if is_bad { 0 } else { count }),
                ready_replicas: Some(if is_bad { 0 } else { count }),
                ..DeploymentStatus::default()
            });
        }
        self.settle_pods();
        for set in self.live.stateful_sets.values_mut() {
            let count = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            set.status = Some(StatefulSetStatus {
                observed_generation: set.metadata.generation,
                replicas: count,
                ready_replicas: Some(count),
                updated_replicas: Some(count),
                ..StatefulSetStatus::default()
            });
        }
        let has_pods = self.live.stateful_sets.contains_key("shop-mongodb");
        if has_pods && self.mongodb == MongodbFacts::Absent {
            self.mongodb = MongodbFacts::Fresh;
        }
    }

    /// One pod of each Deployment that is to have any, made anew when its image is another one.
    fn settle_pods(&mut self) {
        let before = std::mem::take(&mut self.live.pods);
        let sleeps = |deployment: &Deployment| {
            let spec = deployment.spec.as_ref();
            spec.and_then(|spec| spec.replicas) == Some(0)
        };
        let awake = self.live.deployments.iter();
        for (name, deployment) in awake.filter(|(_, deployment)| !sleeps(deployment)) {
            let template = deployment.spec.clone().unwrap_or_default().template;
            let made = Pod {
                metadata: ObjectMeta {
                    name: Some(format!("{name}-{}", self.now.as_second())),
                    creation_timestamp: Some(Time(self.now)),
                    ..template.metadata.unwrap_or_default()
                },
                spec: template.spec,
                status: None,
            };
            let is_it =
                |pod: &&Pod| pod.metadata.labels == made.metadata.labels && image_of(pod) == image_of(&made);
            let present = before.iter().find(is_it).cloned();
            self.live.pods.push(present.unwrap_or(made));
        }
    }

    pub(crate) fn condition(&self, type_: &str) -> (String, String) {
        let status = self.resource.status.clone().unwrap_or_default();
        let found = status
            .conditions
            .into_iter()
            .find(|condition| condition.type_ == type_);
        let found = found.expect("the condition is always there");
        (found.status, found.reason)
    }

    pub(crate) fn image(&self, service: Service) -> String {
        let deployment = &self.live.deployments[&format!("shop-{service}")];
        let pod = deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.template.spec.as_ref());
        pod.and_then(|pod| pod.containers[0].image.clone())
            .unwrap_or_default()
    }
}

fn image_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.containers.first()?.image.as_deref()
}

fn resource(spec: Value, generation: i64) -> BigTix {
    let mut resource = from_value(json!({
        "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix",
        "metadata": {"name": "shop", "namespace": NAMESPACE}, "spec": spec,
    }))
    .expect("a resource");
    resource.metadata.generation = Some(generation);
    resource.metadata.uid = Some(UID.to_owned());
    resource
}

pub(crate) fn minimal() -> Cluster {
    Cluster::with(json!({"version": "1.0.0"}))
}
