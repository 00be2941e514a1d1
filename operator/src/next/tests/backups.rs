//! The schedule of backups, and a shop that is being restored.

use bigtix_crds::v1alpha1::{BigTixRestoreSpec, BigTixRestoreStatus};
use bigtix_crds::{BigTixBackup, BigTixRestore};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::*;
use crate::backups::verdict::{Verdict, reasons};

/// At a quarter past every hour.
fn hourly() -> Value {
    json!({"version": "1.0.0", "backup": {"schedule": "15 * * * *", "keep": 2, "volume": {}}})
}

fn up(spec: Value) -> Cluster {
    let mut cluster = Cluster::with(spec);
    cluster.now = "2026-01-01T10:00:00Z".parse().expect("a time");
    for _ in 0..40 {
        cluster.pass(usize::MAX);
    }
    assert_eq!(cluster.condition("Ready").0, "True");
    cluster
}

fn at(time: &str) -> Timestamp {
    format!("2026-01-01T{time}Z").parse().expect("a time")
}

/// Passes at that time, with the names of the backups that are there then.
fn backups_at(cluster: &mut Cluster, time: &str) -> Vec<String> {
    cluster.now = at(time);
    cluster.pass(usize::MAX);
    cluster.pass(usize::MAX);
    cluster.backups.iter().map(ResourceExt::name_any).collect()
}

fn complete(backup: &mut BigTixBackup, taken_at: Timestamp) {
    let mut status = backup.status.clone().unwrap_or_default();
    status.conditions = Verdict::Done(String::new()).conditions(&[], None, taken_at);
    status.taken_at = Some(Time(taken_at));
    backup.status = Some(status);
}

fn fail(backup: &mut BigTixBackup) {
    let failed = Verdict::Failed(reasons::NO_BACKUP, String::new());
    backup.status.get_or_insert_default().conditions = failed.conditions(&[], None, Timestamp::UNIX_EPOCH);
}

#[test]
fn a_backup_is_asked_for_at_each_time_once_and_at_most_one_is_caught_up_with() {
    let mut cluster = up(hourly());
    assert_eq!(
        backups_at(&mut cluster, "10:14:00"),
        [""; 0],
        "no time before the first"
    );
    assert_eq!(backups_at(&mut cluster, "10:15:00"), ["shop-202601011015"]);
    assert_eq!(backups_at(&mut cluster, "10:40:00").len(), 1);
    let remembered = cluster.resource.status.clone();
    // An operator that dies before it has written down what it asked for asks for the same one.
    cluster.now = at("11:15:00");
    cluster.pass(1);
    cluster.resource.status = remembered;
    let decision = cluster.decide();
    let Some(Write::Backup { name, .. }) = decision.writes.first() else {
        panic!("{:?}", decision.writes);
    };
    assert_eq!(*name, cluster.backups[1].name_any());
    cluster.backups.pop();
    assert_eq!(
        backups_at(&mut cluster, "14:20:00"),
        ["shop-202601011015", "shop-202601011415"]
    );
}

#[test]
fn no_backup_is_taken_while_the_shop_sleeps_is_paused_or_restored() {
    for field in ["hibernate", "paused"] {
        let mut cluster = up(hourly());
        let mut spec = hourly();
        spec[field] = json!(true);
        cluster.change(spec);
        assert_eq!(backups_at(&mut cluster, "12:15:00"), [""; 0], "{field}");
        cluster.change(hourly());
        assert_eq!(
            backups_at(&mut cluster, "12:30:00"),
            ["shop-202601011215"],
            "{field}"
        );
    }
    let mut cluster = with_backup();
    cluster.restores = vec![restore("one", 0)];
    assert_eq!(backups_at(&mut cluster, "12:15:00"), ["monday"]);
}

