//! The stores, what users bring for them, and the way in.

use std::collections::BTreeMap;

use bigtix_crds::platform::{Payments, Quantity, SecretName, Store, Tls};
use bigtix_crds::{Catalog, Platform, Service, Version};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;

use super::gate::{self, Gate, Reason};
use super::plan::Plan;
use super::{Write, mongodb as replica_set};
use crate::build::{Child, Shop, backup, mongodb, nats, redis, service, store, stripe_double};
use crate::names::{self, Component};
use crate::observe::facts::Observed;

const STORES: [Component; 3] = [Component::Mongodb, Component::Nats, Component::Redis];

/// Asks for the stores, and says whether they serve.
pub(super) fn plan(plan: &mut Plan<'_>, observed: &Observed) -> Gate {
    let (shop, live) = (plan.shop, &observed.live);
    let set = |component: Component| live.stateful_sets.get(&component.object_name(shop.platform));
    let size = |component| set(component).and_then(template_size);
    let [mongodb_size, nats_size, redis_size] = STORES.map(size);
    let ready = set(Component::Mongodb).map_or(0, ready_pods);
    let status = observed.resource.status.as_ref();
    let was_up = status.is_some_and(|status| status.version.current.is_some());
    let (step, mongodb_gate) = replica_set::plan(shop, &observed.mongodb, ready, was_up);

    let described = set(Component::Mongodb).map_or(0, described_pods);
    let needed = replica_set::pods(shop, &observed.mongodb, described);
    for child in mongodb::children(shop, mongodb_size.as_ref()) {
        let child = with_at_least(needed, child);
        plan.one(with_credentials(child, observed, shop, Component::Mongodb));
    }
    for child in nats::children(shop, nats_size.as_ref()) {
        let child = with_credentials(child, observed, shop, Component::Nats);
        if set(Component::Nats).is_some_and(|live| joins_or_leaves_a_cluster(live, &child)) {
            plan.anew(&child);
        } else {
            plan.one(child);
        }
    }
    for child in redis::children(shop, redis_size.as_ref()) {
        plan.one(with_credentials(child, observed, shop, Component::Redis));
    }
    plan.all(stripe_double::children(shop, &double_version(shop)));
    plan.all(backup::children(shop));
    let claim = backup::claim(shop);
    let is_there = |claim: &PersistentVolumeClaim| live.claims.contains_key(&claim.name_any());
    plan.writes
        .extend(claim.filter(|claim| !is_there(claim)).map(Write::Claim));
    grow(plan, observed);

    let is_asleep = shop.platform.hibernate;
    let gates = STORES
        .into_iter()
        .filter(|component| is_managed(shop, *component))
        .map(|component| {
            let name = component.object_name(shop.platform);
            let pods = gate::selected(&live.pods, &names::selector(shop.platform, component));
            gate::of_stateful_set(&name, set(component), &pods)
        });
    let gate = bound(plan.shop, &live.claims)
        .into_iter()
        .chain(gates)
        .chain([mongodb_gate])
        .find(|gate| !gate.is_open())
        .unwrap_or(Gate::Open);
    if is_asleep {
        return Gate::Open;
    }
    plan.writes.extend(step.map(Write::Mongodb));
    gate
}

/// What stands for Stripe goes with the operator and not with the release: no rollout replaces it.
fn double_version(shop: Shop<'_>) -> Version {
    let catalog = Catalog::embedded();
    let own = catalog.newest().map(|release| &release.version);
    own.unwrap_or(&shop.platform.version).clone()
}

fn is_managed(shop: Shop<'_>, component: Component) -> bool {
    let stores = &shop.platform.stores;
    let store = match component {
        Component::Mongodb => &stores.mongodb,
        Component::Nats => &stores.nats,
        Component::Redis => &stores.redis,
        Component::StripeDouble | Component::Backup | Component::Service(_) => return false,
    };
    store::managed(store).is_some()
}

