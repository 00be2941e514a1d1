//! The edges are those that the environment speaks of, and no others.

use std::collections::BTreeSet;

use bigtix_crds::Platform;
use bigtix_operator::build::address;
use bigtix_operator::build::network::{Edge, End, edges};
use bigtix_operator::names::Component;
use serde_json::{Value, json};

use crate::shops::{
    NAMESPACE, OPERATOR_NAMESPACE, containers, example, find, in_place, kinds, list, objects, of_kind, shop,
    text, workloads,
};

/// Component, component and port of every connection that a variable's URL leads to.
fn spoken_of(objects: &[Value]) -> BTreeSet<(String, String, u16)> {
    let mut edges = BTreeSet::new();
    for workload in workloads(objects) {
        let from = component(&workload["metadata"]["labels"]);
        for variable in containers(workload).flat_map(|container| list(&container["env"])) {
            let Some(address) = variable["value"].as_str().and_then(address::of) else {
                continue;
            };
            // A member is addressed below the name of all members.
            let name = address.host.rsplit('.').next().unwrap_or_default();
            let service = of_kind(objects, "Service")
                .into_iter()
                .find(|service| service["metadata"]["name"] == name);
            if let Some(service) = service {
                edges.insert((
                    from.clone(),
                    component(&service["metadata"]["labels"]),
                    address.port,
                ));
            }
        }
    }
    edges
}

fn component(labels: &Value) -> String {
    text(&labels["app.kubernetes.io/component"]).to_owned()
}

