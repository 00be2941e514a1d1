//! A rollout whose pods are ready and answer users badly.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use super::*;
use crate::traffic::Traffic;

const NEW: &str = "orders:new";

/// Asks for another image of orders, with a soak of twenty seconds.
fn asked(upgrade: serde_json::Value) -> Cluster {
    let mut cluster = minimal();
    cluster.until_done();
    let mut limits = json!({"soakSeconds": 20});
    limits
        .as_object_mut()
        .expect("it is one")
        .extend(upgrade.as_object().cloned().unwrap_or_default());
    cluster.change(json!({"version": "1.0.0", "services": {"orders": {"image": NEW}}, "upgrade": limits}));
    cluster
}

fn answered(requests: u64, errors: u64, took: Duration) -> Traffic {
    Traffic {
        requests,
        errors,
        within: BTreeMap::from([(took, requests), (Duration::MAX, requests)]),
    }
}

/// Passes until the rollout has ended, and what was told meanwhile.
fn until_it_ends(cluster: &mut Cluster) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    for _ in 0..30 {
        let notices = cluster.pass(usize::MAX).notices.into_iter();
        told.extend(notices.map(|notice| (notice.reason, notice.message)));
    }
    let status = cluster.resource.status.clone().expect("written");
    assert_eq!(status.rollout, None);
    told
}

fn is_taken_back(mut cluster: Cluster, why: &str) {
    let before = cluster.image(Service::Orders);
    let told = until_it_ends(&mut cluster);
    let reasons: Vec<_> = told.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, ["RolloutBegan", "RolloutFailed", "RolledBack"]);
    assert!(told[1].1.starts_with(why), "{}", told[1].1);
    assert_eq!(cluster.image(Service::Orders), before);
    assert_eq!(
        cluster.condition("Progressing"),
        ("False".to_owned(), "RolledBack".to_owned())
    );
    let status = cluster.resource.status.clone().expect("written");
    assert!(status.version.rejected.is_some());
    assert!(
        status.history[0]
            .reason
            .as_deref()
            .is_some_and(|reason| reason.starts_with(why))
    );
    // It is not tried again, although nobody asks its pods any more.
    cluster.traffic.clear();
    assert_eq!(cluster.pass(usize::MAX).writes, []);
}

#[test]
fn a_release_that_fails_too_many_requests_is_taken_back_and_rejected() {
    let mut cluster = asked(json!({}));
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(200, 3, Duration::from_millis(10)));
    let why = "ErrorsWithinBudget: orders 1.0.0 answered 1.5 % of 200 requests or more with 5xx; upgrade.maxErrorPercent is 1";
    is_taken_back(cluster, why);
}

#[test]
fn a_release_that_is_too_slow_is_taken_back_and_rejected() {
    let mut cluster = asked(json!({"maxP95Milliseconds": 300}));
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(200, 0, Duration::from_secs(1)));
    is_taken_back(
        cluster,
        "LatencyWithinBudget: orders 1.0.0 answered 95 of 100 requests within 950 ms only",
    );
}

#[test]
fn errors_that_begin_while_it_is_watched_are_not_too_late() {
    let mut cluster = asked(json!({}));
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(200, 0, Duration::from_millis(10)));
    let is_watched = |cluster: &Cluster| {
        let status = cluster.resource.status.clone().expect("written");
        status.rollout.is_some_and(|rollout| rollout.step == "Soak")
    };
    while !is_watched(&cluster) {
        cluster.pass(usize::MAX);
    }
    cluster.pass(usize::MAX);
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(300, 100, Duration::from_millis(10)));
    let told = until_it_ends(&mut cluster);
    assert_eq!(told.first().map(|(reason, _)| *reason), Some("RolloutFailed"));
}

