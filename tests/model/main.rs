//! The saga of orders and payments, explored exhaustively within bounds by a model checker. What orders and payments
//! become is decided by the functions that decide it in production; the model adds what is around them: the stores, the
//! network, Stripe, the clock, and everything that goes wrong with them.

mod calm;
mod known;
mod properties;
mod rules;
mod saga;
mod stripe;
mod world;

use std::process::ExitCode;
use std::time::Instant;

use libtest_mimic::{Arguments, Failed, Trial};
use rules::Mistake;
use saga::{Bounds, Saga};
use stateright::{Checker, Expectation, HasDiscoveries, Model};
use stripe::Bank;

/// What is explored to the end.
const EXPLORED: [(&str, Bounds); 5] = [
    (
        "one_payment_whatever_the_bank_says",
        Bounds {
            orders: 1,
            payments: &[0],
            requests: 2,
            answers: 2,
            banks: &Bank::ALL,
        },
    ),
    (
        "two_payments_for_an_order_whose_bank_asks",
        Bounds {
            orders: 1,
            payments: &[0, 0],
            requests: 1,
            answers: 1,
            banks: &[Bank::Approves, Bank::Asks],
        },
    ),
    ("two_payments_for_an_order_with_late_requests", LATE_REQUESTS),
    (
        "two_orders_for_a_ticket",
        Bounds {
            orders: 2,
            payments: &[0],
            requests: 1,
            answers: 1,
            banks: &Bank::ALL,
        },
    ),
    (
        "two_orders_for_a_ticket_with_a_payment_each",
        Bounds {
            orders: 2,
            payments: &[0, 1],
            requests: 1,
            answers: 1,
            banks: &[Bank::Approves],
        },
    ),
];

const LATE_REQUESTS: Bounds = Bounds {
    orders: 1,
    payments: &[0, 0],
    requests: 2,
    answers: 1,
    banks: &[Bank::Approves],
};

/// Wide enough for most mistakes.
const NARROW: Bounds = Bounds {
    orders: 1,
    payments: &[0],
    requests: 2,
    answers: 2,
    banks: &[Bank::Approves],
};

/// Two orders for the ticket.
const RIVALS: Bounds = Bounds { orders: 2, ..NARROW };

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The checker has threads of its own.
    arguments.test_threads.get_or_insert(1);
    let explored = EXPLORED
        .into_iter()
        .map(|(name, bounds)| Trial::test(format!("explored::{name}"), move || explore(name, bounds)));
    let planted = Mistake::ALL
        .into_iter()
        .map(|mistake| Trial::test(format!("found::{mistake:?}"), move || find(mistake)));
    libtest_mimic::run(&arguments, explored.chain(planted).collect()).exit_code()
}

/// Visits every state within the bounds; nothing may be broken, and everything that is to be possible must be.
fn explore(name: &str, bounds: Bounds) -> Result<(), Failed> {
    let began = Instant::now();
    let checker = Saga::new(bounds, None).checker().threads(2).spawn_bfs().join();
    println!(
        "{name}: {} states, {} steps deep, no violation, in {:.1} s",
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    let found = checker.discoveries();
    for property in checker.model().properties() {
        match (&property.expectation, found.get(property.name)) {
            (Expectation::Always, Some(path)) => {
                let steps: Vec<String> = path
                    .clone()
                    .into_actions()
                    .iter()
                    .map(|it| format!("{it:?}"))
                    .collect();
                return Err(format!("{}:\n{}", property.name, steps.join("\n")).into());
            }
            (Expectation::Sometimes, None) => return Err(format!("never: {}", property.name).into()),
            (Expectation::Always, None)
            | (Expectation::Sometimes, Some(_))
            | (Expectation::Eventually, _) => {}
        }
    }
    Ok(())
}

/// Looks for the shortest way to what a mistake breaks.
fn find(mistake: Mistake) -> Result<(), Failed> {
    let bounds = match mistake {
        Mistake::NoUniqueIndex | Mistake::ConfirmOfCancelled => RIVALS,
        Mistake::FailByAnyPayment => LATE_REQUESTS,
        _ => NARROW,
    };
    let mut shortest = None;
    while let Some((property, steps)) = first_failure(bounds, mistake, shortest.map(|(_, steps)| steps)) {
        shortest = Some((property, steps));
    }
    let Some((property, steps)) = shortest else {
        return Err(format!("{mistake:?} breaks nothing").into());
    };
    println!("{mistake:?}: found after {steps} steps: not so: {property}");
    Ok(())
}

/// What the checker finds broken first, by a way shorter than `longest`, with the length of the way.
fn first_failure(bounds: Bounds, mistake: Mistake, longest: Option<usize>) -> Option<(&'static str, usize)> {
    let mut checker = Saga::new(bounds, Some(mistake))
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures);
    if let Some(steps) = longest {
        // The world at the beginning has depth 1, and worlds at the target are left out.
        checker = checker.target_max_depth(steps + 1);
    }
    let checker = checker.spawn_bfs().join();
    let is_broken = |name: &str| {
        let mut properties = checker.model().properties().into_iter();
        properties.any(|it| it.name == name && it.expectation == Expectation::Always)
    };
    let ways = checker
        .discoveries()
        .into_iter()
        .filter(|(name, _)| is_broken(name));
    ways.map(|(name, path)| (name, path.into_actions().len()))
        .min_by_key(|(_, steps)| *steps)
}