/// The size that the volumes were first made with: a StatefulSet's template of them cannot change.
fn template_size(set: &StatefulSet) -> Option<Quantity> {
    let claim = set.spec.as_ref()?.volume_claim_templates.as_ref()?.first()?;
    let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
    requests.get("storage").cloned()
}

fn described_pods(set: &StatefulSet) -> u32 {
    let described = set.spec.as_ref().and_then(|spec| spec.replicas);
    described.and_then(|pods| u32::try_from(pods).ok()).unwrap_or(0)
}

fn ready_pods(set: &StatefulSet) -> u32 {
    let ready = set.status.as_ref().and_then(|status| status.ready_replicas);
    ready.and_then(|ready| u32::try_from(ready).ok()).unwrap_or(0)
}

/// With so many pods at least, unless the shop sleeps.
fn with_at_least(needed: u32, child: Child) -> Child {
    let Child::StatefulSet(mut set) = child else {
        return child;
    };
    let needed = i32::try_from(needed).unwrap_or(i32::MAX);
    let replicas = set.spec.as_mut().and_then(|spec| spec.replicas.as_mut());
    if let Some(replicas) = replicas.filter(|replicas| **replicas > 0) {
        *replicas = needed.max(*replicas);
    }
    Child::StatefulSet(set)
}

/// Whether one server of NATS becomes several, or the other way round. Both cannot be at once: new servers wait for the
/// old one to join them, and its pod is not replaced before theirs are ready.
fn joins_or_leaves_a_cluster(live: &StatefulSet, wanted: &Child) -> bool {
    let Child::StatefulSet(wanted) = wanted else {
        return false;
    };
    let (live, wanted) = (described_pods(live), described_pods(wanted));
    (live == 1 && wanted > 1) || (live > 1 && wanted == 1)
}

/// Pods read their passwords when they start, so other passwords mean other pods.
pub(super) fn with_credentials(
    mut child: Child,
    observed: &Observed,
    shop: Shop<'_>,
    component: Component,
) -> Child {
    let name = names::credentials(shop.platform, component);
    let template = match &mut child {
        Child::StatefulSet(set) => set.spec.as_mut().map(|spec| &mut spec.template),
        Child::Deployment(deployment) => deployment.spec.as_mut().map(|spec| &mut spec.template),
        _ => None,
    };
    if let (Some(template), Some(secret)) = (template, observed.secrets.get(&name)) {
        let annotation = crate::build::meta::digest_annotation("credentials", &secret.digest);
        template
            .metadata
            .get_or_insert_default()
            .annotations
            .get_or_insert_default()
            .extend([annotation]);
    }
    child
}

/// Volumes only grow; the storage class has to allow it.
fn grow(plan: &mut Plan<'_>, observed: &Observed) {
    let platform = plan.shop.platform;
    let stores = &platform.stores;
    let members = STORES
        .into_iter()
        .zip([&stores.mongodb, &stores.nats, &stores.redis])
        .filter_map(|(component, store)| Some((component, store::managed(store)?)))
        .flat_map(|(component, managed)| {
            let claims = store::claims(plan.shop, component, managed);
            claims
                .into_iter()
                .map(|claim| (claim, store::volume_size(managed)))
        });
    let archives = backup::storage(platform).map(|storage| (names::archives(platform), &storage.size));
    let grows: Vec<Write> = members
        .chain(archives)
        .filter_map(|(claim, wanted)| {
            let asked = observed.live.claims.get(&claim)?.spec.as_ref()?;
            let asked = asked.resources.as_ref()?.requests.as_ref()?.get("storage")?;
            let size = wanted.0.clone();
            bigtix_crds::platform::is_less(&asked.0, &size).then_some(Write::Grow { claim, size })
        })
        .collect();
    plan.writes.extend(grows);
}