#[test]
fn the_newest_that_succeeded_are_kept_whatever_fails() {
    let mut cluster = up(hourly());
    for hour in 11..14 {
        backups_at(&mut cluster, &format!("{hour}:15:00"));
        let newest = cluster.backups.last_mut().expect("one was asked for");
        complete(newest, at(&format!("{hour}:15:10")));
    }
    assert_eq!(
        backups_at(&mut cluster, "13:20:00"),
        ["shop-202601011215", "shop-202601011315"]
    );
    for hour in 14..20 {
        backups_at(&mut cluster, &format!("{hour}:15:00"));
        fail(cluster.backups.last_mut().expect("one was asked for"));
    }
    assert_eq!(
        backups_at(&mut cluster, "19:20:00"),
        [
            "shop-202601011215",
            "shop-202601011315",
            "shop-202601011815",
            "shop-202601011915"
        ]
    );
    // Those that people asked for do not count, and what a restore waits for stays.
    let mut own = cluster.backups[0].clone();
    own.metadata.name = Some("own".to_owned());
    own.metadata.labels = None;
    complete(&mut own, at("19:21:00"));
    cluster.backups.push(own);
    let mut waits = restore("waits", 0);
    waits.spec.backup = "shop-202601011215".to_owned();
    cluster.restores = vec![waits];
    cluster.resource.status.as_mut().expect("a status").rollout = None;
    let newest = cluster.backups[3].name_any();
    complete(&mut cluster.backups[3], at("19:22:00"));
    assert_eq!(newest, "shop-202601011915");
    let left = backups_at(&mut cluster, "19:30:00");
    assert!(
        left.contains(&"own".to_owned()) && left.contains(&"shop-202601011215".to_owned()),
        "{left:?}"
    );
}

#[test]
fn backups_are_stale_when_two_in_a_row_are_missing() {
    let mut cluster = up(hourly());
    backups_at(&mut cluster, "10:15:00");
    complete(&mut cluster.backups[0], at("10:15:10"));
    for (time, healthy) in [("10:20:00", "True"), ("11:20:00", "True"), ("12:14:00", "True")] {
        backups_at(&mut cluster, time);
        assert_eq!(cluster.condition("BackupHealthy").0, healthy, "{time}");
    }
    backups_at(&mut cluster, "12:15:00");
    assert_eq!(
        cluster.condition("BackupHealthy"),
        ("False".to_owned(), "Stale".to_owned())
    );
    let last = cluster.backups.len() - 1;
    complete(&mut cluster.backups[last], at("12:15:30"));
    backups_at(&mut cluster, "12:16:00");
    assert_eq!(cluster.condition("BackupHealthy").0, "True");
    let backup = cluster
        .resource
        .status
        .as_ref()
        .and_then(|status| status.backup.clone());
    let backup = backup.expect("a schedule");
    assert_eq!(backup.last_successful_time, Some(Time(at("12:15:30"))));
    assert_eq!(backup.next_time, Some(Time(at("13:15:00"))));
}

fn with_backup() -> Cluster {
    let mut cluster = up(hourly());
    let spec = bigtix_crds::v1alpha1::BigTixBackupSpec {
        shop: "shop".to_owned(),
    };
    let mut backup = BigTixBackup::new("monday", spec);
    complete(&mut backup, at("10:03:00"));
    cluster.backups.push(backup);
    cluster
}

/// Created at that second.
fn restore(name: &str, second: i64) -> BigTixRestore {
    let spec = BigTixRestoreSpec {
        shop: "shop".to_owned(),
        backup: "monday".to_owned(),
    };
    let mut restore = BigTixRestore::new(name, spec);
    let created = at("10:05:00").checked_add(SignedDuration::from_secs(second));
    restore.metadata.creation_timestamp = created.ok().map(Time);
    restore
}

fn ends(restore: &mut BigTixRestore, verdict: &Verdict, second: i64) {
    let at = at("11:00:00")
        .checked_add(SignedDuration::from_secs(second))
        .expect("a time");
    restore.status = Some(BigTixRestoreStatus {
        conditions: verdict.conditions(&[], None, at),
        completed_at: Some(Time(at)),
        ..BigTixRestoreStatus::default()
    });
}

fn pods(cluster: &Cluster) -> i32 {
    let replicas = cluster
        .live
        .deployments
        .iter()
        .filter(|(name, _)| *name != "shop-stripe")
        .filter_map(|(_, live)| live.spec.as_ref()?.replicas);
    replicas.sum()
}

