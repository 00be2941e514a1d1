//! Numbers of pods, volumes, rollouts, restarts, and what watches over them.

use bigtix_crds::platform::{Quantity, Replicas};
use bigtix_crds::{Platform, Service, Version};
use bigtix_operator::build::service::{self, Running};
use bigtix_operator::build::{Child, mongodb, nats, store};
use serde_json::{Value, json};

use crate::shops::{example, find, in_place, list, objects, of_kind, shop, text, workloads};

fn names(objects: &[Value], kind: &str) -> Vec<String> {
    of_kind(objects, kind)
        .into_iter()
        .map(|object| text(&object["metadata"]["name"]).to_owned())
        .collect()
}

#[test]
fn a_budget_never_blocks_a_single_pod() {
    assert!(names(&objects(&example("minimal")), "PodDisruptionBudget").is_empty());
    let production = objects(&example("production"));
    let mut found = names(&production, "PodDisruptionBudget");
    found.sort();
    let expected = [
        "auth",
        "expiration",
        "mongodb",
        "nats",
        "orders",
        "payments",
        "tickets",
        "web",
    ];
    assert_eq!(found, expected.map(|name| format!("shop-{name}")));
}

#[test]
fn a_number_of_pods_that_something_scales_is_left_alone() {
    let platform = example("production");
    assert!(matches!(
        platform
            .services
            .get(Service::Orders)
            .map(|orders| orders.replicas),
        Some(Replicas::Autoscaled { .. })
    ));
    let objects = objects(&platform);
    assert!(find(&objects, "Deployment", "shop-orders")["spec"]["replicas"].is_null());
    let scaler = &find(&objects, "HorizontalPodAutoscaler", "shop-orders")["spec"];
    assert_eq!(
        (&scaler["minReplicas"], &scaler["maxReplicas"]),
        (&json!(2), &json!(6))
    );
    assert_eq!(
        scaler["metrics"][0]["resource"]["target"]["averageUtilization"],
        60
    );
    assert_eq!(find(&objects, "Deployment", "shop-auth")["spec"]["replicas"], 2);
}

#[test]
fn a_shop_that_sleeps_has_no_pods_and_keeps_its_volumes() {
    let objects = objects(&shop(json!({"hibernate": true})));
    for workload in workloads(&objects) {
        assert_eq!(
            workload["spec"]["replicas"], 0,
            "{}",
            workload["metadata"]["name"]
        );
    }
    for set in of_kind(&objects, "StatefulSet") {
        let policy = &set["spec"]["persistentVolumeClaimRetentionPolicy"];
        assert_eq!(policy, &json!({"whenDeleted": "Retain", "whenScaled": "Retain"}));
    }
}

#[test]
fn volumes_go_with_the_shop_only_where_that_is_wanted() {
    for (policy, fate) in [("Retain", "Retain"), ("Delete", "Delete")] {
        let objects = objects(&shop(json!({"deletionPolicy": policy})));
        for set in of_kind(&objects, "StatefulSet") {
            assert_eq!(
                set["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"], fate,
                "{policy}"
            );
        }
    }
}

fn stateful_set(children: &[Child]) -> Value {
    let is_set = |child: &&Child| matches!(child, Child::StatefulSet(_));
    let set = children.iter().find(is_set).expect("there is one");
    set.to_value().expect("plain data")
}

#[test]
fn a_set_keeps_the_size_that_its_volumes_began_with() {
    let platform = shop(json!({"mongodb": {"managed": {"storage": {"size": "50Gi"}}}}));
    let managed = store::managed(&platform.stores.mongodb).expect("managed");
    assert_eq!(mongodb::volume_size(managed).0, "50Gi");
    let before = Quantity("10Gi".to_owned());
    for (template_size, expected) in [(None, "50Gi"), (Some(&before), "10Gi")] {
        let set = in_place(&platform, |shop| {
            stateful_set(&mongodb::children(shop, template_size))
        });
        let claim = &set["spec"]["volumeClaimTemplates"][0]["spec"];
        assert_eq!(claim["resources"]["requests"]["storage"], expected);
    }
    let claims = in_place(&platform, |shop| {
        store::claims(shop, bigtix_operator::names::Component::Mongodb, managed)
    });
    assert_eq!(claims, ["data-shop-mongodb-0"]);
}

