//! What a shop goes through, in a cluster in memory.

mod backups;
mod budget;
pub(crate) mod cluster;
mod deletion;
mod measures;
mod no_return;
mod replica_set;

use bigtix_crds::Service;
use serde_json::{Value, json};

use super::mongodb::MongodbStep;
use super::*;
use cluster::{Cluster, minimal};

#[test]
fn a_shop_comes_up_and_then_costs_no_write() {
    let mut cluster = minimal();
    cluster.until_done();
    assert_eq!(
        cluster.condition("Ready"),
        ("True".to_owned(), "AsExpected".to_owned())
    );
    let before = cluster.resource.status.clone();
    for _ in 0..3 {
        let decision = cluster.pass(usize::MAX);
        assert_eq!((decision.writes, &cluster.resource.status), (vec![], &before));
    }
}

#[test]
fn stores_come_before_services_and_services_in_order() {
    let mut cluster = minimal();
    let mut order = Vec::new();
    for _ in 0..40 {
        for write in cluster.pass(usize::MAX).writes {
            match write {
                Write::Apply(Child::Deployment(deployment)) => order.extend(deployment.metadata.name),
                Write::Mongodb(MongodbStep::Users(_)) => order.push("users".to_owned()),
                _ => {}
            }
        }
    }
    let wanted = [
        "shop-stripe",
        "users",
        "shop-auth",
        "shop-tickets",
        "shop-orders",
        "shop-payments",
        "shop-expiration",
        "shop-web",
    ];
    assert_eq!(order, wanted);
}

#[test]
fn an_operator_that_dies_after_any_write_gets_there_all_the_same() {
    let mut reference = minimal();
    reference.until_done();
    for survived in 0..6 {
        let mut cluster = minimal();
        for _ in 0..60 {
            cluster.pass(survived);
            cluster.pass(1);
        }
        cluster.until_done();
        assert_eq!(
            cluster.live.objects, reference.live.objects,
            "after {survived} writes"
        );
    }
}

#[test]
fn whatever_is_deleted_or_edited_comes_back_and_nothing_else_is_touched() {
    let mut cluster = minimal();
    cluster.until_done();
    let objects = cluster.live.objects.clone();
    for key in objects.keys() {
        cluster.live.objects.remove(key);
        let decision = cluster.decide();
        let [Write::Apply(child)] = decision.writes.as_slice() else {
            panic!("{key:?}: {:?}", decision.writes);
        };
        assert_eq!((child.kind(), child.name()), (Some(key.0), key.1.as_str()));
        cluster.live.objects = objects.clone();
    }
    let edited = (Kind::Deployment, "shop-orders".to_owned());
    cluster.live.objects.get_mut(&edited).expect("there")["spec"]["replicas"] = json!(7);
    assert_eq!(cluster.decide().writes.len(), 1);
}

#[test]
fn what_is_no_longer_wanted_goes_but_secrets_stay() {
    let mut cluster = Cluster::with(json!({"version": "1.0.0"}));
    cluster.until_done();
    let secrets = cluster.secrets.clone();
    cluster.change(
        json!({"version": "1.0.0", "networkPolicy": {"enabled": false}, "ingress": {"enabled": false}}),
    );
    cluster.until_done();
    let left = |kind| cluster.live.objects.keys().any(|(found, _)| *found == kind);
    assert!(!left(Kind::NetworkPolicy) && !left(Kind::Ingress) && left(Kind::Service));
    assert_eq!(cluster.secrets, secrets);
}

#[test]
fn an_image_that_never_works_is_taken_back_and_left_alone() {
    let mut cluster = minimal();
    cluster.until_done();
    let good = cluster.image(Service::Orders);
    cluster.bad.insert("broken:1".to_owned());
    let broken = json!({"version": "1.0.0", "services": {"orders": {"image": "broken:1"}},
        "upgrade": {"progressDeadlineSeconds": 30}});
    cluster.change(broken);
    let mut was_tried = false;
    for _ in 0..40 {
        cluster.pass(usize::MAX);
        was_tried |= cluster.image(Service::Orders) == "broken:1";
    }
    assert!(was_tried);
    assert_eq!(cluster.image(Service::Orders), good);
    assert_eq!(
        cluster.condition("Progressing"),
        ("False".to_owned(), "RolledBack".to_owned())
    );
    assert_eq!(
        cluster.condition("Ready"),
        ("False".to_owned(), "RolledBack".to_owned())
    );
    assert_eq!(cluster.condition("Available").0, "True");
    assert_eq!(cluster.decide().writes, []);

    cluster.bad.clear();
    let later = cluster.now.to_string();
    cluster.resource.metadata.annotations = Some([("bigtix.dev/retry".to_owned(), later)].into());
    cluster.until_done();
    assert_eq!(cluster.image(Service::Orders), "broken:1");
    assert_eq!(cluster.condition("Ready").0, "True");
}

