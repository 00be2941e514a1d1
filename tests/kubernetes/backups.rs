//! Backups and restores as their users ask for them: by kubectl.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use anyhow::{Context, Result, ensure};
use bigtix_testkit::stores::Versitygw;
use bigtix_tests::cluster::{Cluster, Customer, MACHINE_ADDRESS};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A pod of a Job begins, works for seconds, and ends.
const WORK: Duration = Duration::from_secs(120);
/// Services stop for a minute at most and start one after the other.
const RESTORE: Duration = Duration::from_secs(300);
/// Two times of the schedule, and the work.
const TWO_MINUTES_OF_A_SCHEDULE: Duration = Duration::from_secs(240);

pub(crate) async fn a_restore_brings_back_what_was_bought_and_nothing_that_came_later(
    cluster: &Cluster,
) -> Result<()> {
    cluster.patch_shop(&json!({"spec": {"backup": {"keep": 1, "volume": {"size": "1Gi"}}}}))?;
    cluster.until_shop("Ready", WORK, |shop| shop.is("Ready"))?;
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    let order = buyer.buys(&seller.lists().await?).await?;
    let bought = shown(&buyer, &order).await?;

    cluster.apply(&request("BigTixBackup", "before", &json!({"shop": "shop"})))?;
    let took = until_complete(cluster, "bigtixbackup/before", WORK)?;
    println!("  backed up after {:.0} s", took.as_secs_f64());
    let status = cluster.get(&["bigtixbackup/before"])?["status"].clone();
    ensure!(status["documents"].as_i64() > Some(5), "{status}");

    let later = seller.lists().await?;
    let lost = buyer.buys(&later).await?;
    let restore = json!({"shop": "shop", "backup": "before"});
    cluster.apply(&request("BigTixRestore", "back", &restore))?;
    cluster.until_shop("the shop says so", WORK, |shop| {
        shop.condition("Ready").1 == "Restoring"
    })?;
    let took = until_complete(cluster, "bigtixrestore/back", RESTORE)?;
    cluster.until_shop("Ready", RESTORE, |shop| shop.is("Ready"))?;
    println!("  restored after {:.0} s", took.as_secs_f64());

    // Every session has ended with the restore.
    buyer
        .ask(Method::GET, &format!("/api/orders/{order}"), None, 401)
        .await?;
    let buyer = buyer.signs_in().await?;
    ensure!(
        shown(&buyer, &order).await? == bought,
        "order {order} is another one"
    );
    for path in [format!("/api/orders/{lost}"), format!("/api/tickets/{later}")] {
        buyer.ask(Method::GET, &path, None, 404).await?;
    }
    let seller = seller.signs_in().await?;
    buyer.buys(&seller.lists().await?).await?;
    cluster.run(&["delete", "bigtixbackup/before", "--timeout=120s"])?;
    cluster
        .run(&["delete", "bigtixrestore/back", "--timeout=60s"])
        .map(drop)
}

pub(crate) async fn a_schedule_makes_backups_and_keeps_as_many_as_it_says(cluster: &Cluster) -> Result<()> {
    let every_minute = json!({"schedule": "* * * * *", "keep": 1, "volume": {"size": "1Gi"}});
    cluster.patch_shop(&json!({"spec": {"backup": every_minute}}))?;
    cluster.until("one is complete", TWO_MINUTES_OF_A_SCHEDULE, || {
        Ok(!complete(cluster)?.is_empty())
    })?;
    let first = complete(cluster)?.into_iter().next().context("the first")?;
    cluster.until("the next one is in its place", TWO_MINUTES_OF_A_SCHEDULE, || {
        let names = complete(cluster)?;
        Ok(!names.is_empty() && !names.contains(&first))
    })?;
    cluster.until_shop("they are well", WORK, |shop| shop.is("BackupHealthy"))?;
    let status = cluster.get(&["bigtix", "shop"])?["status"]["backup"].clone();
    ensure!(
        status["lastSuccessfulTime"].is_string() && status["nextTime"].is_string(),
        "{status}"
    );
    cluster.patch_shop(&json!({"spec": {"backup": {"schedule": null}}}))?;
    cluster.until_shop("no schedule", WORK, |shop| {
        shop.condition("BackupHealthy").0.is_empty()
    })?;
    cluster.run(&["delete", "bigtixbackups", "--all", "--timeout=180s"])?;
    cluster.patch_shop(&json!({"spec": {"backup": null}}))?;
    cluster
        .until_shop("Ready", WORK, |shop| shop.is("Ready"))
        .map(drop)
}

