//! The pages as a browser without JavaScript sees them: each step is a link that is followed or a form that is sent.

mod account;
mod browser;
mod buying;
mod cart;
mod paying;
mod public;
mod safety;
mod selling;

use std::process::ExitCode;

use bigtix_tests::Mode;
use bigtix_tests::suite::Suite;

fn main() -> ExitCode {
    let mut suite = Suite::new();
    let shop = suite.shop(Mode::OneProcess, &[]);
    suite.add(&shop, "account", account::ALL);
    suite.add(&shop, "public", public::ALL);
    suite.add(&shop, "buying", buying::ALL);
    suite.add(&shop, "cart", cart::ALL);
    suite.add(&shop, "paying", paying::ALL);
    suite.add(&shop, "selling", selling::ALL);
    suite.add(&shop, "safety", safety::ALL);
    let hasty = suite.shop(Mode::OneProcess, &[("spec.reservationSeconds", "2")]);
    suite.add(&hasty, "expiry", paying::EXPIRY);
    let separate = suite.shop(Mode::Separate { instances: 1 }, &[]);
    suite.add(&separate, "separate", buying::ALL);
    let crippled = suite.shop(Mode::Separate { instances: 1 }, &[]);
    suite.add(&crippled, "away", buying::WITHOUT_AUTH);
    suite.run()
}