#[test]
fn a_release_that_nobody_can_judge_passes_on_readiness_and_says_so() {
    for traffic in [None, Some(answered(99, 99, Duration::from_secs(9)))] {
        let mut cluster = asked(json!({"maxP95Milliseconds": 300}));
        cluster
            .traffic
            .extend(traffic.map(|traffic| (NEW.to_owned(), traffic)));
        let told = until_it_ends(&mut cluster);
        let (reason, message) = told.last().expect("something was told");
        assert_eq!(*reason, "RolloutSucceeded");
        let note = "judged by readiness alone, with fewer than 100 requests that are known of: orders";
        assert!(message.ends_with(note), "{message}");
        let status = cluster.resource.status.clone().expect("written");
        assert_eq!(status.history[0].reason.as_deref(), Some(note));
    }
}

#[test]
fn only_pods_that_the_rollout_has_made_are_judged() {
    let mut cluster = asked(json!({}));
    let old = cluster.image(Service::Auth);
    // Neither a pod that was there before, nor one that takes the place of such a pod meanwhile.
    cluster
        .traffic
        .insert(old, answered(1000, 1000, Duration::from_secs(9)));
    for _ in 0..3 {
        cluster.pass(usize::MAX);
    }
    let is_auth = |pod: &Pod| {
        pod.metadata
            .name
            .as_deref()
            .is_some_and(|name| name.starts_with("shop-auth-"))
    };
    cluster.live.pods.retain(|pod| !is_auth(pod));
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(1000, 10, Duration::from_millis(10)));
    let told = until_it_ends(&mut cluster);
    assert_eq!(
        told.last(),
        Some(&("RolloutSucceeded", "release 1.0.0 serves users".to_owned()))
    );
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(2000, 2000, Duration::from_secs(9)));
    assert_eq!(cluster.pass(usize::MAX).writes, []);
    assert_eq!(cluster.condition("Ready").0, "True");
}

#[test]
fn where_nothing_is_taken_back_the_condition_says_what_is_over_and_stays() {
    let mut cluster = asked(json!({"autoRollback": false}));
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(2_000, 100, Duration::from_millis(10)));
    for _ in 0..20 {
        cluster.pass(usize::MAX);
    }
    assert_eq!(
        cluster.condition("Progressing"),
        ("False".to_owned(), "Failed".to_owned())
    );
    let said = cluster.resource.status.clone();
    // More of the same is no news, so it is not written.
    cluster
        .traffic
        .insert(NEW.to_owned(), answered(2_100, 105, Duration::from_millis(10)));
    cluster.pass(usize::MAX);
    assert_eq!(cluster.resource.status, said);

    cluster
        .traffic
        .insert(NEW.to_owned(), answered(20_000, 105, Duration::from_millis(10)));
    cluster.until_done();
    assert_eq!(cluster.image(Service::Orders), NEW);
}

#[test]
fn past_the_point_of_no_return_it_waits_for_the_errors_to_end() {
    let mut cluster = minimal();
    let services = json!({"auth": "1.0.0", "tickets": "1.0.0", "orders": "1.1.0", "payments": "1.0.0", "expiration": "1.0.0"});
    let release =
        json!({"version": "1.1.0", "services": services, "contractingMigrations": {"orders": ["drop-it"]}});
    cluster.learn(&release);
    cluster.until_done();
    // What was there before is not judged here either.
    cluster.traffic.insert(
        cluster.image(Service::Auth),
        answered(1000, 1000, Duration::from_secs(9)),
    );
    cluster.traffic.insert(
        "ghcr.io/bigtix/orders:1.1.0".to_owned(),
        answered(1000, 500, Duration::from_millis(10)),
    );
    cluster.change(json!({"version": "1.1.0", "upgrade": {"soakSeconds": 20}}));
    for _ in 0..30 {
        cluster.pass(usize::MAX);
    }
    assert_eq!(
        cluster.condition("Degraded"),
        ("True".to_owned(), "PointOfNoReturn".to_owned())
    );
    cluster.traffic.insert(
        "ghcr.io/bigtix/orders:1.1.0".to_owned(),
        answered(100_000, 500, Duration::from_millis(10)),
    );
    cluster.until_done();
    assert_eq!(cluster.image(Service::Orders), "ghcr.io/bigtix/orders:1.1.0");
}
