//! What a backup and a restore go through, in memory.

use bigtix_crds::v1alpha1::{BigTixBackupSpec, BigTixRestoreSpec};
use bigtix_crds::{BigTix, BigTixBackup, BigTixRestore, from_value, validate};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::facts::{Backup, JobState, Program, Restore, ShopFacts};
use super::outcome::{Archive, Failure};
use super::verdict::{End, Verdict, end, reasons};
use super::{Decision, Write, restore, take};
use crate::next::leave;

fn now() -> Timestamp {
    "2026-01-01T10:00:00Z".parse().expect("a time")
}

fn shop(spec: Value) -> ShopFacts {
    let mut resource: BigTix = from_value(json!({
        "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix",
        "metadata": {"name": "shop", "namespace": "shops"}, "spec": spec,
    }))
    .expect("a resource");
    let status = resource.status.get_or_insert_default();
    status.version.current = Some("1.0.0".to_owned());
    ShopFacts {
        verdict: validate(&resource),
        owner: OwnerReference::default(),
        resource,
    }
}

fn with_volume() -> ShopFacts {
    shop(json!({"version": "1.0.0", "backup": {"volume": {}}}))
}

fn program() -> Program {
    Program {
        image: Some("operator:1".to_owned()),
        operator_namespace: "bigtix-system".to_owned(),
    }
}

fn backup() -> Backup {
    let mut request = BigTixBackup::new(
        "monday",
        BigTixBackupSpec {
            shop: "shop".to_owned(),
        },
    );
    request.metadata.namespace = Some("shops".to_owned());
    request.metadata.uid = Some("1a2b3c4d-0000".to_owned());
    Backup {
        request,
        shop: Some(with_volume()),
        take: JobState::Absent,
        delete: JobState::Absent,
        has_claim: true,
        program: program(),
    }
}

fn archive() -> Archive {
    Archive {
        taken_at: now(),
        documents: 7,
        bytes: 900,
    }
}

fn failed(changed: bool) -> JobState {
    let failure = Failure {
        error: "no".to_owned(),
        changed,
    };
    JobState::Failed {
        failure,
        at: Some(now()),
    }
}

/// A pass, after which the request says what was decided.
fn pass(facts: &mut Backup) -> Vec<Write> {
    let Decision { writes, status, .. } = take::next(facts, now());
    facts.request.status = Some(status);
    for write in &writes {
        match write {
            Write::Keep => facts.request.metadata.finalizers = Some(vec![take::FINALIZER.to_owned()]),
            Write::Release => facts.request.metadata.finalizers = None,
            Write::Start(_) | Write::End(_) | Write::RenewSessionKeys(_) => {}
        }
    }
    writes
}

fn started(writes: &[Write]) -> Vec<String> {
    let started = writes.iter().filter_map(|write| match write {
        Write::Start(job) => job.metadata.name.clone(),
        Write::Keep | Write::Release | Write::End(_) | Write::RenewSessionKeys(_) => None,
    });
    started.collect()
}

fn started_job(writes: &[Write]) -> &Job {
    match writes {
        [Write::Start(job)] => job,
        _ => panic!("{writes:?}"),
    }
}

fn taken() -> Backup {
    let mut facts = backup();
    pass(&mut facts);
    pass(&mut facts);
    facts.take = JobState::Succeeded(Some(archive()));
    pass(&mut facts);
    facts
}

#[test]
fn where_an_archive_will_be_is_written_down_before_anything_is_written_there() {
    let mut facts = backup();
    assert_eq!(pass(&mut facts), [Write::Keep]);
    let status = facts.request.status.clone().expect("a status");
    assert_eq!(
        status.location.as_deref(),
        Some("volume://shop-backups/monday-1a2b3c4d")
    );
    // The shop may name another place meanwhile.
    facts.shop = Some(shop(
        json!({"version": "1.0.0", "backup": {"s3": {"bucket": "another"}}}),
    ));
    let writes = pass(&mut facts);
    let said = serde_json::to_string(started_job(&writes)).expect("plain data");
    assert!(
        said.contains("/backups/monday-1a2b3c4d") && !said.contains("another"),
        "{said}"
    );
}

#[test]
fn what_the_job_says_is_what_the_backup_says() {
    let mut facts = taken();
    let status = facts.request.status.clone().expect("a status");
    assert_eq!(end(&status.conditions), Some(End::Done));
    assert_eq!(
        (status.documents, status.bytes, status.taken_at.clone()),
        (Some(7), Some(900), Some(Time(now())))
    );
    assert_eq!(pass(&mut facts), [Write::End("monday-take".to_owned())]);
    facts.take = JobState::Absent;
    assert_eq!(take::next(&facts, now()).writes, []);
    assert_eq!(facts.request.status, Some(status), "and says so at rest");

    for (state, words) in [
        (failed(false), "no"),
        (JobState::Succeeded(None), "without a word"),
    ] {
        let mut facts = backup();
        pass(&mut facts);
        facts.take = state;
        pass(&mut facts);
        let status = facts.request.status.expect("a status");
        assert_eq!(end(&status.conditions), Some(End::Failed(reasons::NO_BACKUP)));
        assert!(
            status.conditions[0].message.contains(words),
            "{:?}",
            status.conditions
        );
    }
}

