//! Only documented answers; errors of the shop's own only while something is wrong; no panic in any log.

use std::collections::BTreeMap;

use bigtix_testkit::stripe::{Operation as StripeOperation, RequestTrouble};

use crate::faults::evidence::{Evidence, Fired};
use crate::faults::history::{Action, Moment, Operation, Outcome};
use crate::faults::schedule::Fault;

/// How long after its end a fault may still be felt: restarts back off, connections are made anew.
const AFTERMATH: i64 = 30_000;
/// How long an error may be felt that Stripe keeps under the key of an attempt. That is no intent as long as Stripe lists
/// none, and is given up after `PAYMENT_GIVE_UP_SECONDS`, when it is looked at the next time.
const KEPT: i64 = 90_000;

pub(super) fn are_documented(evidence: &Evidence) -> Vec<String> {
    let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
    for operation in &evidence.operations {
        let (_, method, path) = operation.action.route();
        if let Some(status) = operation.outcome.status()
            && !evidence.documents.allow(method, path, status)
        {
            let text = format!("{method} {path} answered {status}, which is not documented");
            *wrong.entry(text).or_default() += 1;
        }
        if let Outcome::Failed { status, code } = &operation.outcome
            && (*status < 300 || code == "no problem")
        {
            let text = format!("{method} {path} answered {status}: {code}");
            *wrong.entry(text).or_default() += 1;
        }
    }
    counted(wrong)
}

/// Whoever asked while something was wrong may be told so; once everything is there again, only what Stripe keeps is felt.
fn felt_until(fired: &Fired, calm: Moment) -> Moment {
    let Fired {
        fault,
        began: _,
        healed,
    } = fired;
    match fault {
        Fault::StripeTroubled(StripeOperation::Create, RequestTrouble::ErrorBeforeStored) => {
            healed.plus_millis(KEPT)
        }
        _ => healed.plus_millis(AFTERMATH).min(calm),
    }
}

fn counted(wrong: BTreeMap<String, usize>) -> Vec<String> {
    let told = |(text, count): (String, usize)| format!("{text} ({count} times)");
    wrong.into_iter().map(told).collect()
}

pub(super) fn errors_come_with_faults(evidence: &Evidence) -> Vec<String> {
    let excused = |operation: &Operation| {
        evidence.fired.iter().any(|fired| {
            fired.began <= operation.finished && operation.invoked <= felt_until(fired, evidence.calm)
        })
    };
    let mut wrong: BTreeMap<String, usize> = BTreeMap::new();
    for operation in &evidence.operations {
        if let Outcome::Unknown { status } = operation.outcome
            && !excused(operation)
        {
            let (_, method, path) = operation.action.route();
            let text = match status {
                Some(status) => format!("{method} {path} answered {status} while nothing was wrong"),
                None => format!("{method} {path} did not answer while nothing was wrong"),
            };
            *wrong.entry(text).or_default() += 1;
        }
    }
    counted(wrong)
}

pub(super) fn nobody_is_believed_unsigned(evidence: &Evidence) -> Vec<String> {
    let forged = evidence
        .operations
        .iter()
        .filter(|operation| operation.action == Action::Forge);
    let believed = forged.filter(|operation| operation.seen().is_some()).count();
    let told = || format!("{believed} webhooks without a signature were taken");
    (believed > 0).then(told).into_iter().collect()
}

pub(super) fn nothing_panics(evidence: &Evidence) -> Vec<String> {
    let told = |line: &crate::faults::evidence::LogLine| format!("{}: {}", line.log, line.text);
    evidence.panics.iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::super::planted::{at, evidence, ok, operation, order_id};
    use super::*;
    use crate::faults::documents::Documents;
    use crate::faults::evidence::{Fired, LogLine};
    use crate::faults::history::Seen;
    use crate::faults::schedule::Fault;

    fn answered(millis: i64, outcome: Outcome) -> Operation {
        operation(millis, Action::Cancel { order: order_id(1) }, outcome)
    }

    #[test]
    fn an_undocumented_answer_is_found() {
        let mut planted = evidence();
        planted.documents = Documents::committed().unwrap();
        planted.operations = vec![answered(1, ok(204, Seen::Nothing))];
        assert!(are_documented(&planted).is_empty());
        let teapot = Outcome::Failed {
            status: 418,
            code: "teapot".into(),
        };
        planted.operations = vec![answered(1, ok(202, Seen::Nothing)), answered(1, teapot)];
        assert_eq!(are_documented(&planted).len(), 2);
    }

    #[test]
    fn an_error_without_a_fault_is_found() {
        let mut planted = evidence();
        planted.calm = at(100_000);
        planted.fired = vec![Fired {
            fault: Fault::BusStopped,
            began: at(10_000),
            healed: at(20_000),
        }];
        let unknown = Outcome::Unknown { status: Some(503) };
        planted.operations = vec![
            answered(15_000, unknown.clone()),
            answered(25_000, unknown.clone()),
        ];
        assert!(errors_come_with_faults(&planted).is_empty());
        planted.operations = vec![answered(5_000, unknown.clone()), answered(100_001, unknown)];
        assert_eq!(
            errors_come_with_faults(&planted),
            ["delete /api/orders/{id} answered 503 while nothing was wrong (2 times)"]
        );
    }

    #[test]
    fn what_stripe_keeps_is_felt_until_it_is_given_up() {
        let mut planted = evidence();
        planted.calm = at(30_000);
        let unknown = || Outcome::Unknown { status: Some(503) };
        planted.operations = vec![answered(100_000, unknown())];
        let mut found = |trouble| {
            planted.fired = vec![Fired {
                fault: Fault::StripeTroubled(StripeOperation::Create, trouble),
                began: at(10_000),
                healed: at(20_000),
            }];
            errors_come_with_faults(&planted).len()
        };
        assert_eq!(found(RequestTrouble::ErrorBeforeStored), 0);
        assert_eq!(found(RequestTrouble::ErrorBefore), 1);
    }

    #[test]
    fn a_forgery_that_is_taken_is_found() {
        let mut planted = evidence();
        planted.operations = vec![operation(1, Action::Forge, ok(200, Seen::Nothing))];
        assert_eq!(nobody_is_believed_unsigned(&planted).len(), 1);
        let refused = Outcome::Failed {
            status: 400,
            code: "invalid_signature".into(),
        };
        planted.operations = vec![operation(1, Action::Forge, refused)];
        assert!(nobody_is_believed_unsigned(&planted).is_empty());
    }

    #[test]
    fn a_panic_is_found() {
        let mut planted = evidence();
        planted.panics = vec![LogLine {
            log: "orders-1".into(),
            text: "thread 'main' panicked at".into(),
        }];
        assert_eq!(nothing_panics(&planted).len(), 1);
    }
}
