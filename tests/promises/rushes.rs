//! What the load generator finds when it sends a crowd to a shop and compares what buyers were told with the books.

use std::process::Stdio;

use bigtix_tests::World;
use bigtix_tests::suite::Scenario;
use serde_json::Value;

use crate::rounds;

pub(crate) const ALL: &[(&str, Scenario)] = bigtix_tests::scenarios![
    a_rush_sells_all_there_is_once,
    who_pays_has_the_ticket_and_who_gives_it_up_has_not,
];

/// Runs it against the shop and returns its verdict.
async fn verdict(world: &World, scenario: &str, more: &[&str]) -> Value {
    let ran = tokio::process::Command::new(env!("CARGO_BIN_EXE_bigtix-load"))
        .args([scenario, "--url", &world.shop().run().url, "--data"])
        .arg(world.shop().folder())
        .args(["--seconds", "2", "--buyers", "500", "--output", "json"])
        .args(more)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("the load generator runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(
        ran.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&ran.stdout),
        said
    );
    serde_json::from_slice(&ran.stdout).expect("its result is JSON")
}

async fn a_rush_sells_all_there_is_once(world: World) {
    for _ in rounds(&world).take(2) {
        let verdict = verdict(&world, "rush", &["--stock", "100", "--clients", "16"]).await;
        let sales = &verdict["sales"];
        assert_eq!(
            (&sales["stock"], &sales["free"]),
            (&100.into(), &0.into()),
            "{verdict:#}"
        );
        assert!(verdict["refused"]["sold_out"].as_u64() > Some(0), "{verdict:#}");
    }
}

async fn who_pays_has_the_ticket_and_who_gives_it_up_has_not(world: World) {
    let verdict = verdict(&world, "mixed", &["--stock", "400", "--rate", "20"]).await;
    assert!(verdict["sales"]["paid"].as_u64() > Some(0), "{verdict:#}");
}
