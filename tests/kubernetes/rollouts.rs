//! Releases that are bad, and changes that nobody notices.

use std::time::Duration;

use anyhow::{Result, ensure};
use bigtix_tests::cluster::{Cluster, Customer, Shopping};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(150);
pub(crate) const SERVICES: [&str; 6] = ["auth", "tickets", "orders", "payments", "expiration", "web"];

pub(crate) async fn an_image_that_does_not_exist_is_taken_back(cluster: &Cluster) -> Result<()> {
    is_taken_back(cluster, "bigtix.test/nothing:1", "ImagePulled").await
}

/// A store's program knows nothing of a service's life, and ends at once.
pub(crate) async fn an_image_that_crashes_is_taken_back(cluster: &Cluster) -> Result<()> {
    is_taken_back(cluster, "bigtix.test/redis-server:7.0.15", "").await
}

/// A NATS server runs for good, and answers nothing that a service is asked.
pub(crate) async fn an_image_that_never_gets_ready_is_taken_back(cluster: &Cluster) -> Result<()> {
    is_taken_back(cluster, "bigtix.test/nats-server:2.15.2", "").await
}

/// In good health, and answers payments with 503 because it does not wait for them (`tests/cluster/images.sh`).
pub(crate) async fn an_image_that_fails_requests_is_taken_back(cluster: &Cluster) -> Result<()> {
    let hasty = "payments:1.0.0-hasty";
    ensure!(cluster.has_image(hasty), "tests/cluster/images.sh makes {hasty}");
    let mut crowd = Vec::new();
    for _ in 0..3 {
        crowd.push(Shopping::begin().await?);
    }
    let told = take_back(cluster, &format!("ghcr.io/bigtix/{hasty}"), 100)?;
    ensure!(
        told.contains("ErrorsWithinBudget: payments"),
        "the history says {told:?}"
    );
    let mut failures = Vec::new();
    for shopping in crowd {
        failures.extend(shopping.end().await?.failures);
    }
    let unexpected = failures
        .iter()
        .find(|failure| !failure.contains("/api/payments: 503"));
    ensure!(unexpected.is_none(), "{unexpected:?}");
    ensure!(!failures.is_empty(), "nothing failed");
    println!("  {} payments failed until then", failures.len());
    give_up(cluster)?;
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    buyer.buys(&seller.lists().await?).await.map(drop)
}

async fn is_taken_back(cluster: &Cluster, image: &str, why: &str) -> Result<()> {
    let mut shopping = Shopping::begin().await?;
    let told = take_back(cluster, image, 5)?;
    ensure!(
        told.contains(why) && told.contains(image),
        "the history says {told:?}"
    );
    shopping.goes_on().await?;
    let purchases = shopping.end().await?;
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    give_up(cluster)
}

/// Wants another image of payments, waits until the operator has gone back, and returns why, as the history says.
fn take_back(cluster: &Cluster, image: &str, soak: u32) -> Result<String> {
    let named = "--output=jsonpath={.spec.template.spec.containers[0].image}";
    let before = cluster.run(&["get", "deployment/shop-payments", named])?;
    cluster.patch_shop(&json!({"spec": {
        "services": {"payments": {"image": image}}, "upgrade": {"progressDeadlineSeconds": 45, "soakSeconds": soak},
    }}))?;
    let took = cluster.until_shop("taken back", PATIENCE, |shop| {
        let (status, reason, _) = shop.condition("Progressing");
        status == "False" && reason == "RolledBack"
    })?;
    println!("  taken back after {:.0} s", took.as_secs_f64());
    ensure!(
        cluster.run(&["get", "deployment/shop-payments", named])? == before,
        "another image is left"
    );
    let events = cluster.run(&["get", "events", "--output=jsonpath={.items[*].reason}"])?;
    ensure!(events.contains("RolloutFailed"), "no event says so: {events}");
    let shop = cluster.get(&["bigtix", "shop"])?;
    let told = shop["status"]["history"][0]["reason"].as_str();
    Ok(told.unwrap_or_default().to_owned())
}