#[test]
fn one_server_of_the_bus_and_several_are_never_mixed() {
    let servers = |cluster: &Cluster| {
        let set = cluster.live.stateful_sets.get("shop-nats");
        set.and_then(|set| set.spec.as_ref()?.replicas)
    };
    let mut cluster = minimal();
    cluster.until_done();
    for (count, between) in [(3, None), (5, Some(5)), (1, None)] {
        cluster.change(json!({"version": "1.0.0", "nats": {"managed": {"replicas": count}}}));
        cluster.pass(usize::MAX);
        assert_eq!(servers(&cluster), between);
        cluster.until_done();
        assert_eq!(servers(&cluster), Some(count));
    }
}

#[test]
fn a_secret_that_a_user_should_bring_is_asked_for_by_name() {
    let spec = json!({"version": "1.0.0", "payments": {"secretName": "stripe"}});
    let mut cluster = Cluster::with(spec);
    cluster.brought.insert("stripe".to_owned(), None);
    for _ in 0..10 {
        cluster.pass(usize::MAX);
    }
    assert_eq!(cluster.condition("Ready").1, "SecretMissing");
    assert!(!cluster.live.deployments.contains_key("shop-auth"));
    let entries = ["secretKey", "webhookSecret", "publishableKey"].map(str::to_owned);
    cluster.brought.insert("stripe".to_owned(), Some(entries.into()));
    cluster.until_done();
    assert_eq!(cluster.condition("PaymentsReal").0, "True");
}

#[test]
fn a_paused_shop_is_left_alone_and_a_sleeping_one_wakes_as_it_was() {
    let mut cluster = minimal();
    cluster.until_done();
    cluster.change(json!({"version": "1.0.0", "paused": true, "services": {"auth": {"replicas": 3}}}));
    assert_eq!(cluster.pass(usize::MAX).writes, []);
    assert_eq!(cluster.condition("Paused").0, "True");

    let replicas = |cluster: &Cluster| -> i32 {
        let services = cluster
            .live
            .deployments
            .values()
            .filter_map(|live| live.spec.as_ref()?.replicas);
        let stores = cluster
            .live
            .stateful_sets
            .values()
            .filter_map(|live| live.spec.as_ref()?.replicas);
        services.chain(stores).sum()
    };
    cluster.change(json!({"version": "1.0.0"}));
    cluster.until_done();
    let awake = replicas(&cluster);
    cluster.change(json!({"version": "1.0.0", "hibernate": true}));
    for _ in 0..20 {
        cluster.pass(usize::MAX);
    }
    assert_eq!(
        (replicas(&cluster), cluster.condition("Ready").1),
        (0, "Hibernated".to_owned())
    );
    cluster.change(json!({"version": "1.0.0"}));
    cluster.until_done();
    assert_eq!(replicas(&cluster), awake);
}

#[test]
fn a_resource_that_breaks_a_rule_changes_nothing_and_says_so() {
    let mut cluster = minimal();
    cluster.until_done();
    cluster.change(json!({"version": "9.9.9"}));
    assert_eq!(cluster.pass(usize::MAX).writes, []);
    assert_eq!(
        cluster.condition("Ready"),
        ("False".to_owned(), "InvalidSpec".to_owned())
    );
    assert_eq!(cluster.condition("Available").0, "True");
}

#[test]
fn a_release_that_is_too_far_away_is_refused_before_anything_moves() {
    let mut cluster = minimal();
    cluster.until_done();
    let status = cluster.resource.status.as_mut().expect("written");
    status.version.current = Some("0.3.0".to_owned());
    let decision = cluster.pass(usize::MAX);
    assert_eq!(decision.writes, []);
    assert_eq!(
        cluster.condition("Ready"),
        ("False".to_owned(), "UnsupportedStep".to_owned())
    );
}

#[test]
fn a_plan_shows_what_would_change_and_nothing_begins() {
    let mut cluster = minimal();
    cluster.until_done();
    let before = cluster.image(Service::Auth);
    let wanted = |mode: &str| json!({"version": "1.0.0", "mode": mode, "services": {"auth": {"image": "new:1"}}, "upgrade": {"progressDeadlineSeconds": 30}});
    cluster.change(wanted("Plan"));
    let recorded = |cluster: &Cluster| {
        let status = cluster.resource.status.clone().expect("written");
        (status.version, status.rollout, status.history)
    };
    let began = recorded(&cluster);
    for _ in 0..30 {
        let decision = cluster.pass(usize::MAX);
        assert!(decision.notices.is_empty(), "{:?}", decision.notices);
    }
    assert_eq!(
        (cluster.image(Service::Auth), recorded(&cluster)),
        (before, began)
    );
    let plan = &cluster.live.objects[&(Kind::ConfigMap, "shop-plan".to_owned())];
    assert!(
        plan["data"]["plan"]
            .as_str()
            .is_some_and(|plan| plan.contains("apply Deployment shop-auth"))
    );
    assert_eq!(
        cluster.condition("Ready"),
        ("False".to_owned(), "Planned".to_owned())
    );
    let said = cluster.resource.status.clone();
    assert_eq!(
        (cluster.pass(usize::MAX).writes, cluster.resource.status.clone()),
        (vec![], said)
    );

    cluster.change(wanted("Apply"));
    cluster.until_done();
    assert_eq!(cluster.image(Service::Auth), "new:1");
    assert!(
        !cluster
            .live
            .objects
            .contains_key(&(Kind::ConfigMap, "shop-plan".to_owned()))
    );
}

