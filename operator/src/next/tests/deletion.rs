//! A shop that is deleted.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::*;
use crate::backups::verdict::{Verdict, reasons};
use crate::names::{COMPONENT_LABEL, FINAL_LABEL};
use crate::next::leave::{DELETING, FINAL_BACKUP_FAILED, FINALIZER};

/// As many passes as anything here takes.
const LONG_ENOUGH: usize = 40;
const FINAL: &str = "shop-final-1a2b3c4d";

fn snapshot() -> Value {
    json!({"version": "1.0.0", "deletionPolicy": "Snapshot", "backup": {"volume": {}}})
}

fn with(policy: &str) -> Value {
    let mut spec = snapshot();
    spec["deletionPolicy"] = json!(policy);
    spec
}

/// A shop that serves users, with the volumes that its stores have made.
fn up(spec: Value) -> Cluster {
    let mut cluster = Cluster::with(spec);
    cluster.until_done();
    for component in ["mongodb", "nats", "redis", "mongodb-that-left"] {
        let mut claim = PersistentVolumeClaim::default();
        let store = component.trim_end_matches("-that-left");
        claim.metadata.name = Some(format!("data-shop-{component}"));
        claim
            .labels_mut()
            .insert(COMPONENT_LABEL.to_owned(), store.to_owned());
        cluster.live.claims.insert(claim.name_any(), claim);
    }
    cluster
}

fn delete(cluster: &mut Cluster) {
    cluster.resource.metadata.deletion_timestamp = Some(Time(cluster.now));
    // An API server counts that as a change.
    let spec = serde_json::to_value(&cluster.resource.spec).expect("plain data");
    cluster.change(spec);
}

fn deleted(spec: Value) -> Cluster {
    let mut cluster = up(spec);
    delete(&mut cluster);
    cluster
}

/// Passes until the final backup has been asked for.
fn asked(cluster: &mut Cluster) {
    for _ in 0..LONG_ENOUGH {
        cluster.pass(usize::MAX);
        if !cluster.backups.is_empty() {
            return;
        }
    }
    panic!("no backup: {:?}", cluster.condition("Ready"));
}

fn end_backup(cluster: &mut Cluster, verdict: &Verdict) {
    let now = cluster.now;
    let status = cluster.backups[0].status.get_or_insert_default();
    status.conditions = verdict.conditions(&[], None, now);
    status.completed_at = Some(Time(now));
}

fn done() -> Verdict {
    Verdict::Done("7 documents".to_owned())
}

fn failed() -> Verdict {
    Verdict::Failed(reasons::NO_BACKUP, "the bucket is not there".to_owned())
}

fn is_held(cluster: &Cluster) -> bool {
    cluster.resource.finalizers().iter().any(|held| held == FINALIZER)
}

fn volumes(cluster: &Cluster) -> Vec<&str> {
    cluster.live.claims.keys().map(String::as_str).collect()
}

fn replicas(cluster: &Cluster) -> BTreeMap<&str, i32> {
    let deployments = cluster.live.deployments.iter();
    let services =
        deployments.filter_map(|(name, live)| Some((name.as_str(), live.spec.as_ref()?.replicas?)));
    let sets = cluster.live.stateful_sets.iter();
    let stores = sets.filter_map(|(name, live)| Some((name.as_str(), live.spec.as_ref()?.replicas?)));
    services
        .chain(stores)
        .filter(|(name, _)| *name != "shop-stripe")
        .collect()
}

fn ready(cluster: &Cluster) -> String {
    let status = cluster.resource.status.clone().unwrap_or_default();
    let ready = status.conditions.iter().find(|said| said.type_ == "Ready");
    ready.map(|said| said.message.clone()).unwrap_or_default()
}

#[test]
fn a_shop_is_held_as_long_as_its_policy_is_snapshot() {
    for (spec, held) in [
        (snapshot(), true),
        (with("Retain"), false),
        (with("Delete"), false),
    ] {
        let mut cluster = up(spec);
        assert_eq!(is_held(&cluster), held);
        cluster.change(with("Retain"));
        cluster.until_done();
        assert!(!is_held(&cluster));
    }
    let mut paused = snapshot();
    paused["paused"] = json!(true);
    let mut cluster = Cluster::with(paused);
    cluster.pass(usize::MAX);
    assert!(!is_held(&cluster), "nothing is changed while it is paused");
}

