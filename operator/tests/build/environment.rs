//! Settings: known ones, once each, and the owner's over ours.

use std::collections::{BTreeMap, BTreeSet};

use bigtix_crds::Service;
use bigtix_testkit::golden::workspace_root;
use serde_json::{Value, json};

use crate::shops::{containers, example, find, kinds, list, objects, shop, text};

/// What passwords are composed from.
const COMPOSED: [&str; 3] = ["MONGODB_PASSWORD", "NATS_PASSWORD", "REDIS_PASSWORD"];

fn read(path: &str) -> String {
    std::fs::read_to_string(workspace_root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

struct Documented {
    all: BTreeSet<String>,
    required: BTreeSet<String>,
}

/// The settings of each service, from the page of settings.
fn documented() -> BTreeMap<String, Documented> {
    let page = read("docs/settings.md");
    let sections = page.split("\n## ").skip(1);
    sections
        .map(|section| {
            let (name, rest) = section.split_once('\n').expect("a heading");
            let rows: Vec<_> = rest
                .lines()
                .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
                .collect();
            let names = |rows: Vec<&(&str, &str)>| rows.iter().map(|(name, _)| (*name).to_owned()).collect();
            let required = rows
                .iter()
                .filter(|(_, rest)| rest.contains("must be given"))
                .collect();
            let section = Documented {
                all: names(rows.iter().collect()),
                required: names(required),
            };
            (name.trim().to_owned(), section)
        })
        .collect()
}

/// Whether every process reads that setting: then the service kit's code names it.
fn of_every_process(name: &str) -> bool {
    let kit = ["sdk/service/src/lifecycle.rs", "sdk/service/src/telemetry.rs"]
        .map(read)
        .concat();
    kit.contains(&format!("\"{name}\""))
}

fn variables(objects: &[Value], service: &str) -> BTreeMap<String, Value> {
    let deployment = find(objects, "Deployment", &format!("shop-{service}"));
    let variables = containers(deployment).flat_map(|container| list(&container["env"]));
    variables
        .map(|variable| (text(&variable["name"]).to_owned(), variable.clone()))
        .collect()
}

#[test]
fn only_known_settings_are_given_and_all_that_must_be() {
    let documented = documented();
    for (kind, platform) in kinds().into_iter().filter(|(kind, _)| *kind != "long") {
        let objects = objects(&platform);
        for (service, documented) in &documented {
            let given = variables(&objects, service);
            for name in given.keys() {
                let is_known = documented.all.contains(name) || COMPOSED.contains(&name.as_str());
                assert!(
                    is_known || of_every_process(name),
                    "{kind}: {service} knows no {name}"
                );
            }
            for name in &documented.required {
                assert!(given.contains_key(name), "{kind}: {service} needs {name}");
            }
        }
    }
}

#[test]
fn every_setting_is_given_but_those_that_are_for_tuning() {
    let left = [
        "CHANGES_PER_USER_PER_SECOND",
        "LOCALE",
        "MONGODB_PARTITION_URIS",
        "NATS_PREFIX",
        "PASSWORD_HASH_ITERATIONS",
        "PASSWORD_HASH_MEMORY_KIB",
        "PASSWORD_HASH_PARALLELISM",
        "PASSWORD_HASH_QUEUE",
        "PASSWORD_HASH_WORKERS",
        "PASSWORD_POLICY",
        "PAYMENT_GIVE_UP_SECONDS",
        "PAYMENT_PATIENCE_MILLISECONDS",
        "REQUESTS_PER_ADDRESS_PER_SECOND",
        "SIGN_IN_FAILURES_PER_ADDRESS",
        "SIGN_IN_FAILURES_PER_EMAIL",
        "SIGN_IN_FAILURE_WINDOW_SECONDS",
        "STRIPE_DEADLINE_MILLISECONDS",
        "STRIPE_SCRIPT_ORIGINS",
        "TICKETMASTER_API_KEY",
        "TICKETMASTER_API_URL",
    ];
    let objects = objects(&example("production"));
    let mut missing = BTreeSet::new();
    for (service, documented) in documented() {
        let given = variables(&objects, &service);
        missing.extend(
            documented
                .all
                .into_iter()
                .filter(|name| !given.contains_key(name)),
        );
    }
    assert_eq!(missing, left.map(str::to_owned).into());
}

#[test]
fn no_variable_is_named_twice_and_each_stands_after_what_it_refers_to() {
    for (kind, platform) in kinds() {
        let objects = objects(&platform);
        for container in crate::shops::workloads(&objects).into_iter().flat_map(containers) {
            let mut seen = BTreeSet::new();
            for variable in list(&container["env"]) {
                let value = variable["value"].as_str().unwrap_or_default();
                for reference in value.split("$(").skip(1) {
                    let (name, _) = reference.split_once(')').expect("a reference ends");
                    assert!(seen.contains(name), "{kind}: {variable} comes before {name}");
                }
                assert!(
                    seen.insert(text(&variable["name"])),
                    "{kind}: {variable} is named twice"
                );
            }
        }
    }
}

#[test]
fn the_owner_has_the_last_word() {
    let (_, platform) = kinds()
        .into_iter()
        .find(|(kind, _)| *kind == "importing")
        .expect("there is one");
    let given = variables(&objects(&platform), "tickets");
    assert_eq!(given["MONGODB_DATABASE"]["value"], "other");
    assert_eq!(
        given["TICKETMASTER_API_KEY"]["valueFrom"]["secretKeyRef"]["name"],
        "provider"
    );
    assert_eq!(
        given["LOG"]["valueFrom"]["configMapKeyRef"],
        json!({"name": "logs", "key": "filter"})
    );
}

#[test]
fn the_pages_know_whom_to_ask_and_how_cards_are_taken() {
    let given = variables(&objects(&shop(json!({}))), "web");
    for (service, name) in [
        ("auth", "AUTH_API_URL"),
        ("tickets", "TICKETS_API_URL"),
        ("orders", "ORDERS_API_URL"),
        ("payments", "PAYMENTS_API_URL"),
    ] {
        assert_eq!(given[name]["value"], format!("http://shop-{service}:3000"));
    }
    assert_eq!(given["STRIPE_TEST_CARDS"]["value"], "true");
    assert!(!given.contains_key("STRIPE_SCRIPT_URL") && !given.contains_key("SESSION_KEYS"));
    assert!(!given.contains_key("MONGODB_URI"));

    let account = variables(
        &objects(&shop(json!({"payments": {"secretName": "stripe"}}))),
        "web",
    );
    assert_eq!(account["STRIPE_SCRIPT_URL"]["value"], "https://js.stripe.com/v3/");
    assert_eq!(
        account["STRIPE_PUBLISHABLE_KEY"]["valueFrom"]["secretKeyRef"],
        json!({"name": "stripe", "key": "publishableKey"})
    );
    assert_eq!(account["STRIPE_TEST_CARDS"]["value"], "false");
}

#[test]
fn external_stores_are_named_by_their_secrets() {
    let (_, platform) = kinds()
        .into_iter()
        .find(|(kind, _)| *kind == "external")
        .expect("there is one");
    let given = variables(&objects(&platform), "expiration");
    for (name, secret) in [("MONGODB_URI", "m"), ("NATS_URL", "n"), ("REDIS_URL", "r")] {
        assert_eq!(
            given[name]["valueFrom"]["secretKeyRef"],
            json!({"name": secret, "key": "uri"})
        );
    }
    assert!(!given.contains_key("MONGODB_PASSWORD"));
}

#[test]
fn more_members_of_mongodb_restart_no_service() {
    let with = |members: u32| shop(json!({"mongodb": {"managed": {"replicas": members}}}));
    let pods = |platform: &bigtix_crds::Platform| {
        let objects = objects(platform);
        let names = Service::ALL.iter().filter(|service| **service != Service::Web);
        names
            .map(|service| {
                find(&objects, "Deployment", &format!("shop-{service}"))["spec"]["template"].clone()
            })
            .chain([find(&objects, "StatefulSet", "shop-mongodb")["spec"]["template"].clone()])
            .collect::<Vec<_>>()
    };
    assert_eq!(pods(&with(1)), pods(&with(3)));
}