/// As if an older operator had applied the pods: with a template that differs, under its own digest.
fn describe_as_an_older_operator(cluster: &mut Cluster) {
    for (key, object) in &mut cluster.live.objects {
        if matches!(key.0, Kind::Deployment | Kind::StatefulSet) {
            object["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = json!(1);
            object["metadata"]["annotations"]["bigtix.dev/applied-digest"] = json!("older");
        }
    }
}

fn graces(cluster: &Cluster) -> Vec<i64> {
    let templates = cluster.live.objects.values();
    templates
        .filter_map(|object| object["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].as_i64())
        .collect()
}

#[test]
fn what_only_a_new_operator_describes_differently_waits_for_a_rollout() {
    let mut cluster = minimal();
    cluster.until_done();
    let own = graces(&cluster);
    describe_as_an_older_operator(&mut cluster);
    let decision = cluster.pass(usize::MAX);
    assert_eq!(decision.writes, vec![]);
    assert_eq!(
        decision.findings.map(|findings| findings.postponed.len()),
        Some(own.len())
    );
    assert_eq!(cluster.condition("Ready").0, "True");
    assert_eq!(cluster.condition("RestartsPending").1, "OperatorChanged");
    cluster.change(json!({"version": "1.0.0", "services": {"auth": {"image": "another/auth:2"}}}));
    cluster.until_done();
    assert_eq!(graces(&cluster), own);
    assert_eq!(cluster.condition("RestartsPending").0, "False");
}

#[test]
fn what_somebody_sets_is_mended_while_restarts_wait() {
    let mut cluster = minimal();
    cluster.until_done();
    describe_as_an_older_operator(&mut cluster);
    let auth = (Kind::Deployment, "shop-auth".to_owned());
    let live = cluster.live.objects.get_mut(&auth).expect("there");
    live["spec"]["template"]["spec"]["containers"][0]["image"] = json!("somebody.else/auth:1");
    live["metadata"]["managedFields"] =
        json!([{"manager": "another-tool", "fieldsV1": {"f:spec": {"f:template": {}}}}]);
    let [Write::Apply(child)] = &cluster.decide().writes[..] else {
        panic!("{:?}", cluster.decide().writes);
    };
    assert_eq!(child.name(), "shop-auth");
}

#[test]
fn each_time_that_somebody_sets_a_field_it_is_said_for_a_while() {
    let mut cluster = minimal();
    cluster.until_done();
    let orders = (Kind::Deployment, "shop-orders".to_owned());
    let minutes = k8s_openapi::jiff::SignedDuration::from_mins;
    for _ in 0..3 {
        cluster.live.objects.get_mut(&orders).expect("there")["spec"]["replicas"] = json!(7);
        cluster.pass(usize::MAX);
        cluster.now = cluster.now.checked_add(minutes(4)).expect("a time");
        cluster.pass(usize::MAX);
        assert_eq!(cluster.condition("Contested").0, "True");
        cluster.now = cluster.now.checked_add(minutes(2)).expect("a time");
    }
    cluster.now = cluster.now.checked_add(minutes(10)).expect("a time");
    cluster.pass(usize::MAX);
    assert_eq!(cluster.condition("Contested").0, "False");
}

#[test]
fn whoever_wants_a_new_operators_pods_at_once_gets_them() {
    let spec = json!({"version": "1.0.0", "upgrade": {"operatorChanges": "Immediate"}});
    let mut cluster = Cluster::with(spec);
    cluster.until_done();
    let own = graces(&cluster);
    describe_as_an_older_operator(&mut cluster);
    cluster.until_done();
    assert_eq!(graces(&cluster), own);
}

#[test]
fn a_rollout_waits_for_its_window_and_the_first_one_does_not() {
    // At the cluster's first moment it is Monday in the afternoon.
    let spec = |image: Value| {
        json!({"version": "1.0.0", "services": {"auth": {"image": image}},
        "upgrade": {"windows": [{"start": "0 2 * * 0", "durationMinutes": 60}]}})
    };
    let mut cluster = Cluster::with(spec(Value::Null));
    cluster.until_done();
    cluster.change(spec(json!("another/auth:2")));
    assert_eq!(cluster.pass(usize::MAX).writes, vec![]);
    assert_eq!(cluster.condition("Ready").1, "WindowOpen");
    cluster.now = "1970-01-18T02:30:00Z".parse().expect("a time");
    cluster.until_done();
    assert_eq!(cluster.image(Service::Auth), "another/auth:2");
}

#[test]
fn a_shop_that_sleeps_from_the_beginning_is_at_rest() {
    let mut cluster = Cluster::with(json!({"version": "1.0.0", "hibernate": true}));
    cluster.until_done();
    assert_eq!(cluster.condition("Ready").1, "Hibernated");
}
