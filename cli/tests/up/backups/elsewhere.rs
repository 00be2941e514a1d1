//! The same for a shop of which only the database is reached.

use std::process::Command;

use bigtix_testkit::stores::{Mongod, StoresConfig};

use super::market::{sign_in, sign_up};
use super::{down, elsewhere, up};
use crate::machine::{Machine, Said};

const SERVICES: [&str; 5] = ["auth", "expiration", "orders", "payments", "tickets"];

/// Runs it with every service at this version, for the databases at `uri`.
fn bigtix(uri: &str, version: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bigtix"));
    command.args(arguments).env("MONGODB_URI", uri);
    for service in SERVICES {
        command.arg("--service").arg(format!("{service}={version}"));
    }
    Said::by(&mut command)
}

fn refused(said: &Said, why: &str) {
    assert!(
        said.code == 1 && said.stderr.contains(why) && said.stderr.contains("Nothing was changed"),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_shop_is_backed_up_and_restored_by_its_database_alone() {
    let (_kept, archive) = elsewhere();
    let archive = archive.to_str().unwrap();
    let old = Machine::new();
    up(&old);
    sign_up(&old, "ann").await;
    let uri = old.run_file().unwrap()["mongodb"]["uri"]
        .as_str()
        .unwrap()
        .to_owned();
    let said = bigtix(&uri, "1.0.0", &["backup", "--to", archive]);
    assert!(said.code == 0 && said.stdout.contains("read back"), "{said:?}");
    sign_up(&old, "bob").await;
    refused(
        &bigtix(&uri, "1.0.0", &["restore", "--from", archive, "--replace"]),
        "auth runs on its database",
    );
    sign_in(&old, "bob").await;
    down(&old);

    let new = Machine::new();
    up(&new);
    down(&new);
    let mongod = Mongod::start(&StoresConfig::new(new.data(), SERVICES))
        .await
        .unwrap();
    let uri = mongod.admin_uri();
    refused(
        &bigtix(&uri, "0.9.0", &["restore", "--from", archive]),
        "written by auth 1.0.0",
    );
    let restored = bigtix(&uri, "1.0.0", &["restore", "--from", archive]);
    assert_eq!(restored.code, 0, "{restored:?}");
    refused(
        &bigtix(&uri, "1.0.0", &["restore", "--from", archive]),
        "--replace",
    );
    let replaced = bigtix(&uri, "1.0.0", &["restore", "--from", archive, "--replace"]);
    assert_eq!(replaced.code, 0, "{replaced:?}");
    mongod.stop().await;
    up(&new);
    sign_in(&new, "ann").await;
}

#[tokio::test]
async fn a_backup_without_one_of_the_services_is_none() {
    let (_kept, archive) = elsewhere();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bigtix"));
    command
        .args(["backup", "--service", "orders=1.0.0", "--to"])
        .arg(&archive);
    let said = Said::by(command.env("MONGODB_URI", "mongodb://nobody.test"));
    assert!(
        said.code == 1 && said.stderr.contains("--service auth=VERSION"),
        "{said:?}"
    );
    let nowhere = Machine::new();
    let said = nowhere.bigtix(&["backup", "--service", "orders=1.0.0"]);
    assert!(said.code == 2 && said.stderr.contains("--data"), "{said:?}");
    assert!(!archive.exists());
}