#[test]
fn a_backup_waits_for_a_shop_that_can_be_read() {
    let mut restored = with_volume();
    restored.resource.status.get_or_insert_default().restore = Some("one".to_owned());
    let mut new = with_volume();
    new.resource.status = None;
    for (shop, words) in [
        (None, "there is no BigTix shop"),
        (Some(shop(json!({"version": "1.0.0"}))), "spec.backup.volume"),
        (
            Some(shop(
                json!({"version": "1.0.0", "hibernate": true, "backup": {"volume": {}}}),
            )),
            "sleeps",
        ),
        (Some(restored), "BigTixRestore one"),
        (Some(new), "not been up"),
        (Some(shop(json!({"version": "9.9.9"}))), "breaks a rule"),
    ] {
        let mut facts = backup();
        facts.shop = shop;
        assert_eq!(pass(&mut facts), [], "{words}");
        let status = facts.request.status.expect("a status");
        assert_eq!(end(&status.conditions), None);
        assert!(
            status.conditions[0].message.contains(words),
            "{:?}",
            status.conditions
        );
    }
}

#[test]
fn a_final_backup_is_taken_of_a_shop_that_is_deleted_before_its_first_release_was_done() {
    let mut facts = backup();
    let shop = facts.shop.as_mut().expect("a shop");
    shop.resource.metadata.finalizers = Some(vec![leave::FINALIZER.to_owned()]);
    shop.resource.metadata.deletion_timestamp = Some(Time(now()));
    let status = shop.resource.status.get_or_insert_default();
    status.version.current = None;
    assert_eq!(take::next(&facts, now()).writes, [], "no service has run");
    let shop = facts.shop.as_mut().expect("a shop");
    let status = shop.resource.status.get_or_insert_default();
    status.services = serde_json::from_value(json!([
        {"name": "orders", "version": "1.0.0", "image": "orders:1", "desired": 0, "ready": 0, "updated": 0},
    ]))
    .expect("a service");
    assert_eq!(take::next(&facts, now()).writes, [Write::Keep]);
}

#[test]
fn a_backup_that_is_deleted_takes_its_archive_along() {
    let mut facts = taken();
    facts.request.metadata.deletion_timestamp = Some(Time(now()));
    assert_eq!(pass(&mut facts), [Write::End("monday-take".to_owned())]);
    facts.take = JobState::Absent;
    assert_eq!(started(&pass(&mut facts)), ["monday-delete"]);
    for state in [JobState::Running(None), failed(false)] {
        facts.delete = state;
        assert_eq!(pass(&mut facts), []);
    }
    facts.delete = JobState::Failed {
        failure: Failure {
            error: "no".to_owned(),
            changed: false,
        },
        at: "2026-01-01T09:50:00Z".parse().ok(),
    };
    assert_eq!(pass(&mut facts), [Write::End("monday-delete".to_owned())]);
    facts.delete = JobState::Succeeded(None);
    assert_eq!(pass(&mut facts), [Write::Release]);
    assert_eq!(pass(&mut facts), []);
}

/// A request that is deleted, whose archive is on a volume.
fn leaving(shop: Option<ShopFacts>) -> Backup {
    let mut facts = taken();
    (facts.take, facts.shop) = (JobState::Absent, shop);
    facts.request.metadata.deletion_timestamp = Some(Time(now()));
    facts
}

#[test]
fn an_archive_goes_although_its_shop_has_gone_or_says_no_more_where_archives_are() {
    for shop in [None, Some(shop(json!({"version": "1.0.0"})))] {
        let mut facts = leaving(shop);
        let writes = pass(&mut facts);
        let job = started_job(&writes);
        let pod = serde_json::to_value(&job.spec.clone().unwrap_or_default().template).expect("plain data");
        // What is about the shop's pods is not about this one: no network policy, no identity that has gone.
        let labels = &pod["metadata"]["labels"];
        assert!(labels["app.kubernetes.io/instance"].is_null(), "{labels}");
        assert_eq!(labels["bigtix.dev/request"], "1a2b3c4d-0000");
        let spec = &pod["spec"];
        assert!(spec["serviceAccountName"].is_null() && spec["automountServiceAccountToken"] == false);
        assert_eq!(spec["restartPolicy"], "Never");
        let claim = &spec["volumes"][0]["persistentVolumeClaim"]["claimName"];
        assert_eq!(claim, "shop-backups");
        let arguments = &spec["containers"][0]["args"];
        assert_eq!(
            *arguments,
            json!(["backup", "delete", "/backups/monday-1a2b3c4d"])
        );
        facts.delete = JobState::Succeeded(None);
        assert_eq!(pass(&mut facts), [Write::Release]);
    }
}