/// The same, as the policies allow it: `rules` is `ingress` or `egress`.
fn allowed(objects: &[Value], rules: &str, peers: &str) -> BTreeSet<(String, String, u16)> {
    let mut edges = BTreeSet::new();
    for policy in of_kind(objects, "NetworkPolicy") {
        let here = &policy["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"];
        for rule in list(&policy["spec"][rules]) {
            let there = &rule[peers][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"];
            let (Some(here), Some(there)) = (here.as_str(), there.as_str()) else {
                continue;
            };
            let port = rule["ports"][0]["port"]
                .as_u64()
                .and_then(|port| u16::try_from(port).ok())
                .expect("a port");
            let (from, to) = if rules == "egress" {
                (here, there)
            } else {
                (there, here)
            };
            edges.insert((from.to_owned(), to.to_owned(), port));
        }
    }
    edges
}

#[test]
fn pods_may_connect_to_what_their_environment_names_and_to_nothing_else() {
    for (kind, platform) in kinds().into_iter().filter(|(kind, _)| *kind != "open") {
        let objects = objects(&platform);
        let egress = allowed(&objects, "egress", "to");
        assert_eq!(
            egress,
            allowed(&objects, "ingress", "from"),
            "{kind}: both ends say the same"
        );
        let mut spoken = spoken_of(&objects);
        // Members of MongoDB learn of each other from the set itself.
        spoken.extend(
            egress
                .iter()
                .filter(|(from, to, _)| from == "mongodb" && to == "mongodb")
                .cloned(),
        );
        // The same of a single server, which may become several.
        spoken.extend(
            egress
                .iter()
                .filter(|(from, to, _)| from == "nats" && to == "nats")
                .cloned(),
        );
        assert_eq!(egress, spoken, "{kind}");
    }
}

#[test]
fn everything_is_refused_that_is_not_allowed() {
    let objects = objects(&example("minimal"));
    let deny = find(&objects, "NetworkPolicy", "shop-default-deny");
    assert_eq!(deny["spec"]["policyTypes"], json!(["Ingress", "Egress"]));
    assert!(deny["spec"]["ingress"].is_null() && deny["spec"]["egress"].is_null());
    let order = of_kind(&objects, "NetworkPolicy");
    assert_eq!(
        order.last().map(|policy| &policy["metadata"]["name"]),
        Some(&json!("shop-default-deny"))
    );
}

#[test]
fn no_policy_is_built_where_none_is_wanted() {
    let objects = objects(&shop(json!({"networkPolicy": {"enabled": false}})));
    assert!(of_kind(&objects, "NetworkPolicy").is_empty());
}

/// Where a service may connect outside the shop, with the port.
fn outside(platform: &Platform, service: &str) -> Vec<(End, Option<u16>)> {
    let from = |edge: &Edge| matches!(&edge.from, End::Pods(component) if component.as_str() == service);
    let edges = in_place(platform, edges).into_iter().filter(from);
    edges
        .filter(|edge| !matches!(edge.to, End::Pods(_)))
        .map(|edge| (edge.to, edge.port))
        .collect()
}

#[test]
fn only_who_needs_it_reaches_the_internet() {
    let production = example("production");
    assert_eq!(outside(&production, "payments"), [(End::Public, Some(443))]);
    for service in ["auth", "tickets", "orders", "expiration", "web"] {
        assert_eq!(outside(&production, service), [], "{service}");
    }
    assert_eq!(outside(&example("minimal"), "payments"), []);
    let kind = |wanted| {
        kinds()
            .into_iter()
            .find(|(kind, _)| *kind == wanted)
            .expect("there is one")
            .1
    };
    assert_eq!(outside(&kind("importing"), "tickets"), [(End::Public, Some(443))]);
    let collector = [(End::Anybody, Some(80)), (End::Anybody, Some(4318))];
    assert_eq!(outside(&kind("account"), "auth"), collector);
    assert_eq!(
        outside(&kind("account"), "payments"),
        [&[(End::Anybody, Some(8080))], &collector[..]].concat()
    );
    assert_eq!(
        outside(&kind("external"), "auth"),
        [(End::Anybody, None), (End::Anybody, None), (End::Anybody, None)]
    );
}

#[test]
fn public_means_no_private_network_and_no_metadata_of_the_cloud() {
    let objects = objects(&example("production"));
    let policy = find(&objects, "NetworkPolicy", "shop-payments");
    let blocks: Vec<_> = list(&policy["spec"]["egress"])
        .flat_map(|rule| list(&rule["to"]))
        .filter(|peer| peer["ipBlock"].is_object())
        .collect();
    assert_eq!(blocks.len(), 2);
    let except = &blocks[0]["ipBlock"]["except"];
    for network in ["10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"] {
        assert!(list(except).any(|cidr| cidr == network), "{network}");
    }
}

/// Who may reach a component's pods from outside the shop, with the port.
fn callers(platform: &Platform, component: &str) -> Vec<(End, Option<u16>)> {
    let to = |edge: &Edge| matches!(&edge.to, End::Pods(here) if here.as_str() == component);
    let edges = in_place(platform, edges).into_iter().filter(to);
    edges
        .filter(|edge| !matches!(edge.from, End::Pods(_)))
        .map(|edge| (edge.from, edge.port))
        .collect()
}

#[test]
fn the_operator_reaches_what_it_has_to_and_no_more() {
    let platform = example("production");
    let operator = || End::Namespace(OPERATOR_NAMESPACE.to_owned());
    assert_eq!(callers(&platform, "mongodb"), [(operator(), Some(27017))]);
    assert_eq!(callers(&platform, "nats"), [(operator(), Some(8222))]);
    assert_eq!(callers(&platform, "redis"), []);
    let prometheus = (End::AnyNamespace, Some(3000));
    assert_eq!(
        callers(&platform, "expiration"),
        [(operator(), Some(3000)), prometheus]
    );
    assert_ne!(NAMESPACE, OPERATOR_NAMESPACE);
}

#[test]
fn users_come_from_the_ingress_controllers_namespace_where_that_is_known() {
    let (_, platform) = kinds()
        .into_iter()
        .find(|(kind, _)| *kind == "importing")
        .expect("there is one");
    let ingress = (End::Namespace("ingress-nginx".to_owned()), Some(3000));
    assert!(callers(&platform, "orders").contains(&ingress));
    assert!(!callers(&platform, "expiration").contains(&ingress));
    assert!(callers(&example("minimal"), "orders").contains(&(End::Anybody, Some(3000))));
    assert!(Component::Mongodb.as_str() == "mongodb");
}
