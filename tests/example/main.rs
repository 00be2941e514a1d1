//! The examples, a script and one of the Rust client, as somebody would run them after `bigtix up`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use bigtix_testkit::golden::workspace_root;
use bigtix_tests::suite::{Scenario, Suite};
use bigtix_tests::{Mode, World, scenarios};

const SCRIPT: &[(&str, Scenario)] = scenarios![the_script_buys_a_ticket];
const CLIENT: &[(&str, Scenario)] = scenarios![the_rust_client_buys_a_ticket];

fn main() -> ExitCode {
    let mut suite = Suite::new();
    for mode in [Mode::OneProcess, Mode::Separate { instances: 2 }] {
        let shop = suite.shop(mode, &[("spec.reservationSeconds", "3")]);
        suite.add(&shop, "buy-a-ticket.sh", SCRIPT);
    }
    let shop = suite.shop(Mode::OneProcess, &[]);
    suite.add(&shop, "client", CLIENT);
    suite.run()
}

async fn the_script_buys_a_ticket(world: World) {
    let output = Command::new(workspace_root().join("examples/buy-a-ticket.sh"))
        .env("BIGTIX_URL", &world.shop().run().url)
        .env("BIGTIX_DATA", world.shop().folder())
        .output()
        .expect("the script runs");
    passes(
        &output,
        &[
            "the order is complete",
            "the ticket is sold",
            "cancelled: expired",
            "cancelled by the user",
            "the ticket is on sale again",
            "Everything went as it should.",
        ],
    );
}

async fn the_rust_client_buys_a_ticket(world: World) {
    let run = world.shop().run();
    let stripe = run.stripe.as_ref().expect("the shop has a double");
    let output = Command::new(rust_example())
        .env("BIGTIX_URL", &run.url)
        .env("BIGTIX_STRIPE", &stripe.url)
        .output()
        .expect("cargo build --package bigtix-client --example buy-a-ticket makes it");
    passes(
        &output,
        &[
            "listed Row F",
            "a second order is refused",
            "the order is complete",
        ],
    );
}

/// Cargo puts examples beside the folder that this program is in.
fn rust_example() -> PathBuf {
    let own = std::env::current_exe().expect("this program has a path");
    let built = own
        .parent()
        .and_then(Path::parent)
        .expect("a folder of what is built");
    built.join("examples/buy-a-ticket")
}

fn passes(output: &Output, milestones: &[&str]) {
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    assert_eq!(complained, "");
    for milestone in milestones {
        assert!(said.contains(*milestone), "\"{milestone}\" is not in\n{said}");
    }
}
