//! What holds for every object.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::shops::{EXAMPLES, NAMESPACE, children, example, kinds, list, objects, text, texts, workloads};

/// The longest name that everything may have: Services and labels take no more.
const LONGEST: usize = 63;

#[test]
fn every_object_has_a_name_a_namespace_an_owner_and_labels() {
    for (kind, platform) in kinds() {
        let mut seen = BTreeSet::new();
        for object in objects(&platform) {
            let metadata = &object["metadata"];
            let name = text(&metadata["name"]);
            assert!(name.len() <= LONGEST, "{kind}: {name} is too long");
            assert!(
                seen.insert(format!("{} {name}", object["kind"])),
                "{kind}: {name} is built twice"
            );
            assert_eq!(metadata["namespace"], NAMESPACE, "{kind}: {name}");
            assert_eq!(
                metadata["ownerReferences"][0]["controller"], true,
                "{kind}: {name}"
            );
            assert_eq!(
                metadata["labels"]["app.kubernetes.io/instance"],
                platform.name.as_str(),
                "{kind}"
            );
            assert_eq!(
                metadata["labels"]["app.kubernetes.io/managed-by"], "bigtix-operator",
                "{kind}"
            );
            let labels = metadata["labels"].as_object().expect("labels");
            assert!(
                labels.values().all(|value| text(value).len() <= LONGEST),
                "{kind}: {name}"
            );
        }
    }
}

#[test]
fn the_long_name_is_as_long_as_can_be() {
    let (_, platform) = kinds()
        .into_iter()
        .find(|(kind, _)| *kind == "long")
        .expect("there is one");
    assert_eq!(platform.name.as_str().len(), 40);
}

#[test]
fn the_same_shop_gives_the_same_objects() {
    for name in EXAMPLES {
        assert_eq!(children(&example(name)), children(&example(name)), "{name}");
    }
}

#[test]
fn nothing_that_the_api_decides_is_built() {
    for (kind, platform) in kinds() {
        for object in objects(&platform) {
            let name = &object["metadata"]["name"];
            for field in [
                "uid",
                "resourceVersion",
                "generation",
                "creationTimestamp",
                "managedFields",
            ] {
                assert!(object["metadata"][field].is_null(), "{kind}: {name}: {field}");
            }
            assert!(object["status"].is_null(), "{kind}: {name}");
            texts(&object, "", &mut |path, value| {
                assert!(
                    !value.is_empty(),
                    "{kind}: {name}: {path} is empty, which the API drops"
                );
            });
        }
    }
}

/// What of a text is a password, if anything.
fn password(name: &str, value: &str) -> bool {
    let in_url = value.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    let literal = |secret: &str| !secret.is_empty() && !secret.starts_with('$');
    if let Some((user, _)) = in_url
        && user
            .split_once(':')
            .is_some_and(|(_, password)| literal(password))
    {
        return true;
    }
    let in_file = value.lines().any(|line| {
        let after = line.split_once("password:").map(|(_, rest)| rest.trim_start());
        after.is_some_and(literal) || line.trim_start().starts_with("requirepass")
    });
    let is_secret = ["PASSWORD", "SECRET", "_KEY", "_KEYS"]
        .iter()
        .any(|end| name.ends_with(end));
    in_file || is_secret
}

#[test]
fn no_object_holds_a_password() {
    for (kind, platform) in kinds() {
        let objects = objects(&platform);
        for object in &objects {
            texts(object, "", &mut |path, value| {
                assert!(
                    !password("", value),
                    "{kind}: {} {path}: {value}",
                    object["metadata"]["name"]
                );
            });
        }
        for container in workloads(&objects).into_iter().flat_map(crate::shops::containers) {
            for variable in list(&container["env"]) {
                let value = variable["value"].as_str();
                let is_password = value.is_some_and(|value| password(text(&variable["name"]), value));
                assert!(!is_password, "{kind}: {variable}");
            }
        }
    }
}

#[test]
fn a_password_would_be_seen() {
    assert!(password("", "mongodb://auth:hunter2@shop-mongodb:27017/"));
    assert!(password("", "users: [\n  { user: \"a\", password: hunter2 }\n]"));
    assert!(password("", "requirepass hunter2"));
    assert!(password("STRIPE_SECRET_KEY", "sk_test"));
    assert!(!password(
        "MONGODB_URI",
        "mongodb://auth:$(MONGODB_PASSWORD)@shop-mongodb:27017/"
    ));
}

#[test]
fn selectors_match_the_pods_that_they_are_for() {
    for (kind, platform) in kinds() {
        let objects = objects(&platform);
        // A Job finds its pods by a label of its own.
        let is_lasting = |workload: &&Value| workload["kind"] != "Job";
        for workload in workloads(&objects).into_iter().filter(is_lasting) {
            let labels = &workload["spec"]["template"]["metadata"]["labels"];
            let selector = workload["spec"]["selector"]["matchLabels"]
                .as_object()
                .expect("a selector");
            assert_eq!(selector.len(), 3, "{kind}");
            assert!(
                matches(selector, labels),
                "{kind}: {}",
                workload["metadata"]["name"]
            );
            let others = workloads(&objects)
                .into_iter()
                .filter(|other| matches(selector, &other["spec"]["template"]["metadata"]["labels"]));
            assert_eq!(others.count(), 1, "{kind}: {}", workload["metadata"]["name"]);
        }
        let selectors = |kind: &str, path: &str| -> Vec<Value> {
            let of_kind = objects.iter().filter(|object| object["kind"] == kind);
            of_kind
                .filter_map(|object| object.pointer(path).cloned())
                .collect()
        };
        let mut all = selectors("Service", "/spec/selector");
        all.extend(selectors("PodDisruptionBudget", "/spec/selector/matchLabels"));
        all.extend(selectors("NetworkPolicy", "/spec/podSelector/matchLabels"));
        for selector in all {
            let selector = selector.as_object().expect("labels");
            let found = workloads(&objects)
                .into_iter()
                .any(|workload| matches(selector, &workload["spec"]["template"]["metadata"]["labels"]));
            assert!(found, "{kind}: {selector:?} selects nothing");
        }
    }
}

fn matches(selector: &serde_json::Map<String, Value>, labels: &Value) -> bool {
    selector.iter().all(|(name, value)| labels[name] == *value)
}