#[test]
fn an_object_store_believes_a_pod_of_nobody_for_the_recorded_secret() {
    let mut facts = leaving(None);
    let status = facts.request.status.get_or_insert_default();
    status.location = Some("s3://tickets/shops/monday-1a2b3c4d".to_owned());
    status.secret_name = Some("keys".to_owned());
    let writes = pass(&mut facts);
    let said = serde_json::to_string(&started_job(&writes)).expect("plain data");
    for word in [
        "s3://tickets/shops/monday-1a2b3c4d",
        "\"keys\"",
        "AWS_SECRET_ACCESS_KEY",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!(!said.contains("MONGODB"), "{said}");
}

#[test]
fn what_nobody_can_delete_stays_and_holds_nothing_up() {
    let mut without_a_shop = leaving(None);
    without_a_shop.delete = failed(false);
    let mut without_an_image = leaving(Some(with_volume()));
    without_an_image.program.image = None;
    let mut without_an_archive = leaving(Some(with_volume()));
    let status = without_an_archive.request.status.get_or_insert_default();
    let refused = Verdict::Failed(reasons::NO_BACKUP, "no such bucket".to_owned());
    status.conditions = refused.conditions(&[], None, now());
    without_an_archive.delete = failed(false);
    for facts in [without_a_shop, without_an_image, without_an_archive] {
        let decision = take::next(&facts, now());
        assert_eq!(decision.writes, [Write::Release]);
        assert!(
            decision.notices[0].message.contains("volume://shop-backups/"),
            "{:?}",
            decision.notices
        );
    }
    let mut facts = taken();
    (facts.take, facts.has_claim) = (JobState::Absent, false);
    facts.request.metadata.deletion_timestamp = Some(Time(now()));
    assert_eq!(take::next(&facts, now()).writes, [Write::Release]);
}

fn restoring() -> Restore {
    let spec = BigTixRestoreSpec {
        shop: "shop".to_owned(),
        backup: "monday".to_owned(),
    };
    let mut shop = with_volume();
    shop.resource.status.get_or_insert_default().restore = Some("back".to_owned());
    Restore {
        request: BigTixRestore::new("back", spec),
        shop: Some(shop),
        backup: Some(taken().request),
        job: JobState::Absent,
        service_pods: Vec::new(),
        program: program(),
    }
}

#[test]
fn nothing_is_restored_before_the_shop_says_so_and_every_service_is_gone() {
    let facts = restoring();
    assert_eq!(started(&restore::next(&facts, now()).writes), ["back-restore"]);
    let mut unasked = facts.clone();
    let shop = unasked.shop.as_mut().expect("a shop");
    shop.resource.status.get_or_insert_default().restore = None;
    let mut running = facts.clone();
    running.service_pods = vec!["shop-orders-1".to_owned()];
    let mut unfinished = facts.clone();
    unfinished.backup = Some(backup().request);
    let mut without = facts;
    without.backup = None;
    for (facts, words) in [
        (unasked, "about to be stopped"),
        (running, "shop-orders-1"),
        (unfinished, "not complete"),
        (without, "no BigTixBackup monday"),
    ] {
        let decision = restore::next(&facts, now());
        assert_eq!(decision.writes, [], "{words}");
        assert!(
            decision.status.conditions[0].message.contains(words),
            "{:?}",
            decision.status
        );
    }
}

#[test]
fn sessions_end_before_a_restore_is_said_to_be_done() {
    let mut facts = restoring();
    facts.job = JobState::Succeeded(None);
    let decision = restore::next(&facts, now());
    assert_eq!(
        decision.writes,
        [Write::RenewSessionKeys("shop-session-keys".to_owned())]
    );
    assert_eq!(end(&decision.status.conditions), Some(End::Done));
    assert_eq!(decision.status.taken_at, Some(Time(now())));
}

#[test]
fn a_restore_that_failed_says_whether_anything_was_changed() {
    for (changed, reason) in [(true, reasons::HALF_RESTORED), (false, reasons::REFUSED)] {
        let mut facts = restoring();
        facts.job = failed(changed);
        let decision = restore::next(&facts, now());
        assert_eq!(end(&decision.status.conditions), Some(End::Failed(reason)));
        assert_eq!(decision.writes, []);
    }
}
