//! `kubectl bigtix` as a person runs it, in front of an API server that has one shop and nothing else: what is asked for,
//! what is said, and with which exit code. What an operator makes of it is tested on a real Kubernetes.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod server;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use bigtix_testkit::eventually;
use serde_json::{Value, json};
use server::Server;
use tempfile::TempDir;

/// A kubeconfig, and the program under the name by which kubectl finds it.
struct Person(TempDir);

struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Person {
    fn before(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": server.url}}], "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": "tickets"}}],
        });
        fs::write(folder.path().join("kubeconfig"), config.to_string()).unwrap();
        symlink(env!("CARGO_BIN_EXE_bigtix"), folder.path().join("kubectl-bigtix")).unwrap();
        Self(folder)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.0.path().join("kubectl-bigtix"));
        command
            .args(arguments)
            .env("KUBECONFIG", self.0.path().join("kubeconfig"));
        command
    }

    async fn says(&self, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap()
            .unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn file(&self, name: &str, resource: &Value) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, resource.to_string()).unwrap();
        path.display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_is_shown_explained_and_opened() {
    let server = Server::with(server::shop("1.0.0", "True")).await;
    let person = Person::before(&server);
    let status = person.says(&["status"]).await;
    assert_eq!(status.code, 0, "{}", status.stderr);
    assert!(
        status
            .stdout
            .starts_with("BigTix tickets/shop: ready, release 1.0.0, http://shop.example")
    );
    assert_eq!(person.says(&["why"]).await.code, 0);
    assert_eq!(person.says(&["open"]).await.stdout, "http://shop.example\n");
    let logs = person.says(&["logs", "orders", "--output", "json"]).await;
    assert_eq!(logs.stdout, "{\"part\":\"shop-orders-1\",\"line\":\"hello\"}\n");
    let nowhere = person.says(&["status", "--name", "other"]).await;
    assert!(
        nowhere.code == 1 && nowhere.stderr.contains("no BigTix other in namespace tickets"),
        "{}",
        nowhere.stderr
    );

    let server = Server::with(server::shop("1.0.0", "False")).await;
    let person = Person::before(&server);
    let why = person.says(&["why"]).await;
    assert_eq!(why.code, 3);
    assert!(
        why.stdout
            .contains("it is being tested (since 2026-01-01T00:00:00Z)"),
        "{}",
        why.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_followed_until_nobody_reads_it_any_more() {
    let server = Server::with(server::shop("1.0.0", "True")).await;
    let person = Person::before(&server);
    let mut command = person.command(&["logs", "orders", "--follow"]);
    // The pod logs nothing more, so that a following one that did not look for its reader would go on for ever.
    let mut following = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut read = BufReader::new(following.stdout.take().unwrap());
    let read = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        read.read_line(&mut line).map(|_| line)
    });
    assert_eq!(read.await.unwrap().unwrap(), "hello\n");
    let ended = eventually("it ends", async || following.try_wait().unwrap()).await;
    assert_eq!(ended.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_and_nothing_is_written() {
    let server = Server::with(server::shop("1.0.0", "True")).await;
    let person = Person::before(&server);
    let plan = person
        .says(&[
            "plan",
            "--set",
            "spec.networkPolicy.enabled=false",
            "--output",
            "json",
        ])
        .await;
    assert_eq!(plan.code, 3, "{}", plan.stderr);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["changes"][0]["path"], "spec.networkPolicy.enabled");
    let kinds: Vec<&str> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"Deployment") && !kinds.contains(&"NetworkPolicy"),
        "{kinds:?}"
    );

    let refused = person.says(&["plan", "--set", "spec.reservationSeconds=0"]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    let other = json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "new"}, "spec": {"version": "1.0.0"}});
    let new = person
        .says(&["plan", "--file", &person.file("new.yaml", &other)])
        .await;
    assert!(
        new.code == 3 && new.stdout.contains("create Deployment new-orders"),
        "{}",
        new.stderr
    );
    assert!(server.patches().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_asks_for_what_served_users() {
    let mut shop = server::shop("1.0.0", "True");
    shop["spec"]["services"] = json!({"payments": {"image": "broken:1"}});
    let server = Server::with(shop).await;
    let person = Person::before(&server);
    assert_eq!(person.says(&["rollback", "--dry-run"]).await.code, 0);
    assert!(server.patches().is_empty());
    let back = person.says(&["rollback"]).await;
    assert!(
        back.code == 0 && back.stdout.contains("Asked for release 1.0.0"),
        "{}",
        back.stderr
    );
    let payments = json!({"image": null, "version": null});
    assert_eq!(
        server.patches(),
        [json!({"spec": {"version": "1.0.0", "services": {"payments": payments}}})]
    );

    let server = Server::with(server::shop("1.0.0", "True")).await;
    let nothing = Person::before(&server).says(&["rollback"]).await;
    assert!(
        nothing.code == 1 && nothing.stderr.contains("no release before it"),
        "{}",
        nothing.stderr
    );
}
