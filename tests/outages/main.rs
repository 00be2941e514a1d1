//! What still holds while Redis, NATS and the expiration service stand still: a reservation lasts two seconds here.

mod expiry;
mod standstill;

use std::process::ExitCode;

use bigtix_tests::Mode;
use bigtix_tests::suite::Suite;

fn main() -> ExitCode {
    let mut suite = Suite::new().one_by_one();
    for mode in [Mode::Separate { instances: 2 }, Mode::OneProcess] {
        let shop = suite.shop(mode, &[("spec.reservationSeconds", "2")]);
        suite.add(&shop, "expiry", expiry::ALL);
        suite.add(&shop, "standstill", standstill::ALL);
    }
    suite.run()
}
