//! The same with an object store in place of a folder.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bigtix_testkit::stores::Versitygw;
use serde_json::Value;
use tempfile::TempDir;

use super::market::{ballast, list_tickets, rows, sign_in, sign_up};
use super::{down, up};
use crate::machine::{Machine, Said, kill};

const MONDAY: &str = "s3://shop-backups/shops/monday";

/// An object store with one bucket.
struct Bucket {
    store: Versitygw,
    objects: PathBuf,
    _dir: TempDir,
}

impl Bucket {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Versitygw::start(dir.path()).await.unwrap();
        let objects = store.make_bucket("shop-backups").unwrap();
        Self {
            store,
            objects,
            _dir: dir,
        }
    }

    fn command(&self, machine: &Machine, arguments: &[&str]) -> Command {
        let mut command = machine.command(arguments);
        command.envs(self.store.environment());
        command
    }

    fn bigtix(&self, machine: &Machine, arguments: &[&str]) -> Said {
        Said::by(&mut self.command(machine, arguments))
    }

    /// Where the store keeps an object of the archive.
    fn object(&self, file: &str) -> PathBuf {
        self.objects.join("shops/monday").join(file)
    }
}

#[tokio::test]
async fn a_shop_comes_back_from_a_bucket() {
    let bucket = Bucket::new().await;
    let old = Machine::new();
    up(&old);
    let ann = sign_up(&old, "ann").await;
    list_tickets(&ann, 50).await;
    let tickets = rows(&old, "tickets", "tickets", bson::doc! {}).await;
    let said = bucket.bigtix(&old, &["backup", "--to", MONDAY]);
    assert!(
        said.code == 0
            && said
                .stdout
                .contains(&format!("{MONDAY} was written and read back")),
        "{said:?}"
    );
    let again = bucket.bigtix(&old, &["backup", "--to", MONDAY]);
    assert!(
        again.code == 1 && again.stderr.contains("holds something already"),
        "{again:?}"
    );
    down(&old);
    drop(old);

    let new = Machine::new();
    let verified = bucket.bigtix(&new, &["backup", "--verify", MONDAY, "--output", "json"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    let verified: Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(verified["archive"], MONDAY);
    assert_eq!(
        verified["services"]["tickets"]["collections"]["tickets"]["documents"],
        50
    );
    let restored = bucket.bigtix(&new, &["restore", "--from", MONDAY]);
    assert_eq!(restored.code, 0, "{restored:?}");
    up(&new);
    sign_in(&new, "ann").await;
    assert_eq!(rows(&new, "tickets", "tickets", bson::doc! {}).await, tickets);
}

#[tokio::test]
async fn what_is_damaged_or_unfinished_in_a_bucket_is_no_backup() {
    let bucket = Bucket::new().await;
    let machine = Machine::new();
    up(&machine);
    sign_up(&machine, "ann").await;
    // The last collection of the last database.
    ballast(&machine, "tickets").await;

    let mut killed = bucket.command(&machine, &["backup", "--to", MONDAY]);
    let mut killed = killed.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(killed.stdout.take().unwrap()).lines();
    let began = lines
        .map_while(Result::ok)
        .find(|line| line.trim_start().starts_with("auth/users"));
    assert!(began.is_some());
    kill(u64::from(killed.id()));
    killed.wait().unwrap();
    assert!(bucket.object("auth/users.bson.gz").exists());
    refused(&bucket, "no finished backup");

    let taken = bucket.bigtix(&machine, &["backup", "--to", MONDAY]);
    assert!(taken.code == 1 && taken.stderr.contains("already"), "{taken:?}");
    fs::remove_dir_all(bucket.object("")).unwrap();
    let whole = bucket.bigtix(&machine, &["backup", "--to", MONDAY]);
    assert_eq!(whole.code, 0, "{whole:?}");
    for (file, at) in [
        ("auth/users.bson.gz", 60),
        ("manifest.json", 20),
        ("SHA256SUMS", 3),
    ] {
        let path = bucket.object(file);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        refused(&bucket, "is damaged");
        fs::write(&path, &whole).unwrap();
    }
    fs::remove_file(bucket.object("auth/users.bson.gz")).unwrap();
    refused(&bucket, "it is missing");
    fs::remove_file(bucket.object("SHA256SUMS")).unwrap();
    refused(&bucket, "no finished backup");
}

/// Neither said to be whole nor restored.
fn refused(bucket: &Bucket, why: &str) {
    let nobody = Machine::new();
    let verified = bucket.bigtix(&nobody, &["backup", "--verify", MONDAY]);
    assert!(
        verified.code == 1 && verified.stderr.contains(why),
        "{verified:?}"
    );
    let restored = bucket.bigtix(&nobody, &["restore", "--from", MONDAY]);
    assert!(
        restored.code == 1
            && restored.stderr.contains(why)
            && restored.stderr.contains("Nothing was changed"),
        "{restored:?}"
    );
    assert!(!nobody.data().exists());
}

#[tokio::test]
async fn a_store_that_refuses_is_quoted_without_what_is_secret() {
    let bucket = Bucket::new().await;
    let machine = Machine::new();
    up(&machine);
    let wrong = "a-secret-key-that-opens-nothing";
    let mut backup = bucket.command(&machine, &["backup", "--to", MONDAY]);
    let refused = Said::by(backup.env("AWS_SECRET_ACCESS_KEY", wrong));
    let elsewhere = bucket.bigtix(&machine, &["backup", "--to", "s3://no-such-bucket/monday"]);
    for (said, why) in [(refused, "SignatureDoesNotMatch"), (elsewhere, "NoSuchBucket")] {
        assert!(
            said.code == 1 && said.stderr.contains(why) && said.stderr.contains("There is no backup"),
            "{said:?}"
        );
        for secret in [wrong, Versitygw::ACCESS_KEY, bucket.store.secret_key()] {
            assert!(!format!("{said:?}").contains(secret), "{said:?}");
        }
    }
    let misspelt = bucket.bigtix(&machine, &["backup", "--to", "s4://shop-backups/monday"]);
    assert!(
        misspelt.code == 2 && misspelt.stderr.contains("s3://BUCKET/KEY"),
        "{misspelt:?}"
    );
}
