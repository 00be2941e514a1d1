//! Releases by playbook, while tickets are bought.

use std::fs;
use std::os::unix::fs::symlink;

use anyhow::{Result, ensure};
use bigtix_testkit::golden::workspace_root;
use bigtix_tests::cluster::{Cluster, Purchases, Said, Shopping};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::rollouts::SERVICES;

/// The release after the one of this clone.
const NEXT: &str = "1.1.0";
const CURRENT: &str = "1.0.0";

/// To a release that differs in every service and that the operator has to be told of.
pub(crate) async fn a_release_fails_no_purchase_and_a_second_run_changes_nothing(
    cluster: &Cluster,
) -> Result<()> {
    ensure!(
        cluster.has_image(&format!("orders:{NEXT}")),
        "tests/cluster/next-images.sh makes the images that this takes"
    );
    let clone = next_clone()?;
    let settings = json!({"bigtix_source": clone.path()});
    let shopping = Shopping::begin().await?;
    green(&cluster.playbook("release", &settings)?)?;
    nothing_failed(&shopping.end().await?)?;
    serves(cluster, NEXT)?;

    let second = cluster.playbook("release", &settings)?;
    green(&second)?;
    ensure!(
        second.stdout.contains("changed=0 "),
        "it changed something: {}",
        second.stdout
    );
    Ok(())
}

pub(crate) async fn a_bad_release_ends_red_and_the_one_of_before_serves(cluster: &Cluster) -> Result<()> {
    let clone = next_clone()?;
    let bad = json!({"bigtix_source": clone.path(), "bigtix_services": {"orders": "9.9.9"}});
    let shopping = Shopping::begin().await?;
    let release = cluster.playbook("release", &bad)?;
    ensure!(release.code != 0, "it ended green: {}", release.stdout);
    // As it is written into the log, a sentence is broken into lines.
    let words: Vec<&str> = release.stdout.split_whitespace().collect();
    let said = words.join(" ");
    for sentence in [
        "cannot be pulled",
        &format!("Users are served, by release {NEXT}"),
    ] {
        ensure!(
            said.contains(sentence),
            "nothing says \"{sentence}\": {}",
            release.stdout
        );
    }
    // It asks for what was noted by the release before.
    green(&cluster.playbook("rollback", &json!({"bigtix_source": clone.path()}))?)?;
    nothing_failed(&shopping.end().await?)?;
    serves(cluster, NEXT)?;
    let asked = &cluster.get(&["bigtix", "shop"])?["spec"]["services"]["orders"]["version"];
    ensure!(asked.is_null(), "orders {asked} is still asked for");
    Ok(())
}

/// Back to the release before, which is named.
pub(crate) async fn a_rollback_fails_no_purchase(cluster: &Cluster) -> Result<()> {
    let shopping = Shopping::begin().await?;
    green(&cluster.playbook("rollback", &json!({"rollback_to": CURRENT}))?)?;
    nothing_failed(&shopping.end().await?)?;
    serves(cluster, CURRENT)
}

/// What of a clone a playbook reads, one version on in every service.
fn next_clone() -> Result<TempDir> {
    let clone = TempDir::new()?;
    let this = workspace_root();
    for folder in ["charts", "examples"] {
        symlink(this.join(folder), clone.path().join(folder))?;
    }
    let write = |file: &str, content: Value| -> Result<()> {
        let path = clone.path().join(file);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        Ok(fs::write(path, content.to_string())?)
    };
    for service in SERVICES {
        write(
            &format!("services/{service}/version.json"),
            json!({"version": NEXT}),
        )?;
    }
    let services: serde_json::Map<_, _> = SERVICES
        .map(|service| (service.to_owned(), json!(NEXT)))
        .into_iter()
        .collect();
    write(
        "services/release.json",
        json!({"version": NEXT, "reachableFrom": "~1.0"}),
    )?;
    write(
        &format!("releases/{NEXT}.json"),
        json!({"version": NEXT, "reachableFrom": "~1.0", "services": services}),
    )?;
    Ok(clone)
}

fn green(playbook: &Said) -> Result<()> {
    ensure!(playbook.code == 0, "{}{}", playbook.stdout, playbook.stderr);
    Ok(())
}

fn nothing_failed(purchases: &Purchases) -> Result<()> {
    println!("  {} purchases meanwhile", purchases.orders.len());
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    ensure!(!purchases.orders.is_empty(), "nobody bought anything");
    Ok(())
}

fn serves(cluster: &Cluster, version: &str) -> Result<()> {
    let shop = cluster.get(&["bigtix", "shop"])?;
    let services = shop["status"]["services"].as_array().cloned().unwrap_or_default();
    ensure!(
        shop["status"]["version"]["current"] == version
            && services.len() == SERVICES.len()
            && services.iter().all(|service| service["version"] == version),
        "{}",
        shop["status"]
    );
    Ok(())
}
