//! docs/kubernetes.md, typed as it stands there: what it says of a shop that runs. What comes before that needs kind and
//! Docker, and what it says of images does.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use bigtix_testkit::golden::workspace_root;
use bigtix_tests::book::page::blocks;
use bigtix_tests::book::steps::written;
use bigtix_tests::cluster::Cluster;
use serde_json::json;

const PAGE: &str = "docs/kubernetes.md";
const SECTIONS: [&str; 5] = ["Looking", "Changing", "Pause", "Hibernate", "Restart"];
const PATIENCE: Duration = Duration::from_secs(240);

pub(crate) async fn what_the_tutorial_says_is_typed_and_the_shop_is_ready_after_it(
    cluster: &Cluster,
) -> Result<()> {
    let page = fs::read_to_string(workspace_root().join(PAGE))?;
    let is_settled = |shop: &bigtix_tests::cluster::Shop| shop.is("Ready") && !shop.is("Progressing");
    cluster.until_shop("Ready to begin with", PATIENCE, is_settled)?;
    for title in SECTIONS {
        let typed = commands(&page, title)?;
        ensure!(!typed.is_empty(), "{title} has no commands any more");
        for command in typed {
            let said = cluster.types(&command)?;
            ensure!(said.code == 0, "{title}: {command}{said:?}");
        }
        cluster.until_shop(title, PATIENCE, is_settled)?;
    }
    let spec = &cluster.get(&["bigtix", "shop"])?["spec"];
    ensure!(spec["reservationSeconds"] == 600, "it did not change: {spec}");
    let back =
        json!({"reservationSeconds": 900, "restartAt": null, "services": {"orders": {"replicas": null}}});
    cluster.patch_shop(&json!({"spec": back}))?;
    cluster.until_shop("as it was", PATIENCE, is_settled)?;
    Ok(())
}

/// The blocks of commands below a heading.
fn commands(page: &str, title: &str) -> Result<Vec<String>> {
    let start = format!("\n## {title}\n");
    let (_, after) = page
        .split_once(&start)
        .with_context(|| format!("{PAGE} has no section {title}"))?;
    let section = after.split_once("\n## ").map_or(after, |(section, _)| section);
    let blocks = blocks(section).map_err(|why| anyhow!("{title}: {why}"))?;
    let written = written(&blocks).map_err(|why| anyhow!("{title}: {why}"))?;
    Ok(written.into_iter().map(|(_, _, text)| text).collect())
}
