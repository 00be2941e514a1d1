//! The release catalog and the services' own versions.

use crate::files::{read, root};
use bigtix_crds::{Catalog, Service, Version};
use serde_json::Value;
use std::fs;

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

#[test]
fn the_newest_release_consists_of_the_services_as_they_are() {
    let catalog = Catalog::embedded();
    let newest = catalog.newest().expect("there is a release");
    for service in Service::ALL {
        let folder = format!("services/{service}");
        if !root().join(&folder).is_dir() {
            assert_eq!(newest.service(service), None, "{service} does not exist yet");
            continue;
        }
        let own: Value = serde_json::from_str(&read(&format!("{folder}/version.json"))).expect("JSON");
        let own = version(own["version"].as_str().expect("a version"));
        assert_eq!(newest.service(service), Some(&own), "{service}");
    }
}

#[test]
fn every_release_file_is_built_in_under_its_own_name() {
    let catalog = Catalog::embedded();
    let mut files = 0;
    for entry in fs::read_dir(root().join("releases")).expect("a folder") {
        let name = entry.expect("readable").file_name().into_string().expect("plain");
        let release = name
            .strip_suffix(".json")
            .unwrap_or_else(|| panic!("{name} is no release"));
        assert!(
            catalog.release(&version(release)).is_some(),
            "{name} is not built in"
        );
        files += 1;
    }
    assert_eq!(catalog.releases().count(), files);
}

#[test]
fn the_catalog_can_be_extended_but_not_contradicted() {
    let file = |release: &str, web: &str| {
        format!(
            r#"{{"version": "{release}", "services": {{"auth": "1.0.0", "tickets": "1.0.0", "orders": "1.0.0",
                "payments": "1.0.0", "expiration": "1.0.0", "web": "{web}"}}}}"#
        )
    };
    let catalog = Catalog::embedded()
        .with(&file("1.1.0", "1.0.1"))
        .expect("a new release");
    assert_eq!(
        catalog.newest().map(|release| release.version.clone()),
        Some(version("1.1.0"))
    );
    assert_eq!(
        catalog
            .clone()
            .with(&file("1.1.0", "1.0.1"))
            .expect("the same again"),
        catalog
    );
    let error = |text: &str| Catalog::embedded().with(text).expect_err("refused").to_string();
    assert_eq!(
        error(&file("1.0.0", "9.0.0")),
        "release 1.0.0 is described twice, with different contents"
    );
    assert_eq!(
        error(&file("1.1.0", "1.0.0").replace("\"web\"", "\"wep\"")),
        "release 1.1.0: \"wep\" is not a service; the services are auth, tickets, orders, payments, expiration and web"
    );
    assert_eq!(
        error(r#"{"version": "1.1.0", "services": {}}"#),
        "release 1.1.0 consists of nothing"
    );
    assert!(error("{}").starts_with("the release file cannot be read"));
}

#[test]
fn a_release_says_from_where_it_can_be_reached() {
    let text = |from: &str| format!(r#"{{"version": "1.1.0", {from} "services": {{"auth": "1.1.0"}}}}"#);
    let release = |from: &str| {
        let catalog = Catalog::embedded().with(&text(from)).expect("a release");
        catalog.release(&version("1.1.0")).expect("just added").clone()
    };
    let bounded = release(r#""reachableFrom": "~1.0","#);
    for (from, expected) in [
        ("1.0.0", true),
        ("1.0.7", true),
        ("1.1.0", true),
        ("0.9.0", false),
        ("1.2.0", false),
    ] {
        assert_eq!(bounded.is_reachable_from(&version(from)), expected, "{from}");
    }
    assert!(release("").is_reachable_from(&version("0.1.0")));
}
