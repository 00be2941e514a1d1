//! The committed release, and trees that are made for a test.

use std::env;

use tempfile::TempDir;

use super::*;

mod changelogs;
pub(super) mod scratch;

#[test]
fn generated_release_is_current() {
    let root = crate::repository_root();
    if env::var_os("BIGTIX_BLESS").is_some_and(|bless| bless == "1") {
        write_files(&root).unwrap();
    }
    let files = generate(&root).unwrap();
    assert_eq!(
        files.len(),
        1 + named::PLACES.len(),
        "a file that names the release is gone"
    );
    for Generated { path, text } in files {
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            committed,
            text,
            "{} is stale; run cargo xtask release",
            path.display()
        );
    }
}

#[test]
fn the_chart_and_the_examples_name_the_release() {
    let development = r#"{"version": "1.1.0", "reachableFrom": "~1.0"}"#;
    let chart = ("charts/bigtix/Chart.yaml", "version: 0.1.0\nappVersion: 1.0.0\n");
    let example = ("examples/minimal.yaml", "spec:\n  version: 1.0.0\n");
    let root = tree(&[(DEVELOPMENT, development), AUTH, chart, example]);
    write_files(root.path()).unwrap();
    let text = |place| fs::read_to_string(root.path().join(place)).unwrap();
    assert_eq!(text(chart.0), "version: 0.1.0\nappVersion: 1.1.0\n");
    assert_eq!(text(example.0), "spec:\n  version: 1.1.0\n");
    let nameless = ("examples/minimal.yaml", "spec: {version: 1.0.0}\n");
    let refused = refusal(&[(DEVELOPMENT, development), AUTH, nameless]);
    assert!(refused.starts_with("examples/minimal.yaml"), "{refused}");
}

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join(RELEASES)).unwrap();
    for (place, text) in files {
        let path = root.path().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn refusal(files: &[(&str, &str)]) -> String {
    format!("{:#}", write_files(tree(files).path()).unwrap_err())
}

const AUTH: (&str, &str) = ("services/auth/version.json", r#"{"version": "1.2.3"}"#);
const ORDERS: (&str, &str) = (
    "services/orders/version.json",
    r#"{"version": "1.1.0", "contractingMigrations": ["drop-legacy-status"]}"#,
);

#[test]
fn a_release_consists_of_the_services_as_they_are() {
    let digest = format!("sha256:{}", "0a".repeat(32));
    let development =
        format!(r#"{{"version": "1.1.0", "reachableFrom": "~1.0", "digests": {{"auth": "{digest}"}}}}"#);
    let root = tree(&[(DEVELOPMENT, &development), AUTH, ORDERS]);
    write_files(root.path()).unwrap();
    let written: serde_json::Value = read(&root.path().join("releases/1.1.0.json")).unwrap();
    let expected = serde_json::json!({
        "version": "1.1.0", "reachableFrom": "~1.0",
        "services": {"auth": "1.2.3", "orders": "1.1.0"}, "digests": {"auth": digest},
        "contractingMigrations": {"orders": ["drop-legacy-status"]},
    });
    assert_eq!(written, expected);
}

#[test]
fn only_the_newest_release_is_written() {
    let development = |version: &str| format!(r#"{{"version": "{version}", "reachableFrom": "*"}}"#);
    let there = [
        ("releases/1.0.0.json", "first"),
        ("releases/1.1.0.json", "second"),
    ];
    for (version, is_written) in [
        ("1.0.0", false),
        ("1.0.5", false),
        ("1.1.0", true),
        ("1.2.0", true),
    ] {
        let development = development(version);
        let root = tree(&[(DEVELOPMENT, &development), AUTH, there[0], there[1]]);
        assert_eq!(write_files(root.path()).is_ok(), is_written, "{version}");
        let first = fs::read_to_string(root.path().join("releases/1.0.0.json")).unwrap();
        assert_eq!(first, "first", "{version}");
    }
    let refused = refusal(&[(DEVELOPMENT, &development("1.0.0")), AUTH, there[1]]);
    assert!(
        refused.contains("release 1.0.0 is not changed any more"),
        "{refused}"
    );
}

#[test]
fn what_cannot_be_a_release_is_refused_with_its_place() {
    let development = r#"{"version": "1.0.0", "reachableFrom": "~1.1", "digests": {"auth": "latest"}}"#;
    let refused = refusal(&[(DEVELOPMENT, development), AUTH]);
    assert!(refused.contains("the digest for auth"), "{refused}");
    let refused = refusal(&[(DEVELOPMENT, development), ORDERS]);
    assert!(refused.contains("auth, which is no service"), "{refused}");
    let misspelt = ("services/auth/version.json", r#"{"vresion": "1.0.0"}"#);
    let plain = (DEVELOPMENT, r#"{"version": "1.0.0", "reachableFrom": "~1.1"}"#);
    let refused = refusal(&[plain, misspelt]);
    assert!(refused.contains("services/auth/version.json"), "{refused}");
    let refused = refusal(&[plain, ("services/web/README.md", "")]);
    assert!(refused.contains("services/web/version.json"), "{refused}");
}
