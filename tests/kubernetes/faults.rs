//! What breaks, and comes right by itself.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bigtix_tests::cluster::{Cluster, Customer, Shopping};
use reqwest::Method;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(120);
/// How soon what is ours is mended.
const MENDED: Duration = Duration::from_secs(10);

pub(crate) async fn what_is_deleted_or_edited_is_mended(cluster: &Cluster) -> Result<()> {
    let children = [
        "serviceaccount/shop-orders",
        "configmap/shop-nats-config",
        "service/shop-auth",
        "deployment/shop-tickets",
        "networkpolicy/shop-default-deny",
        "ingress/shop",
    ];
    for child in children {
        let uid = || -> Result<String> {
            cluster.run(&[
                "get",
                child,
                "--ignore-not-found",
                "--output=jsonpath={.metadata.uid}",
            ])
        };
        let before = uid()?;
        ensure!(!before.is_empty(), "{child} is not there");
        cluster.run(&["delete", child, "--wait=false"])?;
        cluster.until(&format!("{child} comes back"), MENDED, || {
            let now = uid()?;
            Ok(!now.is_empty() && now != before)
        })?;
    }
    let image = "--output=jsonpath={.spec.template.spec.containers[0].image}";
    let of = |kind: &str| cluster.run(&["get", kind, image]);
    let wanted = of("deployment/shop-orders")?;
    cluster.run(&[
        "set",
        "image",
        "deployment/shop-orders",
        "orders=somebody.else/orders:1",
    ])?;
    cluster.until("the image is mended", MENDED, || {
        Ok(of("deployment/shop-orders")? == wanted)
    })?;
    cluster
        .until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))
        .map(drop)
}

pub(crate) async fn all_pods_at_once_come_back_with_every_order(cluster: &Cluster) -> Result<()> {
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(buyer.buys(&seller.lists().await?).await?);
    }
    cluster.run(&[
        "delete",
        "pods",
        "--all",
        "--grace-period=0",
        "--force",
        "--wait=false",
    ])?;
    cluster.until_shop("not ready", PATIENCE, |shop| !shop.is("Ready"))?;
    cluster.until_shop("Ready again", PATIENCE, |shop| shop.is("Ready"))?;
    for order in orders {
        let status = buyer.status_of(&order).await?;
        ensure!(status == "complete", "order {order} is {status}");
    }
    buyer.buys(&seller.lists().await?).await.map(drop)
}

/// The database's process is ended without a word, in the middle of purchases.
pub(crate) async fn a_database_that_is_killed_has_lost_nothing(cluster: &Cluster) -> Result<()> {
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    let mut orders = Vec::new();
    for _ in 0..5 {
        orders.push(buyer.buys(&seller.lists().await?).await?);
    }
    let mut shopping = Shopping::begin().await?;
    let pods = cluster.pods("app.kubernetes.io/component=mongodb")?;
    cluster
        .process_of(pods.first().context("the database's pod")?)?
        .kill()?;
    cluster.until_shop("noticed", PATIENCE, |shop| !shop.is("Ready"))?;
    cluster.until_shop("Ready again", PATIENCE, |shop| shop.is("Ready"))?;
    shopping.goes_on().await?;
    // It looks once more at every order that was acknowledged; with one member others had to be tried again.
    let purchases = shopping.end().await?;
    println!(
        "  {} purchases, {} answers to be retried",
        purchases.orders.len(),
        purchases.failures.len()
    );
    for order in orders {
        let status = buyer.status_of(&order).await?;
        ensure!(status == "complete", "order {order} is {status}");
    }
    Ok(())
}

/// The key that signs is another one, and whoever signed in before stays so.
pub(crate) async fn session_keys_are_rotated_and_nobody_is_signed_out(cluster: &Cluster) -> Result<()> {
    let before = Customer::new().await?;
    cluster.patch_shop(&json!({"spec": {"session": {"rotateAfterDays": 1}}}))?;
    let secret = "secret/shop-session-keys";
    let long_ago = "bigtix.dev/rotated-at=2020-01-01T00:00:00Z";
    let keys = || cluster.run(&["get", secret, "--output=jsonpath={.data.keys}"]);
    let old = keys()?;
    let digests = || {
        let annotations = r"{.items[*].spec.template.metadata.annotations.bigtix\.dev/session-keys-digest}";
        cluster.run(&["get", "deployments", &format!("--output=jsonpath={annotations}")])
    };
    let with_the_old = digests()?;
    let of_old = |digest: &str| with_the_old.contains(digest);
    cluster.run(&["annotate", secret, "--overwrite", long_ago])?;
    cluster.until("the keys are others", PATIENCE, || Ok(keys()? != old))?;
    let new = keys()?;
    ensure!(new.len() > old.len(), "the old key is not kept");
    cluster.until("every service is told", PATIENCE, || {
        Ok(!digests()?.split(' ').any(of_old))
    })?;
    cluster.until_shop("every service has them", PATIENCE, |shop| shop.is("Ready"))?;
    let who = before
        .ask(Method::GET, "/api/users/currentuser", None, 200)
        .await?;
    ensure!(
        who["currentUser"]["id"] == before.id.as_str(),
        "who was signed in is {who}"
    );
    Customer::new().await?;
    ensure!(keys()? == new, "they are rotated again and again");
    cluster.patch_shop(&json!({"spec": {"session": {"rotateAfterDays": null}}}))?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    Ok(())
}

