//! The release catalog.

use crate::files::{bigtix, root};
use bigtix_crds::{Catalog, Service, Version, validate_against};
use serde_json::{Value, json};
use std::fs;

fn version(text: &str) -> Version {
    text.parse().expect("a version")
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

fn with_digest(service: &str, digest: &str) -> String {
    json!({"version": "1.1.0", "services": {"auth": "1.1.0", "tickets": "1.0.0"}, "digests": {service: digest}}).to_string()
}

#[test]
fn a_digest_pins_the_image_of_the_releases_own_version() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let catalog = Catalog::embedded()
        .with(&with_digest("auth", &digest))
        .expect("a release");
    let image = |spec: Value| {
        let platform = validate_against(&bigtix(spec), None, &catalog).expect("valid");
        let workload = platform.services.get(Service::Auth).expect("it has auth");
        workload.image.to_string()
    };
    let with = |auth: Value| image(json!({"version": "1.1.0", "services": {"auth": auth}}));
    assert_eq!(with(json!({})), format!("ghcr.io/bigtix/auth:1.1.0@{digest}"));
    assert_eq!(
        with(json!({"version": "1.1.0"})),
        format!("ghcr.io/bigtix/auth:1.1.0@{digest}")
    );
    assert_eq!(with(json!({"version": "1.1.1"})), "ghcr.io/bigtix/auth:1.1.1");
    assert_eq!(with(json!({"image": "mine:1"})), "mine:1");
}

#[test]
fn a_digest_that_pins_nothing_is_refused() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    for (service, digest) in [
        ("auth", "latest"),
        ("auth", "sha256:0a"),
        ("orders", digest.as_str()),
    ] {
        let refused = Catalog::embedded()
            .with(&with_digest(service, digest))
            .expect_err("refused");
        assert!(
            refused.to_string().contains(&format!("the digest of {service}")),
            "{refused}"
        );
    }
}

#[test]
fn a_contraction_lies_between_the_versions_before_it_and_the_others() {
    let file = |release: &str, migrations: Value| {
        json!({"version": release, "services": {"orders": release}, "contractingMigrations": migrations})
            .to_string()
    };
    let contractions = Catalog::embedded()
        .with(&file("1.2.0", json!({"orders": ["drop-legacy-status"]})))
        .and_then(|catalog| catalog.with(&file("1.3.0", json!({}))))
        .expect("releases")
        .contractions();
    for (older, newer, is_between) in [
        ("1.0.0", "1.1.0", false),
        ("1.1.0", "1.2.0", true),
        ("1.0.0", "1.3.0", true),
        ("1.2.0", "1.3.0", false),
        ("1.3.0", "1.0.0", false),
    ] {
        let found = contractions.between(Service::Orders, &version(older), &version(newer));
        assert_eq!(found.is_some(), is_between, "{older} to {newer}");
        assert_eq!(
            contractions.between(Service::Auth, &version(older), &version(newer)),
            None
        );
    }
    let refused = Catalog::embedded()
        .with(&file("1.2.0", json!({"auth": ["drop-legacy-status"]})))
        .expect_err("there is no auth in it");
    assert!(
        refused.to_string().contains("contracting migrations of auth"),
        "{refused}"
    );
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
