//! A shop on one machine is shown, explained, planned for and gone back with.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use bigtix_testkit::eventually;
use bigtix_testkit::golden::workspace_root;
use serde_json::{Value, json};

use crate::machine::{Machine, Said, hold, release, terminate};

fn told(said: &Said) -> Value {
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[tokio::test]
async fn whatever_is_the_matter_is_said_with_what_to_do_next() {
    let machine = Machine::new();
    let never = machine.bigtix(&["why"]);
    assert_eq!(never.code, 3, "{never:?}");
    assert!(never.stdout.contains("bigtix up --detach --data"), "{never:?}");
    for command in ["rollback", "logs", "open"] {
        let refused = machine.bigtix(&[command]);
        assert_eq!(refused.code, 1, "{command}: {refused:?}");
        assert!(
            refused.stderr.contains("bigtix up --detach --data"),
            "{refused:?}"
        );
    }

    let up = machine.bigtix(&["up", "--detach", "--port", "0", "--output", "json"]);
    let run = machine.run_file().unwrap();
    let ready = told(&up);
    assert_eq!(
        (up.code, &ready["url"], &ready["data"]),
        (0, &run["url"], &json!(machine.data())),
        "{up:?}"
    );
    let status = machine.bigtix(&["status", "--output", "json"]);
    assert_eq!(
        (status.code, &told(&status)["state"]),
        (0, &json!("ready")),
        "{status:?}"
    );
    assert_eq!(told(&status)["parts"].as_array().unwrap().len(), 11);
    let why = machine.bigtix(&["why"]);
    assert_eq!(why.code, 0, "{why:?}");
    assert!(
        why.stdout.contains("is as wanted") && !why.stdout.contains('\u{1b}'),
        "{why:?}"
    );
    let open = machine.bigtix(&["open"]);
    assert_eq!(open.stdout.trim(), run["url"].as_str().unwrap());
    let lines = machine.bigtix(&["logs", "mongodb", "--tail", "2"]);
    assert_eq!(lines.stdout.lines().count(), 2, "{lines:?}");
    assert_eq!(machine.bigtix(&["logs", "ordres"]).code, 1);

    let mongod = run["mongodb"]["pid"].as_u64().unwrap();
    hold(mongod);
    eventually("orders says what it waits for", async || {
        let why = machine.bigtix(&["why", "--output", "json"]);
        let is_said = why
            .stdout
            .contains("orders is not ready: mongodb does not answer it");
        (why.code == 3 && is_said).then_some(())
    })
    .await;
    release(mongod);
    eventually("all is well again", async || {
        (machine.bigtix(&["why"]).code == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_status_that_is_watched_tells_each_change() {
    let machine = Machine::new();
    let seen = machine.file("seen", "");
    let mut watching = machine
        .command(&["status", "--watch", "--output", "json"])
        .stdout(File::create(&seen).unwrap())
        .spawn()
        .unwrap();
    let has = |state: &str| {
        let text = fs::read_to_string(&seen).unwrap();
        text.contains(&format!("\"state\":\"{state}\"")).then_some(())
    };
    eventually("it is stopped", async || has("stopped")).await;
    assert_eq!(machine.bigtix(&["up", "--detach", "--port", "0"]).code, 0);
    eventually("it is ready", async || has("ready")).await;
    terminate(u64::from(watching.id()));
    watching.wait().unwrap();
}

/// The names of the steps that were printed, in order.
fn steps(output: &str) -> Vec<String> {
    let name = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [name, _, "s"] if line.starts_with("  ") => Some((*name).to_owned()),
            _ => None,
        }
    };
    output.lines().filter_map(name).collect()
}

fn parts(step: &Value) -> Vec<String> {
    let parts = step["parts"].as_array().unwrap().iter();
    parts.map(|part| part.as_str().unwrap().to_owned()).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[tokio::test]
async fn a_plan_names_every_step_that_is_then_taken_and_a_rollback_goes_back() {
    let machine = Machine::new();
    let said = machine.file("said", "");
    let mut up = machine
        .command(&["up", "--port", "0"])
        .stdout(File::create(&said).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    eventually("it is ready", async || machine.run_file()).await;
    eventually("it says so", async || {
        fs::read_to_string(&said)
            .unwrap()
            .contains("is ready")
            .then_some(())
    })
    .await;
    let started = steps(&fs::read_to_string(&said).unwrap());
    assert_eq!(machine.bigtix(&["plan"]).code, 0);
    let refused = machine.bigtix(&["plan", "--set", "spec.reservationSeconds=0"]);
    assert_eq!(refused.code, 2, "{refused:?}");

    let file = machine.file(
        "edited.yaml",
        "apiVersion: bigtix.dev/v1alpha1\nkind: BigTix\nmetadata: { name: shop }\nspec: { version: 1.0.0, reservationSeconds: 3 }\n",
    );
    let plan = machine.bigtix(&["plan", "--file", &file, "--output", "json"]);
    assert_eq!(plan.code, 3, "{plan:?}");
    let plan = told(&plan);
    assert_eq!(plan["changes"][0]["path"], "spec.reservationSeconds");
    let planned = plan["steps"].as_array().unwrap();

    terminate(u64::from(up.id()));
    up.wait().unwrap();
    let all = steps(&fs::read_to_string(&said).unwrap());
    let stopped = &all[started.len()..];
    // The stores are one line when they stop.
    let mut wanted: Vec<String> = planned[..2].iter().flat_map(parts).collect();
    wanted.push("stores".to_owned());
    assert_eq!(stopped, wanted);

    let again = machine.bigtix(&["up", "--detach", "--port", "0", "--file", &file]);
    assert_eq!(again.code, 0, "{again:?}");
    let began = steps(&again.stdout);
    let (stores, services) = began.split_at(4);
    assert_eq!(sorted(stores.to_vec()), sorted(parts(&planned[3])));
    assert_eq!(sorted(services.to_vec()), sorted(parts(&planned[4])));
    assert_eq!(machine.bigtix(&["plan", "--file", &file]).code, 0);

    let back = machine.bigtix(&["rollback"]);
    assert_eq!(back.code, 0, "{back:?}");
    assert!(
        back.stdout.contains("spec.reservationSeconds: 3 -> 900"),
        "{back:?}"
    );
    assert_eq!(machine.bigtix(&["plan"]).code, 0);
    assert_eq!(machine.bigtix(&["status"]).code, 0);
    let down = machine.bigtix(&["down", "--output", "json"]);
    assert_eq!(
        (down.code, &told(&down)["wasRunning"]),
        (0, &json!(true)),
        "{down:?}"
    );
}

#[test]
fn what_is_not_about_a_shop_is_printed() {
    let said = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_bigtix"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let release = fs::read_to_string(workspace_root().join("services/release.json")).unwrap();
    let release: Value = serde_json::from_str(&release).unwrap();
    assert_eq!(
        said(&["--version"]).trim(),
        format!("bigtix {}", release["version"].as_str().unwrap())
    );
    let settings: Value = serde_json::from_str(&said(&["settings", "--output", "json"])).unwrap();
    assert_eq!(settings[0]["service"], "auth");
    assert!(settings[0]["settings"][0]["meaning"].is_string(), "{settings}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&["completions", shell]).contains("rollback"), "{shell}");
    }
    assert!(said(&["man"]).starts_with(".ie"));
}