/// Wants the release's own image of payments again, and watches what comes for a moment only.
fn give_up(cluster: &Cluster) -> Result<()> {
    cluster.patch_shop(
        &json!({"spec": {"services": {"payments": {"image": null}}, "upgrade": {"soakSeconds": 5}}}),
    )?;
    cluster
        .until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))
        .map(drop)
}

pub(crate) async fn a_restart_fails_no_request(cluster: &Cluster) -> Result<()> {
    let two: serde_json::Map<_, _> = SERVICES
        .iter()
        .map(|name| ((*name).to_owned(), json!({"replicas": 2})))
        .collect();
    cluster.patch_shop(&json!({"spec": {"services": two}}))?;
    cluster.until_shop("two of each", PATIENCE, |shop| shop.is("Ready"))?;
    let pods = || cluster.run(&["get", "pods", "--output=jsonpath={.items[*].metadata.name}"]);
    let before = pods()?;
    let shopping = Shopping::begin().await?;
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    cluster.patch_shop(&json!({"spec": {"restartAt": now}}))?;
    cluster.until("every pod of a service is another one", PATIENCE, || {
        let now = pods()?;
        Ok(before
            .split(' ')
            .filter(|name| {
                SERVICES
                    .iter()
                    .any(|service| name.starts_with(&format!("shop-{service}-")))
            })
            .all(|name| !now.contains(name)))
    })?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let purchases = shopping.end().await?;
    println!("  {} purchases meanwhile", purchases.orders.len());
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    Ok(())
}

/// As when a node is drained. There are two pods of each service since the restart.
pub(crate) async fn an_eviction_of_each_service_fails_no_request(cluster: &Cluster) -> Result<()> {
    let shopping = Shopping::begin().await?;
    for service in SERVICES {
        let pods = cluster.pods(&format!("app.kubernetes.io/component={service}"))?;
        ensure!(pods.len() > 1, "{service} has {} pods", pods.len());
        let pod = &pods[0];
        let path = format!("/api/v1/namespaces/{}/pods/{pod}/eviction", cluster.namespace());
        let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}});
        cluster.feed(&["create", "--raw", &path, "--filename=-"], &eviction.to_string())?;
        cluster.until(&format!("{pod} is gone"), PATIENCE, || {
            let left = cluster.run(&["get", "pod", pod, "--ignore-not-found", "--output=name"])?;
            Ok(left.is_empty())
        })?;
        cluster.until_shop("another one serves", PATIENCE, |shop| shop.is("Ready"))?;
    }
    let purchases = shopping.end().await?;
    println!("  {} purchases meanwhile", purchases.orders.len());
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    Ok(())
}

pub(crate) async fn an_autoscaler_takes_over_without_a_drop(cluster: &Cluster) -> Result<()> {
    let replicas = || {
        cluster.run(&[
            "get",
            "deployment/shop-auth",
            "--output=jsonpath={.spec.replicas}",
        ])
    };
    cluster.patch_shop(&json!({"spec": {"services": {"auth": {"replicas": 2}}}}))?;
    cluster.until_shop("two of auth", PATIENCE, |shop| shop.is("Ready"))?;
    let scaling = json!({"replicas": null, "autoscaling": {"minReplicas": 1, "maxReplicas": 4}});
    cluster.patch_shop(&json!({"spec": {"services": {"auth": scaling}}}))?;
    cluster.until("the autoscaler is there and the pods are, too", PATIENCE, || {
        ensure!(replicas()? == "2", "{} pods", replicas()?);
        let scaler = cluster.run(&[
            "get",
            "hpa/shop-auth",
            "--ignore-not-found",
            "--output=jsonpath={.spec.maxReplicas}",
        ])?;
        Ok(scaler == "4")
    })?;
    // Somebody scales, as the autoscaler does, and the operator leaves it so.
    cluster.run(&["scale", "deployment/shop-auth", "--replicas=3"])?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    ensure!(replicas()? == "3", "{} pods", replicas()?);
    cluster.patch_shop(&json!({"spec": {"services": {"auth": {"replicas": 1, "autoscaling": null}}}}))?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    cluster.until("one pod again", PATIENCE, || Ok(replicas()? == "1"))?;
    ensure!(
        cluster.run(&["get", "hpa", "--output=name"])?.is_empty(),
        "the autoscaler is left"
    );
    Ok(())
}
