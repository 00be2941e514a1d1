//! A release whose orders make of their data what no version before can read.

use super::*;

fn spec(version: &str) -> serde_json::Value {
    json!({"version": version, "upgrade": {"progressDeadlineSeconds": 30}})
}

/// A shop at 1.0.0 that knows two further releases.
fn shop() -> Cluster {
    let release = |version: &str, migrations: serde_json::Value| {
        let services: serde_json::Map<_, _> = ["auth", "tickets", "orders", "payments", "expiration"]
            .map(|service| (service.to_owned(), json!(version)))
            .into_iter()
            .collect();
        json!({"version": version, "services": services, "contractingMigrations": migrations})
    };
    let mut cluster = Cluster::with(spec("1.0.0"));
    cluster.learn(&release("1.1.0", json!({"orders": ["drop-legacy-status"]})));
    cluster.learn(&release("1.2.0", json!({})));
    cluster.until_done();
    cluster
}

fn image(service: Service, version: &str) -> String {
    format!("ghcr.io/bigtix/{service}:{version}")
}

/// The release is stuck at payments.
fn stuck() -> Cluster {
    let mut cluster = shop();
    cluster.bad.insert(image(Service::Payments, "1.1.0"));
    cluster.change(spec("1.1.0"));
    let mut told = Vec::new();
    for _ in 0..40 {
        told.extend(
            cluster
                .pass(usize::MAX)
                .notices
                .into_iter()
                .map(|notice| notice.reason),
        );
    }
    assert_eq!(told, ["RolloutBegan", "PointOfNoReturn"]);
    cluster
}

fn said(cluster: &Cluster, type_: &str) -> (String, String) {
    cluster.condition(type_)
}

fn is(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[test]
fn a_release_that_fails_past_its_point_of_no_return_stays_and_says_so() {
    let mut cluster = stuck();
    assert_eq!(said(&cluster, "Progressing"), is("False", "Failed"));
    assert_eq!(said(&cluster, "Degraded"), is("True", "PointOfNoReturn"));
    let status = cluster.resource.status.clone().expect("written");
    assert!(status.rollout.is_some_and(|rollout| rollout.point_of_no_return));
    assert_eq!(status.version.current.as_deref(), Some("1.0.0"));
    assert_eq!(cluster.image(Service::Orders), image(Service::Orders, "1.1.0"));

    cluster.bad.clear();
    cluster.until_done();
    assert_eq!(said(&cluster, "Ready"), is("True", "AsExpected"));
}

#[test]
fn a_release_below_the_point_of_no_return_is_refused_and_nothing_moves() {
    let mut cluster = stuck();
    let before = cluster.live.objects.clone();
    cluster.change(spec("1.0.0"));
    for _ in 0..10 {
        assert_eq!(cluster.pass(usize::MAX).writes, []);
    }
    assert_eq!(cluster.live.objects, before);
    assert_eq!(said(&cluster, "Ready"), is("False", "PointOfNoReturn"));
    assert_eq!(said(&cluster, "Progressing"), is("False", "PointOfNoReturn"));

    cluster.bad.clear();
    cluster.change(spec("1.1.0"));
    cluster.until_done();
    let before = cluster.live.objects.clone();
    cluster.change(spec("1.0.0"));
    assert_eq!(cluster.pass(usize::MAX).writes, []);
    assert_eq!(said(&cluster, "Ready"), is("False", "PointOfNoReturn"));
    assert_eq!(cluster.live.objects, before);
    // The release after it has nothing that the one before could not read.
    for version in ["1.2.0", "1.1.0"] {
        cluster.change(spec(version));
        cluster.until_done();
        assert_eq!(cluster.image(Service::Orders), image(Service::Orders, version));
    }
}

#[test]
fn a_later_release_takes_the_place_of_one_that_is_stuck() {
    let mut cluster = stuck();
    cluster.change(spec("1.2.0"));
    for _ in 0..100 {
        cluster.pass(usize::MAX);
        assert_ne!(cluster.image(Service::Orders), image(Service::Orders, "1.0.0"));
    }
    assert_eq!(said(&cluster, "Ready"), is("True", "AsExpected"));
    let version = cluster.resource.status.clone().expect("written").version;
    assert_eq!(
        (version.current.as_deref(), version.previous.as_deref()),
        (Some("1.2.0"), Some("1.0.0"))
    );
}
