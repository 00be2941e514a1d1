//! `bigtix up` and `bigtix down`, as a person runs them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod backups;
mod dead_letters;
mod looking;
mod machine;
mod operations;
mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use bigtix_testkit::eventually;
use machine::{Machine, is_alive, kill, post, terminate};
use serde_json::{Value, json};

const ANN: (&str, &str) = ("ann@example.com", "Abcdef12");

fn credentials() -> Value {
    json!({"email": ANN.0, "password": ANN.1})
}

#[tokio::test]
async fn what_is_up_is_described_and_goes_down_completely_and_its_data_stays() {
    let machine = Machine::new();
    let up = machine.bigtix(&["up", "--detach", "--port", "0"]);
    assert_eq!(up.code, 0, "{up:?}");
    let run = machine.run_file().unwrap();
    let url = run["url"].as_str().unwrap();
    assert!(up.stdout.contains(url), "{up:?}");
    for step in [
        "mongodb",
        "nats",
        "redis",
        "stripe",
        "auth",
        "tickets",
        "orders",
        "payments",
        "expiration",
        "web",
    ] {
        assert!(
            up.stdout
                .lines()
                .any(|line| line.trim_start().starts_with(step) && line.ends_with(" s")),
            "{step}: {up:?}"
        );
    }
    let mode = |path: &str| {
        fs::metadata(machine.data().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        (mode(""), mode("run.json"), mode("secrets.json")),
        (0o700, 0o600, 0o600)
    );
    for service in ["auth", "tickets", "orders", "payments", "expiration", "web"] {
        let it = &run["services"][service];
        assert_eq!(it["pid"], run["pid"], "{service}");
        assert_eq!(it["instances"], json!([{"pid": run["pid"], "url": it["url"]}]));
        assert_eq!(
            machine::get(&format!("{}/version", it["url"].as_str().unwrap()))
                .await
                .1["version"],
            it["version"]
        );
    }
    assert_eq!(machine::get(&format!("{url}/readyz")).await.0, 200);
    assert_eq!(machine::get(&format!("{url}/api/docs/orders.json")).await.0, 200);
    assert_eq!(
        post(&format!("{url}/api/users/signup"), &credentials()).await.0,
        201
    );

    let again = machine.bigtix(&["up", "--port", "0"]);
    assert_eq!(again.code, 1);
    assert!(again.stderr.contains("bigtix down --data"), "{again:?}");
    assert_eq!(machine.run_file().as_ref(), Some(&run));

    let down = machine.bigtix(&["down"]);
    assert_eq!(down.code, 0, "{down:?}");
    assert_eq!(machine.run_file(), None);
    for pid in machine::pids(&run) {
        assert!(!is_alive(pid), "{pid} of {run}");
    }

    assert_eq!(machine.bigtix(&["up", "--detach", "--port", "0"]).code, 0);
    let run = machine.run_file().unwrap();
    let url = run["url"].as_str().unwrap();
    assert_eq!(
        post(&format!("{url}/api/users/signin"), &credentials()).await.0,
        200
    );
}

#[tokio::test]
async fn separate_services_and_stores_that_are_killed_come_back() {
    let machine = Machine::new();
    let up = machine.bigtix(&[
        "up",
        "--detach",
        "--separate",
        "--port",
        "0",
        "--set",
        "spec.services.auth.replicas=2",
    ]);
    assert_eq!(up.code, 0, "{up:?}");
    let run = machine.run_file().unwrap();
    let url = run["url"].as_str().unwrap().to_owned();
    assert_eq!(run["services"]["auth"]["instances"].as_array().unwrap().len(), 2);
    assert_eq!(
        post(&format!("{url}/api/users/signup"), &credentials()).await.0,
        201
    );

    let victims = [
        "/services/auth/instances/1/pid",
        "/services/orders/pid",
        "/mongodb/pid",
        "/nats/pid",
        "/redis/pid",
        "/stripe/pid",
    ];
    for victim in victims {
        let pid = run.pointer(victim).unwrap().as_u64().unwrap();
        assert_ne!(pid, run["pid"].as_u64().unwrap());
        kill(pid);
        eventually(&format!("another process at {victim}"), async || {
            let now = machine.run_file()?.pointer(victim)?.as_u64()?;
            (now != pid && is_alive(now)).then_some(())
        })
        .await;
    }
    eventually("everything works again", async || {
        let is_ready = machine::get(&format!("{url}/readyz")).await.0 == 200;
        (is_ready && post(&format!("{url}/api/users/signin"), &credentials()).await.0 == 200).then_some(())
    })
    .await;
    let run = machine.run_file().unwrap();
    assert_eq!(machine.bigtix(&["down"]).code, 0);
    for pid in machine::pids(&run) {
        assert!(!is_alive(pid), "{pid} of {run}");
    }
}

#[tokio::test]
async fn everything_dies_with_a_process_that_is_killed_and_the_next_start_mends_it() {
    let machine = Machine::new();
    assert_eq!(
        machine
            .bigtix(&["up", "--detach", "--separate", "--port", "0"])
            .code,
        0
    );
    let run = machine.run_file().unwrap();
    kill(run["pid"].as_u64().unwrap());
    for pid in machine::pids(&run) {
        eventually(&format!("{pid} is gone"), async || (!is_alive(pid)).then_some(())).await;
    }
    assert!(machine.run_file().is_some());
    let down = machine.bigtix(&["down"]);
    assert!(down.code == 0 && down.stdout.contains("does not run"), "{down:?}");
    assert_eq!(machine.run_file(), None);
    assert_eq!(machine.bigtix(&["up", "--detach", "--port", "0"]).code, 0);
}

#[tokio::test]
async fn a_signal_stops_what_runs_in_the_foreground() {
    let machine = Machine::new();
    let mut up = machine
        .command(&["up", "--port", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let run = eventually("it is ready", async || machine.run_file()).await;
    terminate(u64::from(up.id()));
    assert_eq!(up.wait().unwrap().code(), Some(0));
    assert_eq!(machine.run_file(), None);
    for pid in machine::pids(&run) {
        assert!(!is_alive(pid), "{pid} of {run}");
    }
}

#[tokio::test]
async fn a_start_that_is_interrupted_is_no_success_and_leaves_nothing() {
    let machine = Machine::new();
    let mut up = machine
        .command(&["up", "--port", "0"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("mongod is being started", async || {
        machine
            .processes()
            .iter()
            .any(|line| line.contains("--replSet"))
            .then_some(())
    })
    .await;
    terminate(u64::from(up.id()));
    assert_eq!(up.wait().unwrap().code(), Some(1));
    eventually("nothing is left", async || {
        machine.processes().is_empty().then_some(())
    })
    .await;
}

#[test]
fn an_invalid_resource_is_refused_with_every_reason_and_nothing_is_made() {
    let machine = Machine::new();
    for detach in [&[][..], &["--detach"][..]] {
        let set = [
            "up",
            "--set",
            "spec.reservationSeconds=-1",
            "--set",
            "spec.colour=red",
        ];
        let refused = machine.bigtix(&[&set, detach].concat());
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(
            refused.stderr.contains("spec.reservationSeconds") && refused.stderr.contains("spec.colour"),
            "{refused:?}"
        );
        assert!(!machine.data().exists());
    }
    let file = machine.file(
        "shop.yaml",
        "apiVersion: bigtix.dev/v1alpha1\nkind: BigTix\nmetadata: {name: shop}\nspec: {version: 9.9.9}\n",
    );
    let refused = machine.bigtix(&["up", "-f", &file]);
    assert!(
        refused.code == 2 && refused.stderr.contains("line 4: spec.version"),
        "{refused:?}"
    );
}

#[test]
fn what_stands_in_the_way_is_named_and_nothing_is_left_running() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let machine = Machine::new();
    for arguments in [
        vec!["up", "--port", &port],
        vec!["up", "--detach", "--port", &port],
    ] {
        let refused = machine.bigtix(&arguments);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(
            refused.stderr.contains(&format!("port {port} is in use")) && refused.stderr.contains("--port"),
            "{refused:?}"
        );
    }
    let missing = machine
        .command(&["up", "--port", "0"])
        .env("BIGTIX_REDIS_SERVER", "/nowhere")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(
        missing.status.code() == Some(1) && said.contains("redis-server") && said.contains("make tools"),
        "{said}"
    );

    fs::write(machine.data().join("version"), "99\n").unwrap();
    let other = machine.bigtix(&["up", "--port", "0"]);
    assert!(
        other.code == 1 && other.stderr.contains("version 99") && other.stderr.contains("--data"),
        "{other:?}"
    );
    assert!(machine.processes().is_empty());
}

#[test]
fn down_without_up_says_so() {
    let machine = Machine::new();
    let down = machine.bigtix(&["down"]);
    assert!(down.code == 0 && down.stdout.contains("does not run"), "{down:?}");
    let letters = machine.bigtix(&["dead-letters", "list"]);
    assert!(
        letters.code == 1 && letters.stderr.contains("bigtix up"),
        "{letters:?}"
    );
}

#[test]
fn fields_that_mean_nothing_here_are_named_once() {
    let machine = Machine::new();
    let up = machine.bigtix(&[
        "up",
        "--detach",
        "--port",
        "0",
        "--set",
        "spec.ingress.host=shop.example",
    ]);
    assert_eq!(up.code, 0, "{up:?}");
    assert_eq!(up.stdout.matches("spec.ingress.host").count(), 1, "{up:?}");
}
