//! The whole contract through the edge, row by row, with the services in one process and as two processes each.

mod event_rows;
mod idempotency;
mod lists;
mod operations;
mod order_alias_rows;
mod order_rows;
mod payment_rows;
mod problems;
mod refund_rows;
mod session_rows;
mod ticket_alias_rows;
mod ticket_change_rows;
mod ticket_list_rows;
mod ticket_rows;
mod user_rows;
mod webhook_rows;

use std::process::ExitCode;

use bigtix_tests::Mode;
use bigtix_tests::suite::Suite;

/// Signs up as an administrator: the settings name this address.
const ADMINISTRATOR: &str = "office@people.test";

fn main() -> ExitCode {
    let mut suite = Suite::new();
    for mode in [Mode::OneProcess, Mode::Separate { instances: 2 }] {
        let shop = suite.shop(mode, &[("spec.administrators", &format!("[{ADMINISTRATOR}]"))]);
        suite.add(&shop, "users", user_rows::ALL);
        suite.add(&shop, "sessions", session_rows::ALL);
        suite.add(&shop, "problems", problems::ALL);
        suite.add(&shop, "idempotency", idempotency::ALL);
        suite.add(&shop, "lists", lists::ALL);
        suite.add(&shop, "tickets", ticket_rows::ALL);
        suite.add(&shop, "tickets", ticket_list_rows::ALL);
        suite.add(&shop, "tickets", ticket_change_rows::ALL);
        suite.add(&shop, "ticket_aliases", ticket_alias_rows::ALL);
        suite.add(&shop, "events", event_rows::ALL);
        suite.add(&shop, "orders", order_rows::ALL);
        suite.add(&shop, "order_aliases", order_alias_rows::ALL);
        suite.add(&shop, "payments", payment_rows::ALL);
        suite.add(&shop, "refunds", refund_rows::ALL);
        suite.add(&shop, "webhooks", webhook_rows::ALL);
        suite.add(&shop, "operations", operations::ALL);
    }
    suite.run()
}
