//! Releases that are bad, and changes that nobody notices.

use std::time::Duration;

use anyhow::{Result, ensure};
use bigtix_tests::cluster::{Cluster, Shopping};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(150);

pub(crate) async fn an_image_that_does_not_exist_is_taken_back(cluster: &Cluster) -> Result<()> {
    is_taken_back(cluster, "bigtix.test/nothing:1", "ImagePulled").await
}

/// A store's program knows nothing of a service's life, and ends at once.
pub(crate) async fn an_image_that_crashes_is_taken_back(cluster: &Cluster) -> Result<()> {
    is_taken_back(cluster, "bigtix.test/redis-server:7.0.15", "").await
}

async fn is_taken_back(cluster: &Cluster, image: &str, why: &str) -> Result<()> {
    let shopping = Shopping::begin().await?;
    let named = "--output=jsonpath={.spec.template.spec.containers[0].image}";
    let before = cluster.run(&["get", "deployment/shop-payments", named])?;
    cluster.patch_shop(&json!({"spec": {
        "services": {"payments": {"image": image}}, "upgrade": {"progressDeadlineSeconds": 45, "soakSeconds": 5},
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
    let shop = cluster.get(&["bigtix", "shop"])?;
    let told = shop["status"]["history"][0]["reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    ensure!(
        told.contains(why) && told.contains(image),
        "the history says {told:?}"
    );
    let events = cluster.run(&["get", "events", "--output=jsonpath={.items[*].reason}"])?;
    ensure!(events.contains("RolloutFailed"), "no event says so: {events}");
    let purchases = shopping.end().await?;
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    ensure!(
        purchases.orders.len() > 5,
        "only {} purchases",
        purchases.orders.len()
    );

    cluster.patch_shop(&json!({"spec": {"services": {"payments": {"image": null}}}}))?;
    cluster
        .until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))
        .map(drop)
}

pub(crate) async fn a_restart_fails_no_request(cluster: &Cluster) -> Result<()> {
    let names = ["auth", "tickets", "orders", "payments", "expiration"];
    let two: serde_json::Map<_, _> = names
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
                names
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

/// To releases that differ in every service, and back. Their images are made on demand, because that takes minutes.
pub(crate) async fn an_upgrade_and_a_downgrade_fail_no_request(cluster: &Cluster) -> Result<()> {
    if !cluster.has_image("orders:1.1.0") {
        println!("  not tested: tests/cluster/next-images.sh makes what it takes");
        return Ok(());
    }
    let release = json!({"version": "1.1.0", "reachableFrom": "~1.0", "services": {
        "auth": "1.1.0", "tickets": "1.1.0", "orders": "1.1.0", "payments": "1.1.0", "expiration": "1.1.0",
    }});
    let releases = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bigtix-releases"},
        "data": {"1.1.0.json": release.to_string()}});
    cluster.within("bigtix-system").apply(&releases)?;
    for version in ["1.1.0", "1.0.0"] {
        let shopping = Shopping::begin().await?;
        cluster.patch_shop(&json!({"spec": {"version": version}}))?;
        let took = cluster.until_shop(version, PATIENCE, |shop| {
            shop.is("Ready") && shop.current() == version
        })?;
        let purchases = shopping.end().await?;
        println!(
            "  {version} after {:.0} s, {} purchases",
            took.as_secs_f64(),
            purchases.orders.len()
        );
        ensure!(
            purchases.failures.is_empty(),
            "to {version}: {:?}",
            purchases.failures
        );
        let shop = cluster.get(&["bigtix", "shop"])?;
        let services = shop["status"]["services"].as_array().cloned().unwrap_or_default();
        ensure!(
            services.iter().all(|service| service["version"] == version),
            "{services:?}"
        );
    }
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