#[test]
fn the_services_stop_before_the_final_backup_is_asked_for_and_the_stores_after_it() {
    let mut cluster = deleted(snapshot());
    let pods = cluster.live.pods.clone();
    cluster.pass(usize::MAX);
    cluster.live.pods = pods;
    let decision = cluster.pass(usize::MAX);
    assert_eq!(cluster.backups, [], "pods that end may still write: {decision:?}");
    assert_eq!(
        cluster.condition("Ready"),
        ("False".to_owned(), DELETING.to_owned())
    );
    asked(&mut cluster);
    let sizes = replicas(&cluster);
    for (name, size) in sizes {
        let is_store = ["shop-mongodb", "shop-nats", "shop-redis"].contains(&name);
        assert_eq!(size, i32::from(is_store), "{name}");
    }
    let [backup] = cluster.backups.as_slice() else {
        panic!("{:?}", cluster.backups);
    };
    assert_eq!(
        (backup.name_any(), backup.spec.shop.as_str()),
        (FINAL.to_owned(), "shop")
    );
    assert!(backup.labels().contains_key(FINAL_LABEL));
    assert_eq!(backup.owner_references(), [], "it outlives the shop");
    for _ in 0..3 {
        cluster.pass(usize::MAX);
        assert!(is_held(&cluster) && volumes(&cluster).len() == 5 && cluster.backups.len() == 1);
    }
}

#[test]
fn the_volumes_go_and_the_archives_stay_once_the_backup_is_complete() {
    let mut cluster = deleted(snapshot());
    asked(&mut cluster);
    end_backup(&mut cluster, &done());
    let decision = cluster.decide();
    assert_eq!(
        decision.writes.last(),
        Some(&Write::Release),
        "{:?}",
        decision.writes
    );
    assert_eq!(decision.notices.len(), 1);
    // An operator that dies after any of these writes goes on.
    for _ in 1..decision.writes.len() {
        cluster.pass(1);
        assert!(is_held(&cluster));
    }
    assert_eq!(volumes(&cluster), ["shop-backups"]);
    cluster.pass(usize::MAX);
    assert!(!is_held(&cluster) && cluster.backups.len() == 1);
}

#[test]
fn a_final_backup_that_fails_keeps_everything_says_so_once_and_is_tried_again() {
    let mut cluster = deleted(snapshot());
    asked(&mut cluster);
    end_backup(&mut cluster, &failed());
    let decision = cluster.pass(usize::MAX);
    let [notice] = decision.notices.as_slice() else {
        panic!("{:?}", decision.notices);
    };
    assert!(notice.is_warning && notice.reason == FINAL_BACKUP_FAILED);
    for type_ in ["Ready", "Degraded", "Progressing"] {
        assert_eq!(cluster.condition(type_).1, FINAL_BACKUP_FAILED, "{type_}");
    }
    for word in ["the bucket is not there", "Retain", "Delete"] {
        assert!(ready(&cluster).contains(word), "{}", ready(&cluster));
    }
    let decision = cluster.pass(usize::MAX);
    assert_eq!((decision.writes, decision.notices), (vec![], vec![]));
    assert!(is_held(&cluster) && volumes(&cluster).len() == 5);

    cluster.now = cluster
        .now
        .checked_add(SignedDuration::from_mins(5))
        .expect("a time");
    let decision = cluster.pass(usize::MAX);
    assert_eq!(decision.writes, [Write::DeleteBackup(FINAL.to_owned())]);
    asked(&mut cluster);
    assert_eq!(cluster.backups[0].status, None, "a new one");
    end_backup(&mut cluster, &done());
    cluster.pass(usize::MAX);
    assert!(!is_held(&cluster));
}

#[test]
fn one_that_is_cleared_away_is_waited_for() {
    let mut cluster = deleted(snapshot());
    asked(&mut cluster);
    end_backup(&mut cluster, &done());
    cluster.backups[0].metadata.deletion_timestamp = Some(Time(cluster.now));
    let decision = cluster.pass(usize::MAX);
    assert_eq!(decision.writes, []);
    assert!(is_held(&cluster));
}

