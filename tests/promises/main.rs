//! What holds when many people want the same thing at the same moment: each promise twenty times in a row with two
//! processes of every service, and a few times with all of them in one process. A shop of two partitions holds them once.

mod changes;
mod crowds;
mod partitions;

use std::process::ExitCode;

use bigtix_tests::suite::Suite;
use bigtix_tests::{Mode, World};

/// How often in a row each promise has to hold.
fn rounds(world: &World) -> std::ops::Range<usize> {
    match world.shop().mode() {
        Mode::Separate { .. } => 0..20,
        Mode::OneProcess => 0..5,
    }
}

fn main() -> ExitCode {
    let mut suite = Suite::new().one_by_one();
    for mode in [Mode::Separate { instances: 2 }, Mode::OneProcess] {
        let shop = suite.shop(mode, &[("spec.maxHeldTicketsPerUser", "10000")]);
        suite.add(&shop, "crowds", crowds::ALL);
        suite.add(&shop, "changes", changes::ALL);
    }
    suite.add_test(
        "partitions::two_partitions_sell_side_by_side_and_one_outlives_the_other",
        partitions::two_partitions_sell_side_by_side_and_one_outlives_the_other,
    );
    suite.run()
}
