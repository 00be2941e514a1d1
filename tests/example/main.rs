//! The example script, as somebody would run it after `bigtix up`.

use std::process::{Command, ExitCode};

use bigtix_testkit::golden::workspace_root;
use bigtix_tests::suite::{Scenario, Suite};
use bigtix_tests::{Mode, World, scenarios};

const ALL: &[(&str, Scenario)] = scenarios![the_script_buys_a_ticket];

fn main() -> ExitCode {
    let mut suite = Suite::new();
    for mode in [Mode::OneProcess, Mode::Separate { instances: 2 }] {
        let shop = suite.shop(mode, &[("spec.reservationSeconds", "3")]);
        suite.add(&shop, "buy-a-ticket.sh", ALL);
    }
    suite.run()
}

async fn the_script_buys_a_ticket(world: World) {
    let output = Command::new(workspace_root().join("examples/buy-a-ticket.sh"))
        .env("BIGTIX_URL", &world.shop().run().url)
        .env("BIGTIX_DATA", world.shop().folder())
        .output()
        .expect("the script runs");
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    assert_eq!(complained, "");
    let milestones = [
        "the order is complete",
        "the ticket is sold",
        "cancelled: expired",
        "cancelled by the user",
        "the ticket is on sale again",
        "Everything went as it should.",
    ];
    for milestone in milestones {
        assert!(said.contains(milestone), "\"{milestone}\" is not in\n{said}");
    }
}
