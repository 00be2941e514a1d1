//! What attackers try against a running shop, row by row of the threat model in docs/security.md.

mod accounts;
mod cookies;
mod documents;
mod edge;
mod injection;
mod places;
mod sockets;
mod stores;
mod tokens;

use std::process::ExitCode;

use bigtix_tests::Mode;
use bigtix_tests::suite::Suite;

fn main() -> ExitCode {
    let mut suite = Suite::new();
    for mode in [Mode::OneProcess, Mode::Separate { instances: 1 }] {
        let shop = suite.shop(mode, &[]);
        suite.add(&shop, "tokens", tokens::ALL);
        suite.add(&shop, "cookies", cookies::ALL);
        suite.add(&shop, "injection", injection::ALL);
        suite.add(&shop, "edge", edge::ALL);
        suite.add(&shop, "accounts", accounts::ALL);
        suite.add(&shop, "stores", stores::ALL);
        suite.add(&shop, "places", places::ALL);
    }
    suite.run()
}
