//! From three lines to a purchase.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bigtix_testkit::golden::workspace_root;
use bigtix_tests::cluster::{Cluster, Customer};
use serde_json::{Value, json};

/// From the resource to a shop that serves users, with images at hand.
const INSTALL: Duration = Duration::from_secs(90);
/// How long a shop is watched doing nothing.
const REST: Duration = Duration::from_secs(120);

/// The smallest shop, with stores of this cluster's own images.
pub(crate) fn resource() -> Value {
    json!({
        "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"},
        "spec": {
            "version": "1.0.0",
            "mongodb": {"managed": {"image": "bigtix.test/mongod:6.0.5", "version": "6.0"}},
            "nats": {"managed": {"image": "bigtix.test/nats-server:2.15.2", "version": "2.15"}},
            "redis": {"managed": {"image": "bigtix.test/redis-server:7.0.15", "version": "7.0"}},
        },
    })
}

pub(crate) async fn a_shop_of_three_lines_is_ready_within_ninety_seconds(cluster: &Cluster) -> Result<()> {
    cluster.fresh_namespace()?;
    cluster.apply(&resource())?;
    let took = cluster.until_shop("Ready", INSTALL, |shop| shop.is("Ready"))?;
    println!("  ready after {:.0} s", took.as_secs_f64());
    let pods = cluster.get(&["pods"])?;
    for pod in pods["items"].as_array().into_iter().flatten() {
        let name = &pod["metadata"]["name"];
        let restarts = &pod["status"]["containerStatuses"][0]["restartCount"];
        ensure!(
            pod["status"]["phase"] == "Running" && *restarts == 0,
            "{name}: {}",
            pod["status"]
        );
    }
    Ok(())
}

pub(crate) async fn a_ticket_is_bought_through_the_ingress(_: &Cluster) -> Result<()> {
    let (seller, buyer, late) = (
        Customer::new().await?,
        Customer::new().await?,
        Customer::new().await?,
    );
    let ticket = seller.lists().await?;
    buyer.buys(&ticket).await?;
    let wish = json!({"ticketId": ticket});
    late.ask(reqwest::Method::POST, "/api/orders", Some(wish), 400)
        .await?;
    Ok(())
}

/// The same script that a new user runs on one machine; the double for Stripe is reached as kubectl forwards it.
pub(crate) async fn the_example_is_followed_through_the_ingress(cluster: &Cluster) -> Result<()> {
    let mut forward = cluster
        .command(&["port-forward", "service/shop-stripe", ":8420"])
        .stdout(Stdio::piped())
        .spawn()?;
    // Kept open to the end: it goes on to say what it forwards.
    let mut said = BufReader::new(forward.stdout.take().context("its output")?);
    let mut line = String::new();
    let followed = match said.read_line(&mut line) {
        Ok(_) => follow_the_example(&line),
        Err(error) => Err(error.into()),
    };
    forward.kill()?;
    forward.wait()?;
    followed
}

fn follow_the_example(forwarded: &str) -> Result<()> {
    let address = forwarded
        .split_whitespace()
        .find(|word| word.starts_with("127.0.0.1:"))
        .with_context(|| format!("an address in {forwarded:?}"))?;
    // A machine of its own would find the shop by its name; this one is told where it is.
    let home = tempfile::tempdir()?;
    fs::write(
        home.path().join(".curlrc"),
        "resolve = \"bigtix.localhost:80:198.51.100.2\"\n",
    )?;
    let script = workspace_root().join("examples/buy-a-ticket.sh");
    let output = Command::new(script)
        .env("BIGTIX_URL", "http://bigtix.localhost")
        .env("BIGTIX_STRIPE", format!("http://{address}"))
        .env("CURL_HOME", home.path())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.contains("Everything went as it should."),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

pub(crate) async fn a_shop_at_rest_costs_no_write(cluster: &Cluster) -> Result<()> {
    // What came before may have left something to do.
    let quiet = || {
        Ok(cluster
            .audit_log()
            .writes_within(Duration::from_secs(10))?
            .is_empty())
    };
    cluster.until("a quiet moment", REST, quiet)?;
    let writes = cluster.audit_log().writes_within(REST)?;
    let writes: Vec<String> = writes.iter().map(|request| request.described()).collect();
    ensure!(writes.is_empty(), "{writes:?}");
    Ok(())
}

pub(crate) async fn a_secret_that_is_missing_is_asked_for(cluster: &Cluster) -> Result<()> {
    let other = cluster.within("shop-without-a-secret");
    other.fresh_namespace()?;
    let mut shop = resource();
    shop["spec"]["payments"] = json!({"secretName": "stripe"});
    shop["spec"]["ingress"] = json!({"enabled": false});
    other.apply(&shop)?;
    other.until_shop("asked for", INSTALL, |shop| {
        let (status, reason, message) = shop.condition("Ready");
        status == "False" && reason == "SecretMissing" && message.contains("Secret stripe does not exist")
    })?;
    let entries = [
        "--from-literal=secretKey=sk_test_x",
        "--from-literal=webhookSecret=whsec_x",
        "--from-literal=publishableKey=pk_test_x",
    ];
    other.run(&[&["create", "secret", "generic", "stripe"], entries.as_slice()].concat())?;
    other.until_shop("Ready with it", INSTALL, |shop| shop.is("Ready"))?;
    other.remove_namespace()
}

/// Each of `examples/invalid` says in its first comment what is wrong; the API server refuses those that it can judge.
pub(crate) async fn broken_resources_are_refused_by_the_api_server(cluster: &Cluster) -> Result<()> {
    let folder = workspace_root().join("examples/invalid");
    let mut refused = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?.to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        // A change that is not allowed is in two documents: what was, and what is refused.
        if text.contains("\n---") {
            continue;
        }
        let arguments = ["create", "--dry-run=server", "--validate=strict", "--filename=-"];
        match cluster.feed(&arguments, &text) {
            Err(_) => refused += 1,
            Ok(_) => ensure!(
                ONLY_THE_OPERATOR_KNOWS.contains(&name.as_str()),
                "{name} is accepted"
            ),
        }
    }
    ensure!(refused > 40, "only {refused} were refused");
    Ok(())
}

/// What a schema cannot know: the operator says it in the condition `SpecValid`.
const ONLY_THE_OPERATOR_KNOWS: &[&str] = &[
    "an-unknown-release.yaml",
    "a-request-above-its-limit.yaml",
    "a-window-in-no-time-zone.yaml",
];
