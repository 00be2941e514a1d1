//! What breaks, and comes right by itself.

use std::time::Duration;

use anyhow::{Result, ensure};
use bigtix_tests::cluster::{Cluster, Customer};
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

pub(crate) async fn the_operator_is_replaced_and_no_pod_restarts(cluster: &Cluster) -> Result<()> {
    let uids = || cluster.run(&["get", "pods", "--output=jsonpath={.items[*].metadata.uid}"]);
    let before = uids()?;
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
    let auth = |uids: &str| uids.split(' ').count();
    // The setting is of auth, so its pod is another one; nobody else's is.
    let after = uids()?;
    let same = after.split(' ').filter(|uid| before.contains(uid)).count();
    ensure!(
        same + 1 >= auth(&before),
        "{} of {} pods are the same",
        same,
        auth(&before)
    );
    Ok(())
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
    cluster
        .run(&["delete", "namespace", cluster.namespace(), "--timeout=90s"])
        .map(drop)
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
