use serde_json::{Value, json};

use super::*;
use crate::next::tests::cluster::{Cluster, minimal};

/// What is going to be written, and what then is.
fn compared(cluster: &mut Cluster) -> (Vec<String>, Vec<String>, Foresight) {
    let foresight = foresee(cluster.observed(), cluster.now);
    let mut written = Vec::new();
    // Longer than a rollout is watched without a write.
    let mut quiet = 0;
    while quiet < 12 {
        let writes = cluster.pass(usize::MAX).writes;
        quiet = if writes.is_empty() { quiet + 1 } else { 0 };
        written.extend(writes.iter().map(Write::described));
    }
    (foreseen_writes(&foresight), written, foresight)
}

fn foreseen_writes(foresight: &Foresight) -> Vec<String> {
    let what = |event: &Foreseen| match event {
        Foreseen::Write(write) => Some(write.what.clone()),
        Foreseen::Notice(_) => None,
    };
    foresight.events.iter().filter_map(what).collect()
}

fn assert_foreseen(cluster: &mut Cluster) -> Foresight {
    let (foreseen, written, foresight) = compared(cluster);
    assert_eq!(foreseen, written);
    for ((kind, name), digest) in foresight.digests() {
        let live = cluster
            .live
            .objects
            .iter()
            .find(|((live, at), _)| format!("{live:?}") == kind && *at == name);
        let applied = live.map(|(_, object)| object["metadata"]["annotations"][annotation()].clone());
        assert_eq!(applied, Some(Value::String(digest)), "{kind} {name}");
    }
    foresight
}

fn up(spec: Value) -> Cluster {
    let mut cluster = Cluster::with(spec);
    cluster.until_done();
    cluster
}

#[test]
fn every_write_of_a_first_installation_is_foreseen_in_order() {
    let mut cluster = minimal();
    let (foreseen, written, foresight) = compared(&mut cluster);
    assert_eq!(foreseen, written);
    assert_eq!(foresight.end, End::Done);
    assert!(foreseen.len() > 50, "{}", foreseen.len());
}

#[test]
fn a_shop_at_rest_has_nothing_before_it() {
    let mut cluster = up(json!({"version": "1.0.0"}));
    let foresight = assert_foreseen(&mut cluster);
    assert!(foresight.is_nothing() && foresight.end == End::Done);
}

#[test]
fn a_setting_restarts_the_services_that_read_it_and_nothing_else() {
    let mut cluster = up(json!({"version": "1.0.0"}));
    cluster.change(json!({"version": "1.0.0", "reservationSeconds": 7}));
    let foresight = assert_foreseen(&mut cluster);
    let restarted: Vec<&str> = restarts(&foresight);
    assert_eq!(restarted, ["shop-orders"]);
}

fn restarts(foresight: &Foresight) -> Vec<&str> {
    foresight
        .events
        .iter()
        .filter_map(|event| match event {
            Foreseen::Write(ForeseenWrite {
                name,
                effect: Effect::Changes { restarts: true, .. },
                ..
            }) => Some(name.as_str()),
            Foreseen::Write(_) | Foreseen::Notice(_) => None,
        })
        .collect()
}

#[test]
fn a_rollout_is_foreseen_from_its_first_service_to_the_end_of_its_watch() {
    let mut cluster = up(json!({"version": "1.0.0"}));
    cluster.change(json!({"version": "1.0.0", "services": {"orders": {"version": "1.0.1"}, "web": {"version": "1.0.1"}}}));
    let foresight = assert_foreseen(&mut cluster);
    assert_eq!(restarts(&foresight), ["shop-orders", "shop-web"]);
    assert_eq!(foresight.end, End::Done);
    let told: Vec<_> = foresight
        .events
        .iter()
        .filter_map(|event| match event {
            Foreseen::Notice(notice) => Some(notice.reason),
            Foreseen::Write(_) => None,
        })
        .collect();
    assert_eq!(told, ["RolloutBegan", "RolloutSucceeded"]);
}

#[test]
fn what_grows_shrinks_and_goes_is_foreseen() {
    let mut cluster = up(json!({"version": "1.0.0"}));
    for spec in [
        json!({"version": "1.0.0", "mongodb": {"managed": {"replicas": 3}}, "nats": {"managed": {"replicas": 3}}}),
        json!({"version": "1.0.0", "ingress": {"enabled": false}, "networkPolicy": {"enabled": false}}),
        json!({"version": "1.0.0", "hibernate": true}),
        json!({"version": "1.0.0"}),
    ] {
        cluster.change(spec.clone());
        let foresight = assert_foreseen(&mut cluster);
        assert!(!foresight.is_nothing(), "{spec}");
    }
}

#[test]
fn what_is_held_or_refused_or_only_planned_says_so() {
    let mut cluster = up(json!({"version": "1.0.0"}));
    let manual = json!({"version": "1.0.0", "upgrade": {"approval": "Manual"}, "services": {"orders": {"version": "1.0.1"}}});
    cluster.change(manual);
    let held = assert_foreseen(&mut cluster);
    assert!(
        matches!(&held.end, End::Held(reason) if reason.predicate == "WaitingForApproval"),
        "{held:?}"
    );
    cluster.change(json!({"version": "9.9.9"}));
    let refused = foresee(cluster.observed(), cluster.now);
    assert!(
        matches!(&refused.end, End::Refused(why) if why[0].starts_with("spec.version")),
        "{refused:?}"
    );
    cluster.change(json!({"version": "1.0.0", "mode": "Plan", "reservationSeconds": 7}));
    let planned = assert_foreseen(&mut cluster);
    assert_eq!(foreseen_writes(&planned), ["apply ConfigMap shop-plan"]);
}

#[test]
fn a_secret_that_is_missing_is_waited_for() {
    let mut cluster = up(json!({"version": "1.0.0"}));
    cluster.change(json!({"version": "1.0.0", "payments": {"secretName": "stripe"}}));
    let foresight = foresee(cluster.observed(), cluster.now);
    assert!(
        matches!(&foresight.end, End::Waits(reason) if reason.predicate == "SecretMissing"),
        "{:?}",
        foresight.end
    );
}
