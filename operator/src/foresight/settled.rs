//! A cluster in memory that does what is written, and in which whatever is described comes up at once.

use std::collections::BTreeSet;

use bigtix_crds::platform::Quantity;
use k8s_openapi::api::apps::v1::{DeploymentStatus, StatefulSetStatus};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::build::Child;
use crate::difference::stamped;
use crate::kind::Kind;
use crate::names::Component;
use crate::next::Write;
use crate::next::leave::FINALIZER;
use crate::next::mongodb::MongodbStep;
use crate::observe::facts::{Member, MongodbFacts, Observed, SecretFacts};

/// Does one write.
pub(super) fn write(observed: &mut Observed, write: &Write, now: Timestamp) {
    match write {
        Write::Keep => observed.resource.finalizers_mut().push(FINALIZER.to_owned()),
        Write::Release => observed
            .resource
            .finalizers_mut()
            .retain(|held| held != FINALIZER),
        Write::DeleteClaim(name) => drop(observed.live.claims.remove(name)),
        Write::Secret(wanted) => {
            let entries = observed
                .secrets
                .get(&wanted.name)
                .map(|there| there.entries.clone());
            let facts = SecretFacts {
                entries: entries
                    .unwrap_or_default()
                    .union(&wanted.entries)
                    .cloned()
                    .collect(),
                // What it is going to hold is not known before it is made.
                digest: "new".to_owned(),
                rotated_at: Some(now),
            };
            observed.secrets.insert(wanted.name.clone(), facts);
        }
        Write::RotateSessionKeys(name) => {
            if let Some(facts) = observed.secrets.get_mut(name) {
                "new".clone_into(&mut facts.digest);
                facts.rotated_at = Some(now);
            }
        }
        Write::Apply(child) => apply(observed, child),
        Write::Delete(kind, name) => delete(observed, *kind, name),
        Write::Claim(claim) => {
            observed.live.claims.insert(claim.name_any(), claim.clone());
        }
        // What comes of them is nothing that a shop waits for.
        Write::Backup { .. } | Write::DeleteBackup(_) => {}
        Write::Grow { claim, size } => {
            let spec = observed
                .live
                .claims
                .get_mut(claim)
                .and_then(|claim| claim.spec.as_mut());
            if let Some(spec) = spec {
                let requests = spec
                    .resources
                    .get_or_insert_default()
                    .requests
                    .get_or_insert_default();
                requests.insert("storage".to_owned(), Quantity(size.clone()));
            }
        }
        Write::Mongodb(step) => database(observed, step),
    }
}

fn delete(observed: &mut Observed, kind: Kind, name: &str) {
    let live = &mut observed.live;
    live.objects.remove(&(kind, name.to_owned()));
    match kind {
        Kind::Deployment => drop(live.deployments.remove(name)),
        Kind::StatefulSet => drop(live.stateful_sets.remove(name)),
        Kind::Ingress => drop(live.ingresses.remove(name)),
        Kind::ServiceAccount
        | Kind::ConfigMap
        | Kind::Service
        | Kind::PodDisruptionBudget
        | Kind::HorizontalPodAutoscaler
        | Kind::NetworkPolicy
        | Kind::PodMonitor
        | Kind::PrometheusRule => {}
    }
}

/// What others own in the object stays.
fn apply(observed: &mut Observed, child: &Child) {
    let (Some(kind), Ok(value)) = (child.kind(), child.to_value()) else {
        return;
    };
    let (key, live) = ((kind, child.name().to_owned()), &mut observed.live);
    let mut object = live.objects.get(&key).cloned().unwrap_or_else(|| json!({}));
    merge(&mut object, &stamped(value));
    let name = child.name();
    match kind {
        Kind::Deployment => keep(&mut live.deployments, name, &object),
        Kind::StatefulSet => keep(&mut live.stateful_sets, name, &object),
        Kind::Ingress => keep(&mut live.ingresses, name, &object),
        Kind::ServiceAccount
        | Kind::ConfigMap
        | Kind::Service
        | Kind::PodDisruptionBudget
        | Kind::HorizontalPodAutoscaler
        | Kind::NetworkPolicy
        | Kind::PodMonitor
        | Kind::PrometheusRule => {}
    }
    live.objects.insert(key, object);
}

fn keep<K: DeserializeOwned>(into: &mut std::collections::BTreeMap<String, K>, name: &str, value: &Value) {
    if let Ok(object) = serde_json::from_value(value.clone()) {
        into.insert(name.to_owned(), object);
    }
}

fn merge(live: &mut Value, wanted: &Value) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            for (name, value) in wanted {
                merge(live.entry(name).or_insert(Value::Object(Map::new())), value);
            }
        }
        (live, wanted) => *live = wanted.clone(),
    }
}

fn database(observed: &mut Observed, step: &MongodbStep) {
    let member = |address: &str, is_primary| Member {
        address: address.to_owned(),
        is_primary,
        is_healthy: true,
    };
    let facts = &mut observed.mongodb;
    match (step, facts) {
        (MongodbStep::Initiate { address }, facts) => {
            *facts = MongodbFacts::Set {
                members: vec![member(address, true)],
                version: None,
                users: BTreeSet::new(),
            };
        }
        (MongodbStep::Add { ordinal: _, address }, MongodbFacts::Set { members, .. }) => {
            members.push(member(address, false));
        }
        (MongodbStep::Remove { address, is_primary }, MongodbFacts::Set { members, .. }) => {
            if *is_primary {
                let heir = members.iter().position(|member| member.address != *address);
                for (at, member) in members.iter_mut().enumerate() {
                    member.is_primary = Some(at) == heir;
                }
            } else {
                members.retain(|member| member.address != *address);
            }
        }
        (MongodbStep::Users(new), MongodbFacts::Set { users, .. }) => users.extend(new),
        (_, MongodbFacts::Absent | MongodbFacts::Silent(_) | MongodbFacts::Fresh) => {}
    }
}

/// What controllers and kubelets do about what is described, when nothing goes wrong.
pub(super) fn settle(observed: &mut Observed) {
    let live = &mut observed.live;
    // Pods tell what is wrong with them; in what is foreseen nothing is.
    live.pods.clear();
    observed.traffic.clear();
    for deployment in live.deployments.values_mut() {
        let count = deployment
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or(1);
        deployment.status = Some(DeploymentStatus {
            observed_generation: deployment.metadata.generation,
            replicas: Some(count),
            updated_replicas: Some(count),
            available_replicas: Some(count),
            ready_replicas: Some(count),
            ..DeploymentStatus::default()
        });
    }
    for set in live.stateful_sets.values_mut() {
        let count = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
        set.status = Some(StatefulSetStatus {
            observed_generation: set.metadata.generation,
            replicas: count,
            ready_replicas: Some(count),
            updated_replicas: Some(count),
            ..StatefulSetStatus::default()
        });
    }
    for claim in live.claims.values_mut() {
        claim.status.get_or_insert_default().phase = Some("Bound".to_owned());
    }
    for ingress in live.ingresses.values_mut() {
        let balancer = ingress
            .status
            .get_or_insert_default()
            .load_balancer
            .get_or_insert_default();
        balancer.ingress.get_or_insert_default().push(Default::default());
        balancer.ingress.get_or_insert_default().truncate(1);
    }
    let name = observed.resource.name_any();
    let mongodb = format!("{name}-{}", Component::Mongodb.as_str());
    if observed.mongodb == MongodbFacts::Absent && live.stateful_sets.contains_key(&mongodb) {
        observed.mongodb = MongodbFacts::Fresh;
    }
}