#[test]
fn a_restore_stops_the_services_and_not_the_stores_until_it_has_ended() {
    let mut cluster = with_backup();
    let awake = pods(&cluster);
    cluster.restores = vec![restore("one", 0)];
    cluster.pass(usize::MAX);
    assert_eq!(pods(&cluster), 0);
    assert_eq!(cluster.condition("Ready").1, "Restoring");
    assert_eq!(cluster.condition("Available").1, "Restoring");
    let status = cluster.resource.status.clone().expect("a status");
    assert_eq!(status.restore.as_deref(), Some("one"));
    let mongodb = cluster.live.stateful_sets["shop-mongodb"].spec.as_ref();
    assert_eq!(mongodb.and_then(|spec| spec.replicas), Some(1));

    ends(&mut cluster.restores[0], &Verdict::Done(String::new()), 0);
    for _ in 0..20 {
        cluster.pass(usize::MAX);
    }
    assert_eq!(
        (pods(&cluster), cluster.condition("Ready").0),
        (awake, "True".to_owned())
    );
    let status = cluster.resource.status.clone().expect("a status");
    assert_eq!(status.restore, None);
}

#[test]
fn a_restore_stops_services_too_that_another_operator_describes_differently() {
    let mut cluster = with_backup();
    describe_as_an_older_operator(&mut cluster);
    cluster.restores = vec![restore("one", 0)];
    cluster.pass(usize::MAX);
    assert_eq!(pods(&cluster), 0);
}

#[test]
fn what_is_half_restored_stays_down_until_another_restore_succeeds() {
    let mut cluster = with_backup();
    let half = Verdict::Failed(reasons::HALF_RESTORED, String::new());
    let refused = Verdict::Failed(reasons::REFUSED, String::new());
    cluster.restores = vec![restore("one", 0)];
    ends(&mut cluster.restores[0], &half, 0);
    cluster.pass(usize::MAX);
    assert_eq!(pods(&cluster), 0);
    assert_eq!(
        cluster.condition("Degraded"),
        ("True".to_owned(), "HalfRestored".to_owned())
    );

    cluster.restores.push(restore("two", 1));
    ends(&mut cluster.restores[1], &refused, 1);
    cluster.pass(usize::MAX);
    assert_eq!(pods(&cluster), 0, "one that changed nothing mends nothing");

    cluster.restores.push(restore("three", 2));
    cluster.pass(usize::MAX);
    let status = cluster.resource.status.clone().expect("a status");
    assert_eq!((pods(&cluster), status.restore.as_deref()), (0, Some("three")));
    ends(&mut cluster.restores[2], &Verdict::Done(String::new()), 2);
    cluster.pass(usize::MAX);
    assert!(pods(&cluster) > 0);
    assert_eq!(cluster.condition("Degraded").0, "False");
}

#[test]
fn a_restore_waits_for_a_rollout_and_none_begins_during_a_restore() {
    let other = |image: &str| {
        let mut spec = hourly();
        spec["services"] = json!({"orders": {"image": image}});
        spec
    };
    let mut cluster = with_backup();
    cluster.change(other("orders:2"));
    cluster.pass(usize::MAX);
    cluster.restores = vec![restore("one", 0)];
    cluster.pass(usize::MAX);
    let status = cluster.resource.status.clone().expect("a status");
    assert!(status.rollout.is_some() && status.restore.is_none() && pods(&cluster) > 0);
    for _ in 0..40 {
        cluster.pass(usize::MAX);
    }
    assert_eq!(cluster.image(Service::Orders), "orders:2");
    assert_eq!(pods(&cluster), 0, "the rollout has ended");

    cluster.change(other("orders:3"));
    for _ in 0..5 {
        cluster.pass(usize::MAX);
    }
    let status = cluster.resource.status.clone().expect("a status");
    assert!(status.rollout.is_none());
    assert_eq!(cluster.image(Service::Orders), "orders:2");
}

#[test]
fn a_restore_of_a_backup_that_is_not_there_stops_nothing() {
    let mut cluster = up(hourly());
    let awake = pods(&cluster);
    cluster.restores = vec![restore("one", 0)];
    cluster.pass(usize::MAX);
    assert_eq!(pods(&cluster), awake);
}
