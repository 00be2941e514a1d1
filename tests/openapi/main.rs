//! Every OpenAPI document against the shop that serves it: schemathesis makes requests up, good and bad ones, and holds
//! each answer against what the document promises.

use std::process::{ExitCode, Stdio};
use std::time::Duration;

use bigtix_tests::suite::{Scenario, Suite};
use bigtix_tests::{Mode, World, scenarios, tools};
use tokio::process::Command;

const ALL: &[(&str, Scenario)] = scenarios![
    auth_keeps_its_document,
    tickets_keeps_its_document,
    orders_keeps_its_document,
    payments_keeps_its_document,
];

/// What every answer is held against.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Without a provider of events, importing one is unavailable, and that is what the document says.
const CONFIGURATION: &str = r#"
[[operations]]
include-path-regex = "^/api/events/(create|details/)"
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503"]
"#;
/// How many requests are made up for each operation, besides those that cover each rule of its schema.
const EXAMPLES: &str = "40";
/// How long one document may take.
const DEADLINE: Duration = Duration::from_secs(240);

fn main() -> ExitCode {
    let mut suite = Suite::new().one_by_one();
    if schemathesis().is_some() {
        let shop = suite.shop(Mode::OneProcess, &[("spec.maxHeldTicketsPerUser", "10000")]);
        suite.add(&shop, "openapi", ALL);
    } else {
        for (name, _) in ALL {
            suite.add_skipped(
                &format!("openapi::{name}"),
                "schemathesis is not installed: run `make tools`",
            );
        }
    }
    suite.run()
}

fn schemathesis() -> Option<std::path::PathBuf> {
    tools::find("BIGTIX_SCHEMATHESIS", "venv/bin/schemathesis")
}

async fn auth_keeps_its_document(world: World) {
    holds(&world, "auth").await;
}

async fn tickets_keeps_its_document(world: World) {
    holds(&world, "tickets").await;
}

async fn orders_keeps_its_document(world: World) {
    holds(&world, "orders").await;
}

async fn payments_keeps_its_document(world: World) {
    holds(&world, "payments").await;
}

async fn holds(world: &World, service: &str) {
    let person = world.person().await;
    let url = &world.shop().run().url;
    // It keeps what it found out in the folder that it runs in.
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("schemathesis.toml"), CONFIGURATION).expect("a file");
    let mut command = Command::new(schemathesis().expect("it was there a moment ago"));
    command
        .current_dir(folder.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["run", &format!("{url}/api/docs/{service}.json"), "--url", url])
        .args([
            "--header",
            &format!("Authorization: Bearer {}", person.token.expose()),
        ])
        .args(["--checks", CHECKS, "--max-examples", EXAMPLES])
        .args(["--phases", "examples,coverage,fuzzing"])
        .arg("--generation-deterministic")
        .args(["--suppress-health-check", "all", "--warnings", "off"])
        .args(["--request-timeout", "20", "--workers", "1", "--no-color"])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(DEADLINE, command.output())
        .await
        .unwrap_or_else(|_| panic!("schemathesis was not through within {DEADLINE:?}"))
        .expect("schemathesis runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
}