#[test]
fn another_service_on_the_bus_restarts_the_bus_and_nothing_else_does() {
    let pods = |platform: &Platform| {
        find(&objects(platform), "StatefulSet", "shop-nats")["spec"]["template"].clone()
    };
    let before = pods(&shop(json!({})));
    assert_eq!(
        before,
        pods(&shop(
            json!({"reservationSeconds": 60, "ingress": {"host": "x.example.com"}})
        ))
    );
    assert_ne!(before, pods(&shop(json!({"nats": {"managed": {"replicas": 3}}}))));
    let users = in_place(&shop(json!({})), nats::users);
    assert!(!users.contains(&Service::Web) && users.contains(&Service::Auth));
}

#[test]
fn new_session_keys_restart_those_who_read_them() {
    let platform = shop(json!({}));
    for (service, restarts) in [
        (Service::Auth, true),
        (Service::Orders, true),
        (Service::Expiration, false),
    ] {
        let workload = platform.services.get(service).expect("the release has it");
        let running = Running {
            image: &workload.image,
            version: &workload.version,
            replicas: Some(1),
        };
        let build = |digest: &str| {
            in_place(&platform, |shop| {
                service::deployment(shop, service, workload, running, digest)
            })
        };
        assert_eq!(build("a") != build("b"), restarts, "{service}");
    }
}

#[test]
fn a_service_runs_what_it_is_told_to_and_not_what_is_wanted() {
    let platform = shop(json!({}));
    let workload = platform.services.get(Service::Auth).expect("the release has it");
    let (other, version) = (
        &platform.services.get(Service::Orders).expect("it too").image,
        Version::new(0, 9, 0),
    );
    let running = Running {
        image: other,
        version: &version,
        replicas: None,
    };
    let built = in_place(&platform, |shop| {
        service::deployment(shop, Service::Auth, workload, running, "")
    });
    let built = serde_json::to_value(built).expect("plain data");
    let pods = &built["spec"]["template"];
    assert_eq!(pods["spec"]["containers"][0]["image"], other.as_str());
    assert_eq!(pods["metadata"]["labels"]["app.kubernetes.io/version"], "0.9.0");
    assert!(built["spec"]["replicas"].is_null());
}

#[test]
fn a_pod_that_goes_has_time_to_finish() {
    let objects = objects(&example("minimal"));
    let pod = &find(&objects, "Deployment", "shop-orders")["spec"]["template"]["spec"];
    let linger = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        .as_i64()
        .expect("seconds");
    let grace = pod["terminationGracePeriodSeconds"].as_i64().expect("seconds");
    // What the service kit allows requests, and then tasks.
    assert!(grace >= linger + 25 + 25, "{grace}");
}

#[test]
fn members_of_mongodb_have_addresses_that_everybody_can_resolve() {
    let address = in_place(&shop(json!({})), |shop| mongodb::member_address(shop, 1));
    assert_eq!(address, "shop-mongodb-1.shop-mongodb.tickets.svc:27017");
}

#[test]
fn every_alert_has_a_page() {
    let objects = objects(&example("production"));
    let rules = find(&objects, "PrometheusRule", "shop");
    let alerts: Vec<_> = list(&rules["spec"]["groups"][0]["rules"]).collect();
    assert_eq!(alerts.len(), 10);
    for alert in alerts {
        let page = format!("docs/runbooks/{}.md", text(&alert["alert"]));
        assert_eq!(alert["annotations"]["runbook"], page);
    }
    let monitor = find(&objects, "PodMonitor", "shop");
    assert_eq!(monitor["apiVersion"], "monitoring.coreos.com/v1");
    assert!(
        objects
            .iter()
            .filter(|object| object["kind"] == "PodMonitor")
            .count()
            == 1
    );
}

#[test]
fn nothing_watches_where_nobody_asked() {
    let objects = objects(&example("minimal"));
    assert!(of_kind(&objects, "PodMonitor").is_empty() && of_kind(&objects, "PrometheusRule").is_empty());
}
