//! `kubectl bigtix`: what it says is so, and what it plans is what then happens.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bigtix_tests::cluster::{Cluster, SYSTEM, Said};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(150);
/// What the operator applies, as kubectl calls it.
const KINDS: &str = "serviceaccounts,configmaps,services,statefulsets,deployments,poddisruptionbudgets,horizontalpodautoscalers,\
                     networkpolicies,ingresses";
const APPLIED: &str = "bigtix.dev/applied-digest";

/// What a look exits with that finds something.
const DIFFERS: i32 = 3;

fn told(said: &Said) -> Result<Value> {
    serde_json::from_str(&said.stdout).with_context(|| format!("{said:?}"))
}

pub(crate) async fn a_shop_is_shown_and_nothing_is_the_matter(cluster: &Cluster) -> Result<()> {
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let status = cluster.bigtix(&["status", "--output", "json"])?;
    let page = told(&status)?;
    ensure!(status.code == 0 && page["state"] == "ready", "{status:?}");
    let parts: Vec<&str> = page["parts"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|part| part["name"].as_str())
        .collect();
    ensure!(
        parts.contains(&"orders") && parts.contains(&"mongodb"),
        "{parts:?}"
    );
    let why = cluster.bigtix(&["why"])?;
    ensure!(why.code == 0 && why.stdout.contains("is as wanted"), "{why:?}");
    let open = cluster.bigtix(&["open", "--print"])?;
    let shop = cluster.get(&["bigtix", "shop"])?;
    ensure!(
        Some(open.stdout.trim()) == shop["status"]["url"].as_str(),
        "{open:?}"
    );
    let logs = cluster.bigtix(&["logs", "orders", "--tail", "3"])?;
    ensure!(logs.code == 0 && !logs.stdout.is_empty(), "{logs:?}");
    let nobody = cluster.bigtix(&["logs", "ordres"])?;
    ensure!(nobody.code == 1 && nobody.stderr.contains("orders"), "{nobody:?}");
    let plan = cluster.bigtix(&["plan"])?;
    ensure!(
        plan.code == 0 && plan.stdout.contains("No object would change"),
        "{plan:?}"
    );
    Ok(())
}

/// Each change is planned, then made; the objects that changed, what they then say was applied, the pods that were replaced
/// and the order of the operator's writes are those of the plan.
pub(crate) async fn a_plan_is_exactly_what_then_happens(cluster: &Cluster) -> Result<()> {
    let changes = [
        ("spec.reservationSeconds=601", json!({"reservationSeconds": 601})),
        (
            "spec.services.web.replicas=2",
            json!({"services": {"web": {"replicas": 2}}}),
        ),
        (
            "spec.networkPolicy.enabled=false",
            json!({"networkPolicy": {"enabled": false}}),
        ),
        (
            "spec.networkPolicy.enabled=true",
            json!({"networkPolicy": {"enabled": true}}),
        ),
        (
            "spec.services.web.replicas=1",
            json!({"services": {"web": {"replicas": 1}}}),
        ),
        ("spec.reservationSeconds=900", json!({"reservationSeconds": 900})),
    ];
    for (set, spec) in changes {
        happens(cluster, set, &spec).with_context(|| set.to_owned())?;
    }
    let refused = cluster.bigtix(&["plan", "--set", "spec.reservationSeconds=0"])?;
    ensure!(
        refused.code == 2 && refused.stderr.contains("reservationSeconds"),
        "{refused:?}"
    );
    Ok(())
}

