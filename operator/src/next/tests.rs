//! What a shop goes through, in a cluster in memory.

mod cluster;

use bigtix_crds::Service;
use serde_json::json;

use super::*;
use crate::observe::facts::MongodbFacts;
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
fn the_replica_set_grows_and_shrinks_one_member_at_a_time() {
    let members = |cluster: &Cluster| match &cluster.mongodb {
        MongodbFacts::Set { members, .. } => members.len(),
        _ => 0,
    };
    let mut cluster = minimal();
    cluster.until_done();
    let sized = |count: u32| json!({"version": "1.0.0", "mongodb": {"managed": {"replicas": count}}});
    for (count, _) in [(3, ()), (5, ()), (1, ())] {
        cluster.change(sized(count));
        let mut before = members(&cluster);
        for _ in 0..40 {
            cluster.pass(usize::MAX);
            let now = members(&cluster);
            assert!(now.abs_diff(before) <= 1);
            let pods = cluster.live.stateful_sets["shop-mongodb"]
                .spec
                .as_ref()
                .and_then(|spec| spec.replicas);
            assert!(pods >= i32::try_from(now).ok(), "{now} members on {pods:?} pods");
            before = now;
        }
        assert_eq!(before, count as usize);
        assert_eq!(cluster.condition("Ready").0, "True");
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
    let entries = ["secretKey", "webhookSecret"].map(str::to_owned);
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
