//! The chart: what it renders, and that the operator can come and go while tickets are bought.

use std::time::Duration;

use anyhow::{Result, ensure};
use bigtix_testkit::golden::workspace_root;
use bigtix_tests::cluster::{Cluster, SYSTEM, Shopping};

const PATIENCE: Duration = Duration::from_secs(120);
/// What the chart is rendered with: nothing, and everything that changes what it makes.
const VALUES: &[&[&str]] = &[
    &[],
    &["--set=watchNamespaces={bigtix-system}"],
    &["--set=crds.install=false", "--set=replicas=2"],
    &[
        "--set=dashboards.enabled=true",
        "--set=dashboards.annotations.folder=Shop",
    ],
    &["--set-json=releases={\"1.1.0.json\":\"{}\"}"],
];

pub(crate) async fn it_is_linted_and_what_it_renders_is_accepted(cluster: &Cluster) -> Result<()> {
    let system = cluster.within(SYSTEM);
    let chart = chart();
    for values in VALUES {
        system.helm(&[&["lint", "--strict", &chart], *values].concat())?;
        let rendered =
            system.helm(&[&["template", "bigtix", &chart, "--kube-version=1.34.4"], *values].concat())?;
        system.feed(
            &[
                "apply",
                "--server-side",
                "--force-conflicts",
                "--dry-run=server",
                "--filename=-",
            ],
            &rendered,
        )?;
    }
    let wrong = system.helm(&["lint", "--strict", &chart, "--set=replicas=many"]);
    ensure!(wrong.is_err(), "a value that is no number is accepted");
    Ok(())
}

/// Whoever lets the operator look after one namespace gives it no Secret of another.
pub(crate) async fn an_operator_of_one_namespace_reads_no_secret_elsewhere(cluster: &Cluster) -> Result<()> {
    let narrow = cluster.within("bigtix-narrow");
    narrow.fresh_namespace()?;
    let namespaces = format!("--set=watchNamespaces={{{}}}", cluster.namespace());
    let arguments = [
        "install",
        "narrow",
        &chart(),
        &namespaces,
        "--set=crds.install=false",
        "--set=replicas=0",
    ];
    narrow.helm(&arguments)?;
    let account = format!(
        "--as=system:serviceaccount:{}:bigtix-operator",
        narrow.namespace()
    );
    let may = |namespace: &str, verb: &str| {
        // It answers `no` with a status that is none of success.
        let answer = cluster
            .within(namespace)
            .run(&["auth", "can-i", verb, "secrets", &account]);
        answer.is_ok_and(|answer| answer.trim() == "yes")
    };
    ensure!(
        may(cluster.namespace(), "get"),
        "it may not read those that it needs"
    );
    for elsewhere in ["default", "kube-system", SYSTEM] {
        for verb in ["get", "list", "watch"] {
            ensure!(!may(elsewhere, verb), "it may {verb} Secrets in {elsewhere}");
        }
    }
    narrow.helm(&["uninstall", "narrow", "--wait"])?;
    narrow
        .run(&["delete", "namespace", narrow.namespace(), "--timeout=60s"])
        .map(drop)
}

/// Upgraded, taken away and installed again: the shop sells on, no pod of it restarts, and its resource stays.
pub(crate) async fn it_is_upgraded_taken_away_and_installed_while_tickets_are_bought(
    cluster: &Cluster,
) -> Result<()> {
    let system = cluster.within(SYSTEM);
    let pods = || cluster.run(&["get", "pods", "--output=jsonpath={.items[*].metadata.uid}"]);
    let before = pods()?;
    let shopping = Shopping::begin().await?;
    system.helm(&[
        "upgrade",
        "bigtix",
        &chart(),
        "--set=podAnnotations.upgraded=yes",
        "--wait",
        "--timeout=2m",
    ])?;
    system.helm(&["test", "bigtix", "--timeout=2m"])?;
    system.helm(&["uninstall", "bigtix", "--wait", "--timeout=2m"])?;
    cluster.run(&["get", "bigtix/shop"])?;
    system.helm(&["install", "bigtix", &chart(), "--wait", "--timeout=2m"])?;
    // It has something to do, and does it.
    cluster.run(&["delete", "serviceaccount/shop-auth"])?;
    cluster.until("the new operator works", PATIENCE, || {
        Ok(cluster.run(&["get", "serviceaccount/shop-auth"]).is_ok())
    })?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let purchases = shopping.end().await?;
    println!("  {} purchases meanwhile", purchases.orders.len());
    ensure!(purchases.failures.is_empty(), "{:?}", purchases.failures);
    ensure!(pods()? == before, "pods of the shop were replaced");
    Ok(())
}

fn chart() -> String {
    let folder = workspace_root().join("charts/bigtix");
    folder.to_string_lossy().into_owned()
}
