//! The stores: members that come and go, and the one that takes writes.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bigtix_tests::cluster::{Cluster, Customer, Shopping};
use serde_json::json;

/// A member copies everything before it counts.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) async fn the_database_grows_to_three_loses_its_primary_and_shrinks(
    cluster: &Cluster,
) -> Result<()> {
    let shopping = Shopping::begin().await?;
    sized(cluster, "mongodb", 3)?;
    let growing = shopping.end().await?;
    ensure!(
        growing.failures.is_empty(),
        "while it grew: {:?}",
        growing.failures
    );

    let mut shopping = Shopping::begin().await?;
    let shop = cluster.get(&["bigtix", "shop"])?;
    let stores = shop["status"]["dataStores"].as_array().context("the stores")?;
    let primary = stores
        .iter()
        .find_map(|store| store["primary"].as_str()?.split('.').next())
        .context("a primary")?;
    cluster.run(&[
        "delete",
        "pod",
        primary,
        "--grace-period=0",
        "--force",
        "--wait=false",
    ])?;
    cluster.until_shop("noticed", PATIENCE, |shop| !shop.is("Ready"))?;
    cluster.until_shop("Ready again", PATIENCE, |shop| shop.is("Ready"))?;
    shopping.goes_on().await?;
    let purchases = shopping.end().await?;
    println!(
        "  {} purchases, {} answers to be retried",
        purchases.orders.len(),
        purchases.failures.len()
    );
    // An election takes seconds; what could not be told meanwhile is answered so, and nothing else is.
    let others: Vec<_> = purchases
        .failures
        .iter()
        .filter(|failure| !failure.contains(": 503 "))
        .collect();
    ensure!(others.is_empty(), "{others:?}");

    sized(cluster, "mongodb", 1)
}

/// The bus carries copies: nobody who buys notices that it is replaced, and afterwards every copy is there.
pub(crate) async fn the_bus_grows_to_three_and_shrinks(cluster: &Cluster) -> Result<()> {
    let mut shopping = Shopping::begin().await?;
    sized(cluster, "nats", 3)?;
    shopping.goes_on().await?;
    sized(cluster, "nats", 1)?;
    shopping.goes_on().await?;
    let purchases = shopping.end().await?;
    println!("  {} purchases", purchases.orders.len());
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    let reader = Customer::new().await?;
    for ticket in &purchases.tickets {
        reader.sees_sold(ticket).await?;
    }
    Ok(())
}

pub(crate) async fn a_volume_grows_while_tickets_are_bought(cluster: &Cluster) -> Result<()> {
    let shopping = Shopping::begin().await?;
    cluster.patch_shop(&json!({"spec": {"mongodb": {"managed": {"storage": {"size": "3Gi"}}}}}))?;
    let capacity = [
        "get",
        "pvc/data-shop-mongodb-0",
        "--output=jsonpath={.status.capacity.storage}",
    ];
    cluster.until("the volume has grown", PATIENCE, || {
        Ok(cluster.run(&capacity)? == "3Gi")
    })?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let purchases = shopping.end().await?;
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    Ok(())
}

/// Asks for so many members of a store, and waits until they are what serves.
fn sized(cluster: &Cluster, store: &str, members: u32) -> Result<()> {
    cluster.patch_shop(&json!({"spec": {store: {"managed": {"replicas": members}}}}))?;
    cluster.until_shop(&format!("{members} members of {store}"), PATIENCE, |shop| {
        let stores = shop.0["status"]["dataStores"].as_array();
        let found = stores.into_iter().flatten().find(|found| found["name"] == store);
        let is_so = found.is_some_and(|found| found["ready"] == members && found["desired"] == members);
        shop.is("Ready") && is_so
    })?;
    let pods = cluster.run(&[
        "get",
        &format!("statefulset/shop-{store}"),
        "--output=jsonpath={.spec.replicas}",
    ])?;
    ensure!(pods == members.to_string(), "{pods} pods of {members}");
    Ok(())
}