pub(crate) async fn what_is_in_a_bucket_is_restored_and_goes_with_its_backup(
    cluster: &Cluster,
) -> Result<()> {
    let store = Store::start(cluster).await?;
    let bucket = store.make_bucket()?;
    cluster.patch_shop(&json!({"spec": {"backup": store.place()}}))?;
    cluster.until_shop("Ready", WORK, |shop| shop.is("Ready"))?;
    let (seller, buyer) = (Customer::new().await?, Customer::new().await?);
    let order = buyer.buys(&seller.lists().await?).await?;
    let bought = shown(&buyer, &order).await?;

    cluster.apply(&request("BigTixBackup", "in-a-bucket", &json!({"shop": "shop"})))?;
    until_complete(cluster, "bigtixbackup/in-a-bucket", WORK)?;
    let archives = || folders(&bucket.join(cluster.namespace()));
    ensure!(
        matches!(archives()?.as_slice(), [name] if name.starts_with("in-a-bucket-")),
        "{:?}",
        archives()?
    );
    let later = seller.lists().await?;
    restore(cluster, "shop", "in-a-bucket").await?;
    let buyer = buyer.signs_in().await?;
    ensure!(
        shown(&buyer, &order).await? == bought,
        "order {order} is another one"
    );
    buyer
        .ask(Method::GET, &format!("/api/tickets/{later}"), None, 404)
        .await?;
    cluster.run(&["delete", "bigtixbackup/in-a-bucket", "--timeout=120s"])?;
    ensure!(archives()?.is_empty(), "{:?}", archives()?);
    cluster.patch_shop(&json!({"spec": {"backup": null}}))?;
    cluster.until_shop("Ready", WORK, |shop| shop.is("Ready"))?;
    store.stop().await;
    Ok(())
}

/// An object store on this machine, whose keys the namespace has.
pub(crate) struct Store {
    server: Versitygw,
    _folder: TempDir,
}

impl Store {
    const BUCKET: &str = "archives";
    const SECRET: &str = "bucket";

    pub(crate) async fn start(cluster: &Cluster) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let server = Versitygw::start_at(MACHINE_ADDRESS, folder.path()).await?;
        cluster.apply(&json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": Self::SECRET},
            "stringData": {"accessKeyId": Versitygw::ACCESS_KEY, "secretAccessKey": server.secret_key()},
        }))?;
        Ok(Self {
            server,
            _folder: folder,
        })
    }

    pub(crate) fn make_bucket(&self) -> Result<PathBuf> {
        Ok(self.server.make_bucket(Self::BUCKET)?)
    }

    /// As a shop names it.
    pub(crate) fn place(&self) -> Value {
        let url = self.server.url();
        json!({"s3": {"bucket": Self::BUCKET, "endpoint": url, "secretName": Self::SECRET}})
    }

    pub(crate) async fn stop(&self) {
        self.server.stop().await;
    }
}

/// The names of the folders in a folder that may not be there.
pub(crate) fn folders(folder: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

/// Restores a shop, and waits until it is ready again.
pub(crate) async fn restore(cluster: &Cluster, shop: &str, backup: &str) -> Result<()> {
    let name = format!("into-{shop}");
    let spec = json!({"shop": shop, "backup": backup});
    cluster.apply(&request("BigTixRestore", &name, &spec))?;
    let took = until_complete(cluster, &format!("bigtixrestore/{name}"), RESTORE)?;
    println!("  restored after {:.0} s", took.as_secs_f64());
    cluster.until_shop_named(shop, "Ready", RESTORE, |shop| shop.is("Ready"))?;
    cluster
        .run(&["delete", &format!("bigtixrestore/{name}"), "--timeout=60s"])
        .map(drop)
}

pub(crate) fn request(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

pub(crate) async fn shown(buyer: &Customer, order: &str) -> Result<Value> {
    buyer
        .ask(Method::GET, &format!("/api/orders/{order}"), None, 200)
        .await
}

/// Waits for a request's end, which has to be a good one.
pub(crate) fn until_complete(cluster: &Cluster, what: &str, patience: Duration) -> Result<Duration> {
    cluster.until(&format!("{what} is complete"), patience, || {
        let conditions = cluster.get(&[what])?["status"]["conditions"].clone();
        ensure!(!is_true(&conditions, "Failed"), "{what}: {conditions}");
        Ok(is_true(&conditions, "Complete"))
    })
}

pub(crate) fn is_true(conditions: &Value, type_: &str) -> bool {
    let mut conditions = conditions.as_array().into_iter().flatten();
    conditions.any(|said| said["type"] == type_ && said["status"] == "True")
}

/// The names of the schedule's backups that are complete.
fn complete(cluster: &Cluster) -> Result<Vec<String>> {
    let found = cluster.get(&["bigtixbackups", "--selector=bigtix.dev/scheduled"])?;
    let found = found["items"].as_array().into_iter().flatten();
    let complete = found.filter(|backup| is_true(&backup["status"]["conditions"], "Complete"));
    let names = complete.filter_map(|backup| backup["metadata"]["name"].as_str());
    Ok(names.map(str::to_owned).collect())
}