#[test]
fn another_policy_takes_effect_while_the_deletion_waits() {
    for (policy, left) in [("Retain", 5), ("Delete", 1)] {
        let mut cluster = deleted(snapshot());
        asked(&mut cluster);
        end_backup(&mut cluster, &failed());
        cluster.pass(usize::MAX);
        cluster.change(with(policy));
        cluster.pass(usize::MAX);
        assert!(!is_held(&cluster), "{policy}");
        assert_eq!(volumes(&cluster).len(), left, "{policy}");
    }
    // Whoever deletes with `--cascade=orphan` keeps what the resource owns.
    let mut cluster = deleted(snapshot());
    cluster.resource.finalizers_mut().push("orphan".to_owned());
    assert_eq!(cluster.decide().writes, [Write::Release]);
}

#[test]
fn what_may_not_be_changed_is_not_backed_up_and_says_why() {
    for (field, value, word) in [
        ("paused", json!(true), "spec.paused"),
        ("mode", json!("Plan"), "spec.mode"),
        ("version", json!("9.9.9"), "spec.deletionPolicy"),
    ] {
        let mut cluster = deleted(snapshot());
        let mut spec = snapshot();
        spec[field] = value;
        cluster.change(spec.clone());
        for _ in 0..5 {
            cluster.pass(usize::MAX);
        }
        assert!(is_held(&cluster) && cluster.backups.is_empty(), "{field}");
        let status = cluster.resource.status.clone().unwrap_or_default();
        let said = status.conditions.iter().any(|said| said.message.contains(word));
        assert!(said, "{field}: {:?}", status.conditions);
        spec["deletionPolicy"] = json!("Retain");
        cluster.change(spec);
        cluster.pass(usize::MAX);
        assert!(!is_held(&cluster), "{field}: to let it go changes nothing of it");
    }
}

#[test]
fn a_shop_that_sleeps_wakes_its_stores_alone() {
    let mut spec = snapshot();
    spec["hibernate"] = json!(true);
    let mut cluster = up(snapshot());
    cluster.change(spec);
    for _ in 0..5 {
        cluster.pass(usize::MAX);
    }
    assert!(replicas(&cluster).values().all(|size| *size == 0));
    delete(&mut cluster);
    cluster.mongodb = crate::observe::facts::MongodbFacts::Silent("it wakes up".to_owned());
    for _ in 0..5 {
        cluster.pass(usize::MAX);
    }
    let sizes = replicas(&cluster);
    assert_eq!((sizes["shop-mongodb"], sizes["shop-orders"]), (1, 0));
    assert_eq!(cluster.backups, [], "no database answers");
    assert!(ready(&cluster).contains("it wakes up"), "{}", ready(&cluster));
}

#[test]
fn a_shop_without_anything_to_back_up_goes_at_once() {
    let mut cluster = Cluster::with(snapshot());
    cluster.pass(1);
    assert!(is_held(&cluster));
    delete(&mut cluster);
    cluster.pass(usize::MAX);
    assert!(!is_held(&cluster) && cluster.backups.is_empty());

    // In its first rollout it may hold something already.
    let mut cluster = Cluster::with(snapshot());
    while !cluster.live.deployments.contains_key("shop-tickets") {
        cluster.pass(usize::MAX);
    }
    delete(&mut cluster);
    asked(&mut cluster);
    assert!(is_held(&cluster));
}

#[test]
fn no_rollout_begins_or_goes_on_and_the_schedule_rests() {
    let mut cluster = up(snapshot());
    let mut spec = snapshot();
    spec["backup"]["schedule"] = json!("* * * * *");
    spec["services"] = json!({"orders": {"image": "orders:2"}});
    cluster.change(spec);
    cluster.pass(usize::MAX);
    delete(&mut cluster);
    cluster.backups.clear();
    asked(&mut cluster);
    for _ in 0..LONG_ENOUGH {
        cluster.pass(usize::MAX);
    }
    assert_eq!(cluster.backups.len(), 1, "{:?}", cluster.backups);
    assert_eq!(cluster.backups[0].name_any(), FINAL);
}

#[test]
fn who_waits_for_all_children_does_not_have_them_deleted_first() {
    let cluster = up(snapshot());
    for object in cluster.live.objects.values() {
        let owner = &object["metadata"]["ownerReferences"][0];
        assert!(
            owner["name"] == "shop" && owner["blockOwnerDeletion"] != true,
            "{object}"
        );
    }
}
