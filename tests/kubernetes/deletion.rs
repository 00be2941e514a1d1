//! Shops that are deleted with the policy `Snapshot`, and what comes of their final backups.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bigtix_tests::cluster::{Cluster, Customer};
use serde_json::{Value, json};

use crate::backups::{Store, folders, is_true, restore, shown, until_complete};
use crate::install::resource;

/// A shop comes up, or a Job works.
const WORK: Duration = Duration::from_secs(180);
/// What carries the name of the shop, but volumes.
const OWNED: &str = "pods,deployments,statefulsets,services,ingresses,networkpolicies,secrets,configmaps,serviceaccounts,jobs";

pub(crate) async fn a_shop_that_is_deleted_leaves_its_final_backup_and_nothing_else(
    cluster: &Cluster,
) -> Result<()> {
    let snapshot = json!({"deletionPolicy": "Snapshot", "backup": {"volume": {"size": "1Gi"}}});
    cluster.patch_shop(&json!({ "spec": snapshot }))?;
    cluster.until_shop("it is held", WORK, |shop| {
        shop.is("Ready") && shop.0["metadata"]["finalizers"] == json!(["bigtix.dev/final-backup"])
    })?;
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    let mut bought = Vec::new();
    for _ in 0..3 {
        let order = buyer.buys(&seller.lists().await?).await?;
        bought.push((order.clone(), shown(&buyer, &order).await?));
    }
    // Who waits for all that is owned has nothing of it deleted before the backup is there.
    cluster.run(&["delete", "bigtix/shop", "--cascade=foreground", "--timeout=300s"])?;
    only_the_archive_is_left(cluster, "shop")?;
    let last = final_backup(cluster)?;
    let name = last["metadata"]["name"].as_str().context("a name")?.to_owned();
    ensure!(name.starts_with("shop-final-"), "{name}");
    ensure!(is_true(&last["status"]["conditions"], "Complete"), "{last}");

    comes_up(cluster, "second", &json!({"backup": {"volume": {"size": "1Gi"}}}))?;
    restore(cluster, "second", &name).await?;
    let buyer = buyer.signs_in().await?;
    for (order, before) in &bought {
        ensure!(
            shown(&buyer, order).await? == *before,
            "order {order} is another one"
        );
    }
    // Its shop has gone, and the archive goes all the same.
    let archives = volume(cluster, "shop-backups")?;
    ensure!(
        !folders(Path::new(&archives))?.is_empty(),
        "no archive in {archives}"
    );
    cluster.run(&["delete", &format!("bigtixbackup/{name}"), "--timeout=120s"])?;
    ensure!(
        folders(Path::new(&archives))?.is_empty(),
        "{:?}",
        folders(Path::new(&archives))?
    );
    cluster
        .run(&["delete", "persistentvolumeclaim/shop-backups", "--timeout=60s"])
        .map(drop)
}

pub(crate) async fn a_final_backup_that_fails_keeps_everything_until_it_is_mended(
    cluster: &Cluster,
) -> Result<()> {
    let store = Store::start(cluster).await?;
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    let order = buyer.buys(&seller.lists().await?).await?;
    let bought = shown(&buyer, &order).await?;
    let spec = json!({"deletionPolicy": "Snapshot", "backup": {"volume": null, "s3": store.place()["s3"]}});
    let patch = json!({ "spec": spec }).to_string();
    cluster.run(&["patch", "bigtix/second", "--type=merge", "--patch", &patch])?;
    cluster.until_shop_named("second", "Ready", WORK, |shop| shop.is("Ready"))?;
    cluster.run(&["delete", "bigtix/second", "--wait=false"])?;
    // There is no such bucket yet.
    cluster.until_shop_named("second", "it fails", WORK * 2, |shop| {
        shop.condition("Degraded").1 == "FinalBackupFailed"
    })?;
    let volumes = cluster.run(&["get", "persistentvolumeclaims", "--output=name"])?;
    ensure!(volumes.contains("data-second-mongodb-0"), "{volumes}");
    let stores = "app.kubernetes.io/component=mongodb,app.kubernetes.io/instance=second";
    ensure!(!cluster.pods(stores)?.is_empty(), "the database has gone");

    store.make_bucket()?;
    let failed = final_backup(cluster)?;
    let name = failed["metadata"]["name"].as_str().context("a name")?.to_owned();
    cluster.run(&["delete", &format!("bigtixbackup/{name}"), "--timeout=120s"])?;
    cluster.run(&["wait", "bigtix/second", "--for=delete", "--timeout=300s"])?;
    only_the_archive_is_left(cluster, "second")?;
    until_complete(cluster, &format!("bigtixbackup/{name}"), WORK)?;

    comes_up(cluster, "shop", &json!({"backup": store.place()}))?;
    restore(cluster, "shop", &name).await?;
    let buyer = buyer.signs_in().await?;
    ensure!(
        shown(&buyer, &order).await? == bought,
        "order {order} is another one"
    );
    cluster.run(&["delete", &format!("bigtixbackup/{name}"), "--timeout=120s"])?;
    cluster.patch_shop(&json!({"spec": {"backup": null}}))?;
    cluster.until_shop("Ready", WORK, |shop| shop.is("Ready"))?;
    store.stop().await;
    Ok(())
}

/// Makes a shop of that name, with what differs from the smallest one.
fn comes_up(cluster: &Cluster, name: &str, spec: &Value) -> Result<()> {
    let mut shop = resource();
    shop["metadata"]["name"] = json!(name);
    for (field, value) in spec.as_object().context("fields")? {
        shop["spec"][field] = value.clone();
    }
    cluster.apply(&shop)?;
    cluster
        .until_shop_named(name, "Ready", WORK, |shop| shop.is("Ready"))
        .map(drop)
}

/// The one that there is.
fn final_backup(cluster: &Cluster) -> Result<Value> {
    let found = cluster.get(&["bigtixbackups", "--selector=bigtix.dev/final"])?;
    let found = found["items"].as_array().context("a list")?;
    ensure!(found.len() == 1, "{found:?}");
    Ok(found[0].clone())
}

fn only_the_archive_is_left(cluster: &Cluster, shop: &str) -> Result<()> {
    let of_shop = format!("--selector=app.kubernetes.io/instance={shop}");
    cluster.until("nothing of the shop is left", WORK, || {
        Ok(cluster
            .run(&["get", OWNED, &of_shop, "--output=name"])?
            .is_empty())
    })?;
    cluster.until("the stores' volumes are gone", WORK, || {
        let claims = cluster.run(&["get", "persistentvolumeclaims", &of_shop, "--output=name"])?;
        Ok(!claims.contains("/data-"))
    })?;
    Ok(())
}

/// Where the volume of a claim is.
fn volume(cluster: &Cluster, claim: &str) -> Result<String> {
    let claim = cluster.get(&["persistentvolumeclaim", claim])?;
    let name = claim["spec"]["volumeName"].as_str().context("a volume")?;
    let volume = cluster.get(&["persistentvolume", name])?;
    let path = volume["spec"]["local"]["path"].as_str();
    Ok(path.context("a folder of the node")?.to_owned())
}
