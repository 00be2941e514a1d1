//! What is said of a resource that breaks rules.

use bigtix_crds::Violation;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;

use super::{Saying, condition};

/// It is not ready, and whether users are served is said as it was. `is_held` says whether
/// it is deleted and waits for its final backup.
pub(in crate::status) fn refused(
    before: &[Condition],
    violations: &[Violation],
    is_held: bool,
    generation: i64,
    now: Timestamp,
) -> Vec<Condition> {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    let message = lines.join("; ");
    let nothing_is_changed = if is_held {
        "nothing is changed, and no final backup taken, until the resource is mended; without one the shop goes when spec.deletionPolicy is \
         Retain or Delete"
    } else {
        "nothing is changed until the resource is mended"
    };
    let said = [
        ("Ready", Saying::no("InvalidSpec", message.clone())),
        ("Progressing", Saying::no("InvalidSpec", nothing_is_changed)),
        ("SpecValid", Saying::no("InvalidSpec", message)),
    ];
    let mut conditions: Vec<Condition> = said
        .into_iter()
        .map(|(type_, saying)| condition(before, type_, saying, generation, now))
        .collect();
    let kept = before
        .iter()
        .filter(|old| conditions.iter().all(|new| new.type_ != old.type_));
    conditions.extend(kept.cloned().collect::<Vec<_>>());
    conditions
}
