//! What a Job's pod does, as the users of the database that the operator makes for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use bigtix_crds::{Platform, from_value, validate};
use bigtix_operator::backups::outcome::{Archive, Outcome};
use bigtix_operator::build::mongodb::{User, roles};
use bigtix_testkit::stores::{Mongod, StoresConfig};
use bson::{Document, doc};
use mongodb::Client;
use serde_json::json;

const PASSWORD: &str = "p0123456789";
const SERVICES: [&str; 5] = ["auth", "tickets", "orders", "payments", "expiration"];

/// A shop's database, and a folder for archives.
struct World {
    mongod: Mongod,
    admin: Client,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        bigtix_service::tls::use_ring();
        let folder = tempfile::tempdir().expect("a folder");
        let mut config = StoresConfig::new(folder.path().join("shop"), SERVICES);
        config.on_ready = std::sync::Arc::new(|_, _| {});
        let mongod = Mongod::start(&config).await.expect("mongod");
        let admin = Client::with_uri_str(mongod.admin_uri()).await.expect("a client");
        for user in [User::Reader, User::Writer] {
            let make = doc! {"createUser": user.as_str(), "pwd": PASSWORD, "roles": roles(user, &platform())};
            admin.database("admin").run_command(make).await.expect("a user");
        }
        Self {
            mongod,
            admin,
            folder,
        }
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archives/monday-1a2b3c4d")
    }

    async fn sells(&self, order: i32) {
        let orders = self.admin.database("orders").collection("orders");
        orders.insert_one(doc! {"_id": order}).await.expect("an insert");
    }

    async fn orders(&self) -> u64 {
        let orders = self.admin.database("orders").collection::<Document>("orders");
        orders.count_documents(doc! {}).await.expect("a count")
    }

    /// Runs the program as that user; what it leaves.
    fn run(&self, task: &str, user: User) -> Outcome {
        let words = self.folder.path().join("last-words");
        let address = self.address();
        let uri = format!(
            "mongodb://{}:{PASSWORD}@{address}/?directConnection=true&authSource=admin",
            user.as_str()
        );
        let mut command = Command::new(env!("CARGO_BIN_EXE_bigtix-operator"));
        command.args(["backup", task]).arg(self.archive());
        command.arg("--outcome").arg(&words).env("MONGODB_URI", uri);
        if task != "delete" {
            command.args(SERVICES.map(|service| format!("--service={service}=1.0.0")));
        }
        let output = command.output().expect("it runs");
        let outcome = read(&words);
        let is_failure = matches!(outcome, Outcome::Failed(_));
        assert_eq!(output.status.success(), !is_failure, "{outcome:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(PASSWORD) && output.stdout.is_empty(), "{said}");
        outcome
    }

    fn address(&self) -> String {
        let uri = self.mongod.admin_uri();
        let (_, rest) = uri.split_once('@').expect("credentials");
        rest.split(['/', '?']).next().expect("an address").to_owned()
    }
}

fn read(words: &Path) -> Outcome {
    let text = std::fs::read_to_string(words).expect("last words");
    Outcome::read(&text).unwrap_or_else(|| panic!("{text}"))
}

fn platform() -> Platform {
    let resource = from_value(json!({
        "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"},
        "spec": {"version": "1.0.0", "backup": {"volume": {}}},
    }));
    validate(&resource.expect("a resource")).expect("a platform")
}

#[tokio::test]
async fn what_was_there_comes_back_by_users_who_may_no_more_than_that() {
    let world = World::new().await;
    world.sells(1).await;
    let Outcome::Done(Archive {
        taken_at, documents, ..
    }) = world.run("take", User::Reader)
    else {
        panic!("no backup");
    };
    assert_eq!(documents, 1);
    world.sells(2).await;
    // A pod that is begun again finds what the one before it has finished.
    let Outcome::Done(again) = world.run("take", User::Reader) else {
        panic!("no backup");
    };
    assert_eq!((again.taken_at, again.documents), (taken_at, 1));

    let Outcome::Failed(failure) = world.run("restore", User::Reader) else {
        panic!("who reads has written");
    };
    assert!(failure.changed, "nobody knows how far it got: {failure:?}");
    assert_eq!(world.orders().await, 2);

    assert!(matches!(world.run("restore", User::Writer), Outcome::Done(_)));
    assert_eq!(world.orders().await, 1);
    for _ in 0..2 {
        assert_eq!(world.run("delete", User::Reader), Outcome::Deleted);
        assert!(!world.archive().exists());
    }
    let Outcome::Failed(failure) = world.run("restore", User::Writer) else {
        panic!("there is no archive");
    };
    assert!(!failure.changed, "{failure:?}");
    world.mongod.stop().await;
}

#[tokio::test]
async fn a_part_of_an_archive_is_begun_anew_and_a_shop_that_runs_is_not_touched() {
    let world = World::new().await;
    world.sells(1).await;
    std::fs::create_dir_all(world.archive().join("orders")).expect("a folder");
    std::fs::write(world.archive().join("orders/orders.bson.gz"), "half").expect("a file");
    assert!(matches!(world.run("take", User::Reader), Outcome::Done(_)));

    let leases = world
        .admin
        .database("orders")
        .collection::<Document>(bigtix_service::lease::COLLECTION);
    let held = doc! {"_id": "instance", "until": bson::DateTime::from_millis(4_000_000_000_000)};
    leases.insert_one(held).await.expect("an insert");
    let Outcome::Failed(failure) = world.run("restore", User::Writer) else {
        panic!("orders runs");
    };
    assert!(
        !failure.changed && failure.error.contains("orders runs"),
        "{failure:?}"
    );
    world.mongod.stop().await;
}