pub(crate) async fn the_operator_is_replaced_and_no_pod_restarts(cluster: &Cluster) -> Result<()> {
    let before = living(cluster)?;
    let system = cluster.within("bigtix-system");
    let log = cluster.audit_log();
    system.run(&["rollout", "restart", "deployment/bigtix-operator"])?;
    system.run(&["rollout", "status", "deployment/bigtix-operator", "--timeout=60s"])?;
    cluster.patch_shop(&json!({"spec": {"administrators": ["office@example.com"]}}))?;
    cluster.until_shop("the new operator works", PATIENCE, |shop| {
        shop.is_observed() && !log.of_operator().unwrap_or_default().is_empty()
    })?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    cluster.patch_shop(&json!({"spec": {"administrators": []}}))?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    // The setting is of auth, so its pod is another one; nobody else's is.
    let after = living(cluster)?;
    let same = before.intersection(&after).count();
    ensure!(
        same + 1 >= before.len(),
        "{same} of {} pods are the same",
        before.len()
    );
    Ok(())
}

/// The pods that are not on their way out, by their ids.
fn living(cluster: &Cluster) -> Result<BTreeSet<String>> {
    let pods = cluster.get(&["pods"])?;
    let living = pods["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pod| &pod["metadata"])
        .filter(|metadata| metadata["deletionTimestamp"].is_null())
        .filter_map(|metadata| metadata["uid"].as_str().map(str::to_owned));
    Ok(living.collect())
}

pub(crate) async fn of_two_operators_one_works(cluster: &Cluster) -> Result<()> {
    let system = cluster.within("bigtix-system");
    let scaled = |count: u32| -> Result<()> {
        system.run(&[
            "scale",
            "deployment/bigtix-operator",
            &format!("--replicas={count}"),
        ])?;
        system
            .run(&["rollout", "status", "deployment/bigtix-operator", "--timeout=60s"])
            .map(drop)
    };
    scaled(2)?;
    // A change gives whoever thinks that it is its turn something to do.
    cluster.run(&["delete", "deployment/shop-expiration"])?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let pods = system.run(&["get", "pods", "--output=jsonpath={.items[*].metadata.name}"])?;
    let mut workers = 0;
    for pod in pods.split(' ') {
        let log = system.run(&["logs", pod])?;
        let works = log.contains("\"message\":\"written\"");
        ensure!(
            !works || log.contains("the lease is ours"),
            "{pod} writes without the lease"
        );
        workers += usize::from(works);
    }
    ensure!(workers <= 1, "{workers} of {pods} have written");
    scaled(1)
}

pub(crate) async fn a_shop_sleeps_and_wakes(cluster: &Cluster) -> Result<()> {
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    let order = buyer.buys(&seller.lists().await?).await?;
    cluster.patch_shop(&json!({"spec": {"hibernate": true}}))?;
    only_volumes_are_left(cluster)?;
    cluster.patch_shop(&json!({"spec": {"hibernate": false}}))?;
    cluster.until_shop("Ready again", PATIENCE, |shop| shop.is("Ready"))?;
    ensure!(buyer.status_of(&order).await? == "complete", "the order is lost");
    Ok(())
}

pub(crate) async fn a_shop_that_is_deleted_goes_with_its_namespace(cluster: &Cluster) -> Result<()> {
    cluster.run(&["delete", "bigtix/shop", "--timeout=60s"])?;
    only_volumes_are_left(cluster)?;
    cluster.remove_namespace()
}

fn only_volumes_are_left(cluster: &Cluster) -> Result<()> {
    let names = |kind: &str| cluster.run(&["get", kind, "--output=name"]);
    cluster.until("no pod is left", PATIENCE, || Ok(names("pods")?.is_empty()))?;
    ensure!(
        !names("persistentvolumeclaims")?.is_empty(),
        "the volumes are gone"
    );
    Ok(())
}