fn happens(cluster: &Cluster, set: &str, spec: &Value) -> Result<()> {
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let (objects, pods) = (digests(cluster)?, pods(cluster)?);
    let written = writes(cluster)?.len();
    let plan = cluster.bigtix(&["plan", "--set", set, "--output", "json"])?;
    ensure!(plan.code == DIFFERS, "{plan:?}");
    let plan = told(&plan)?;
    let foreseen: Vec<&Value> = plan["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|step| step["action"] != "tell")
        .collect();

    cluster.patch_shop(&json!({"spec": spec}))?;
    let ready = |shop: &bigtix_tests::cluster::Shop| shop.is("Ready") && !shop.is("Progressing");
    cluster.until_shop("carried out", PATIENCE, ready)?;
    let order = || -> Result<Vec<String>> { Ok(writes(cluster)?.split_off(written)) };
    let wanted: Vec<String> = foreseen.iter().map(|step| said(step)).collect();
    cluster.until("every write of the plan is made", PATIENCE, || {
        Ok(order()?.len() >= wanted.len())
    })?;
    ensure!(
        order()? == wanted,
        "planned {wanted:?}, and written was {:?}",
        order()?
    );

    let mut expected = objects;
    for step in &foreseen {
        let text = |field: &str| step[field].as_str().unwrap_or_default().to_owned();
        let key = (text("kind"), text("name"));
        match text("action").as_str() {
            "delete" => drop(expected.remove(&key)),
            _ => drop(expected.insert(key, text("digest"))),
        }
    }
    let present = digests(cluster)?;
    ensure!(
        present == expected,
        "planned {expected:?}, and there is {present:?}"
    );

    let restarted: BTreeSet<&str> = foreseen
        .iter()
        .filter(|step| step["restarts"] == true)
        .filter_map(|step| step["name"].as_str())
        .collect();
    let now = self::pods(cluster)?;
    let is_of = |workload: &str, pod: &String| pod.starts_with(&format!("{workload}-"));
    for pod in &pods {
        let is_planned = restarted.iter().any(|workload| is_of(workload, pod));
        let is_fewer = set.ends_with("replicas=1") && is_of("shop-web", pod);
        ensure!(
            is_planned != now.contains(pod) || is_fewer,
            "{pod} of {pods:?}, now {now:?}, planned {restarted:?}"
        );
    }
    println!(
        "  {set}: {} writes, {} workloads restarted",
        wanted.len(),
        restarted.len()
    );
    Ok(())
}

/// As the operator logs a write.
fn said(step: &Value) -> String {
    let (kind, name) = (
        step["kind"].as_str().unwrap_or_default(),
        step["name"].as_str().unwrap_or_default(),
    );
    let done = if step["action"] == "delete" {
        "deleted"
    } else {
        "applied"
    };
    format!("{kind} {name} {done}")
}

/// What every object of the shop says was applied.
fn digests(cluster: &Cluster) -> Result<BTreeMap<(String, String), String>> {
    let selector = "--selector=app.kubernetes.io/instance=shop,app.kubernetes.io/managed-by=bigtix-operator";
    let found = cluster.get(&[KINDS, selector])?;
    let entry = |object: &Value| {
        let digest = object["metadata"]["annotations"][APPLIED].as_str()?;
        let kind = object["kind"].as_str()?;
        Some((
            (kind.to_owned(), object["metadata"]["name"].as_str()?.to_owned()),
            digest.to_owned(),
        ))
    };
    Ok(found["items"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(entry)
        .collect())
}

fn pods(cluster: &Cluster) -> Result<Vec<String>> {
    let found = cluster.get(&["pods", "--selector=app.kubernetes.io/instance=shop"])?;
    let is_staying = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    let items = found["items"].as_array().into_iter().flatten().filter(is_staying);
    Ok(items
        .filter_map(|pod| Some(pod["metadata"]["name"].as_str()?.to_owned()))
        .collect())
}

/// Every write of the operator to this shop, in order.
fn writes(cluster: &Cluster) -> Result<Vec<String>> {
    let log = cluster
        .within(SYSTEM)
        .run(&["logs", "deployment/bigtix-operator", "--tail=-1"])?;
    let is_ours = |line: &Value| line["namespace"] == cluster.namespace() && line["name"] == "shop";
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let written = lines.filter(|line| line["message"] == "written" && is_ours(line));
    Ok(written
        .filter_map(|line| Some(line["what"].as_str()?.to_owned()))
        .collect())
}

/// An image that does not exist is taken back by the operator; the resource goes on asking for it until somebody goes back.
pub(crate) async fn what_failed_is_explained_and_gone_back_from(cluster: &Cluster) -> Result<()> {
    let upgrade = json!({"progressDeadlineSeconds": 45, "soakSeconds": 5});
    let broken = json!({"payments": {"image": "bigtix.test/nowhere:1"}});
    cluster.patch_shop(&json!({"spec": {"services": broken, "upgrade": upgrade}}))?;
    cluster.until_shop("taken back", PATIENCE, |shop| {
        let (status, reason, _) = shop.condition("Progressing");
        status == "False" && reason == "RolledBack"
    })?;
    let why = cluster.bigtix(&["why"])?;
    ensure!(
        why.code == DIFFERS && why.stdout.contains("was taken back"),
        "{why:?}"
    );
    ensure!(
        why.stdout.contains("kubectl bigtix rollback") && why.stdout.contains("RolloutFailed"),
        "{why:?}"
    );

    let dry = cluster.bigtix(&["rollback", "--dry-run"])?;
    ensure!(dry.code == 0, "{dry:?}");
    let shop = cluster.get(&["bigtix", "shop"])?;
    ensure!(
        shop["spec"]["services"]["payments"]["image"] == "bigtix.test/nowhere:1",
        "a dry run changed it"
    );
    let back = cluster.bigtix(&["rollback", "--output", "json"])?;
    ensure!(back.code == 0 && told(&back)?["release"] == "1.0.0", "{back:?}");
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let shop = cluster.get(&["bigtix", "shop"])?;
    ensure!(
        shop["spec"]["services"]["payments"]["image"].is_null(),
        "{}",
        shop["spec"]["services"]
    );
    let why = cluster.bigtix(&["why"])?;
    ensure!(why.code == 0, "{why:?}");
    let nothing = cluster.bigtix(&["rollback"])?;
    ensure!(
        nothing.code == 1 && nothing.stderr.contains("no release before it"),
        "{nothing:?}"
    );
    Ok(())
}
