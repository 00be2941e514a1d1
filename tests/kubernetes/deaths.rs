//! An operator that dies after every write.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bigtix_tests::cluster::{Cluster, SYSTEM, Shop};
use serde_json::json;

use crate::install::resource;

/// How long one life may go on without a write: pods start meanwhile.
const LIFE: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(200);
const TAKES_BACK: Duration = Duration::from_secs(120);

/// Installation, upgrade and rollback come to the same end, however often it dies.
pub(crate) async fn an_operator_that_dies_after_each_write_gets_there(cluster: &Cluster) -> Result<()> {
    let system = cluster.within(SYSTEM);
    let scaled = |replicas: u32| -> Result<()> {
        let replicas = format!("--replicas={replicas}");
        system.run(&["scale", "deployment/bigtix-operator", &replicas])?;
        system
            .run(&[
                "rollout",
                "status",
                "deployment/bigtix-operator",
                "--timeout=120s",
            ])
            .map(drop)
    };
    scaled(0)?;
    let outcome = lives_and_deaths(cluster);
    scaled(1)?;
    outcome?;
    // The one that lives finds nothing left to do.
    let other = cluster.within("shop-of-many-deaths");
    other.until_shop("taken back still", PATIENCE, |shop| {
        shop.condition("Ready").1 == "RolledBack"
    })?;
    other.remove_namespace()
}

fn lives_and_deaths(cluster: &Cluster) -> Result<()> {
    let other = cluster.within("shop-of-many-deaths");
    other.fresh_namespace()?;
    let mut shop = resource();
    shop["spec"]["ingress"] = json!({"enabled": false});
    shop["spec"]["upgrade"] = json!({"progressDeadlineSeconds": 60, "soakSeconds": 5});
    other.apply(&shop)?;
    let installed = until(&other, PATIENCE, |shop| shop.is("Ready"))?;
    ensure!(installed > 20, "only {installed} deaths during the installation");

    let image = |image: &str| json!({"spec": {"services": {"tickets": {"image": image}}}});
    other.patch_shop(&image("ghcr.io/bigtix/tickets:1.1.0"))?;
    let upgraded = until(&other, PATIENCE, |shop| shop.is("Ready"))?;
    ensure!(runs(&other, "tickets:1.1.0")?, "another image runs");

    other.patch_shop(&image("bigtix.test/nothing:1"))?;
    let taken_back = until(&other, TAKES_BACK, |shop| {
        shop.condition("Ready").1 == "RolledBack"
    })?;
    ensure!(runs(&other, "tickets:1.1.0")?, "another image is left");
    println!(
        "  {installed} deaths during the installation, {upgraded} during the upgrade, {taken_back} during the rollback"
    );
    Ok(())
}

fn runs(shop: &Cluster, image: &str) -> Result<bool> {
    let named = "--output=jsonpath={.spec.template.spec.containers[0].image}";
    Ok(shop
        .run(&["get", "deployment/shop-tickets", named])?
        .ends_with(image))
}

/// Gives the operator one life after another, each of which ends with its first write; says how many did.
fn until(cluster: &Cluster, patience: Duration, is_so: impl Fn(&Shop) -> bool) -> Result<u32> {
    let began = Instant::now();
    let mut deaths = 0;
    while began.elapsed() < patience {
        let shop = Shop(cluster.get(&["bigtix", "shop"])?);
        if shop.is_observed() && is_so(&shop) {
            return Ok(deaths);
        }
        deaths += u32::from(life(cluster)?);
    }
    let shop = Shop(cluster.get(&["bigtix", "shop"])?);
    bail!("not after {deaths} deaths: {:?}", shop.condition("Ready"))
}

/// One life; whether it ended by a write.
fn life(cluster: &Cluster) -> Result<bool> {
    let mut operator = cluster.operator_on_node()?.stderr(Stdio::piped()).spawn()?;
    let written = first_write(&mut operator);
    operator.kill()?;
    operator.wait()?;
    written
}

fn first_write(operator: &mut Child) -> Result<bool> {
    let log = BufReader::new(operator.stderr.take().context("its log")?);
    let (tell, told) = mpsc::channel();
    // Ends with the log, which ends with the operator.
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            if line.contains("\"message\":\"written\"") {
                let _ = tell.send(());
            }
        }
    });
    Ok(told.recv_timeout(LIFE).is_ok())
}
