//! Many: pods that follow their load, and shops that do nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bigtix_tests::cluster::{Cluster, SYSTEM, Shopping};
use serde_json::{Value, json};

use crate::install::resource;

const PATIENCE: Duration = Duration::from_secs(240);
/// How long a pod is watched, to know what it takes.
const LOOK: Duration = Duration::from_secs(15);
/// How long idle shops are watched.
const REST: Duration = Duration::from_secs(60);
/// How many idle shops there are, unless the variable says something else.
const SHOPS: u32 = 20;
const SHOPS_VARIABLE: &str = "BIGTIX_IDLE_SHOPS";
/// How long one takes to be there, on a busy machine.
const ONE_SHOP: Duration = Duration::from_secs(8);
/// What one operator may take for them.
const MOST_MEMORY: u64 = 60 << 20;

/// Up under load, down after it, and the operator has no part in it.
pub(crate) async fn an_autoscaler_follows_the_load_and_nobody_fights_it(cluster: &Cluster) -> Result<()> {
    let replicas = || {
        cluster.run(&[
            "get",
            "deployment/shop-orders",
            "--output=jsonpath={.spec.replicas}",
        ])
    };
    cluster.patch_shop(&json!({"spec": {"services": {"orders": {"replicas": 1, "autoscaling": null}}}}))?;
    cluster.until("one pod to begin with", PATIENCE, || {
        Ok(one_pod(cluster)?.is_some())
    })?;
    let rest = share_of_orders(cluster).await?;
    let crowd = crowd_of_four().await?;
    let load = share_of_orders(cluster).await;
    let mut failures = failures_of(crowd).await?;
    let load = load?;
    // So that one pod under this load has too much and two at rest have too little, however fast the machine is.
    let target = (2.0 * rest * load).sqrt();
    println!(
        "  orders takes {rest:.0} thousandths of a core at rest, {load:.0} under load; {target:.0} is aimed at"
    );
    ensure!(
        2.0 * rest < target && target < load,
        "there is nothing to scale by"
    );
    let scaling = json!({"minReplicas": 1, "maxReplicas": 2, "targetCPUPercent": 50, "scaleDownStabilizationSeconds": 0});
    let orders = json!({
        "replicas": null,
        "autoscaling": scaling,
        "resources": {"requests": {"cpu": format!("{:.0}m", target * 2.0)}},
    });
    cluster.patch_shop(&json!({"spec": {"services": {"orders": orders}}}))?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let crowd = crowd_of_four().await?;
    let up = cluster.until("two pods", PATIENCE, || Ok(replicas()? == "2"));
    // Once the autoscaler has written the number, the operator gives it up; from then on it is the autoscaler's alone.
    cluster.until("it is handed over", PATIENCE, || {
        let writes = cluster.audit_log().writes_within(Duration::from_secs(5))?;
        Ok(writes.is_empty())
    })?;
    let log = cluster.audit_log();
    failures.extend(failures_of(crowd).await?);
    let up = up?;
    let down = cluster.until("one pod", PATIENCE, || Ok(replicas()? == "1"))?;
    println!(
        "  up after {:.0} s, down after {:.0} s",
        up.as_secs_f64(),
        down.as_secs_f64()
    );
    let fights: Vec<_> = log
        .of_operator()?
        .into_iter()
        .filter(|request| request.is_write() && request.resource() == "deployments")
        .map(|request| request.described())
        .collect();
    ensure!(fights.is_empty(), "the operator wrote {fights:?}");
    ensure!(failures.is_empty(), "{failures:?}");
    cluster
        .patch_shop(&json!({"spec": {"services": {"orders": {"autoscaling": null, "resources": null}}}}))?;
    cluster
        .until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))
        .map(drop)
}

async fn crowd_of_four() -> Result<Vec<Shopping>> {
    let mut crowd = Vec::new();
    for _ in 0..4 {
        crowd.push(Shopping::begin().await?);
    }
    Ok(crowd)
}

/// What they could not buy; they go home.
async fn failures_of(crowd: Vec<Shopping>) -> Result<Vec<String>> {
    let mut failures = Vec::new();
    for shopping in crowd {
        failures.extend(shopping.end().await?.failures);
    }
    Ok(failures)
}

/// The pod of the orders service, once it is the only one.
fn one_pod(cluster: &Cluster) -> Result<Option<String>> {
    let mut pods = cluster.pods("app.kubernetes.io/component=orders")?;
    Ok(if pods.len() == 1 { pods.pop() } else { None })
}

/// What the one pod of the orders service takes of a processor for a while, in thousandths.
async fn share_of_orders(cluster: &Cluster) -> Result<f64> {
    let pod = one_pod(cluster)?.context("one pod of the orders service")?;
    let share = cluster.process_of(&pod)?.share_over(LOOK).await?;
    Ok((share * 1000.0).max(1.0))
}

/// They sleep, so that their stores and what belongs to them are there and none of their pods.
pub(crate) async fn many_shops_at_rest_cost_next_to_nothing(cluster: &Cluster) -> Result<()> {
    let count = std::env::var(SHOPS_VARIABLE).ok();
    let count: u32 = count.map_or(Ok(SHOPS), |count| count.parse())?;
    let many = cluster.within("many-shops");
    many.fresh_namespace()?;
    let shops: Vec<Value> = (0..count)
        .map(|number| {
            let mut shop = resource();
            shop["metadata"]["name"] = format!("shop-{number}").into();
            shop["spec"]["hibernate"] = true.into();
            shop["spec"]["ingress"] = json!({"enabled": false});
            shop
        })
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": shops});
    many.apply(&list)?;
    let took = many.until("every one sleeps", ONE_SHOP * count, || {
        let reasons = many.run(&[
            "get",
            "bigtix",
            "--output=jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].reason}",
        ])?;
        let objects = many.run(&["get", "deployments,statefulsets", "--output=name"])?;
        let asleep = reasons
            .split(' ')
            .filter(|reason| *reason == "Hibernated")
            .count();
        let count = usize::try_from(count)?;
        Ok(asleep == count && objects.lines().count() >= count * 4)
    })?;
    cluster.until("a quiet moment", PATIENCE, || {
        let writes = cluster.audit_log().writes_within(Duration::from_secs(10))?;
        Ok(writes.is_empty())
    })?;

    let system = cluster.within(SYSTEM);
    let operator = system.pods("app.kubernetes.io/name=bigtix-operator")?;
    let process = system.process_of(operator.first().context("the operator's pod")?)?;
    let before = process.use_of()?;
    let writes = cluster.audit_log().writes_within(REST)?;
    let after = process.use_of()?;
    let share = (after.processor - before.processor).as_secs_f64() / REST.as_secs_f64();
    println!(
        "  {count} there after {:.0} s; at rest {:.1} MiB and {:.2} % of a core",
        took.as_secs_f64(),
        after.memory as f64 / f64::from(1 << 20),
        share * 100.0
    );
    ensure!(writes.is_empty(), "{} writes", writes.len());
    ensure!(after.memory < MOST_MEMORY, "{} bytes", after.memory);
    many.run(&["delete", "bigtix", "--all", "--wait=false"])?;
    many.run(&["delete", "namespace", many.namespace(), "--wait=false"])
        .map(drop)
}