/// Whether the volumes that are asked for are there. Pods wait for theirs without a word of which one it is.
fn bound(shop: Shop<'_>, claims: &BTreeMap<String, PersistentVolumeClaim>) -> Option<Gate> {
    let stores = &shop.platform.stores;
    STORES
        .into_iter()
        .zip([&stores.mongodb, &stores.nats, &stores.redis])
        .filter_map(|(component, store)| Some((component, store::managed(store)?)))
        .flat_map(|(component, managed)| store::claims(shop, component, managed))
        .find_map(|name| unbound(&name, claims.get(&name)?))
        .map(|message| {
            Gate::Waiting(Reason {
                predicate: "VolumeBound",
                message,
            })
        })
}

fn unbound(name: &str, claim: &PersistentVolumeClaim) -> Option<String> {
    let is_pending = claim.status.as_ref()?.phase.as_deref()? == "Pending";
    if !is_pending {
        return None;
    }
    // The default class is written into a claim as soon as there is one.
    Some(match claim.spec.as_ref()?.storage_class_name.as_deref() {
        None => format!(
            "PersistentVolumeClaim {name} names no storage class and the cluster has no default: mark a StorageClass as the default \
             with the annotation storageclass.kubernetes.io/is-default-class, or name one in the store's storage.storageClassName"
        ),
        Some(class) => format!(
            "PersistentVolumeClaim {name} waits for a volume of class {class}: kubectl describe pvc {name} says why"
        ),
    })
}

/// Whether the Secrets that users bring are there, with the entries that pods read.
pub(super) fn brought(observed: &Observed, platform: &Platform) -> Gate {
    for (name, entries) in expected(platform) {
        let why = match observed.brought.get(name.as_str()) {
            Some(Some(there)) => {
                let missing: Vec<_> = entries
                    .iter()
                    .filter(|entry| !there.contains(**entry))
                    .copied()
                    .collect();
                if missing.is_empty() {
                    continue;
                }
                format!("Secret {name} has no entry {}", missing.join(", "))
            }
            Some(None) | None => format!(
                "Secret {name} does not exist in namespace {}: create it with the entries {}",
                observed.namespace,
                entries.join(", ")
            ),
        };
        return Gate::Waiting(Reason {
            predicate: "SecretMissing",
            message: why,
        });
    }
    Gate::Open
}

/// Every Secret that users bring, with the entries that pods read.
pub(crate) fn expected(platform: &Platform) -> Vec<(SecretName, Vec<&'static str>)> {
    let stores = &platform.stores;
    let mut all = Vec::new();
    for store in [&stores.mongodb, &stores.nats, &stores.redis] {
        if let Store::External { secret_name } = store {
            all.push((secret_name.clone(), vec!["uri"]));
        }
    }
    if let Payments::Account { secret_name, .. } = &platform.payments {
        let mut entries = vec![stripe_double::SECRET_KEY, stripe_double::WEBHOOK_SECRET];
        if platform.services.get(Service::Web).is_some() {
            entries.push(service::PUBLISHABLE_KEY);
        }
        all.push((secret_name.clone(), entries));
    }
    if let (true, Tls::Secret { secret_name }) = (platform.ingress.enabled, &platform.ingress.tls) {
        all.push((secret_name.clone(), vec!["tls.crt", "tls.key"]));
    }
    all
}

/// Whether the Ingress has an address.
pub(super) fn ingress(observed: &Observed, platform: &Platform) -> Gate {
    if !platform.ingress.enabled {
        return Gate::Open;
    }
    let name = platform.name.as_str();
    let has_address = |ingress: &k8s_openapi::api::networking::v1::Ingress| {
        let balancer = ingress.status.as_ref()?.load_balancer.as_ref()?;
        balancer.ingress.as_ref().map(|addresses| !addresses.is_empty())
    };
    match observed.live.ingresses.values().next() {
        Some(ingress) if has_address(ingress) == Some(true) => Gate::Open,
        Some(_) => Gate::Waiting(Reason {
            predicate: "AddressAssigned",
            message: format!("Ingress {name} has no address yet: is there a controller for its class?"),
        }),
        None => Gate::Waiting(Reason {
            predicate: "IngressExists",
            message: format!("Ingress {name} does not exist yet"),
        }),
    }
}
