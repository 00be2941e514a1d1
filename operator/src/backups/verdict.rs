//! What a request says of itself: two conditions, of which one becomes true in the end.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;

/// True when what was asked for is done.
pub const COMPLETE: &str = "Complete";
/// True when it is not going to be.
pub const FAILED: &str = "Failed";

/// Reasons of a request that failed.
pub mod reasons {
    /// Nothing was changed.
    pub const REFUSED: &str = "Refused";
    /// The database may hold a part of the one and a part of the other.
    pub const HALF_RESTORED: &str = "HalfRestored";
    /// There is no archive.
    pub const NO_BACKUP: &str = "NoBackup";
}

/// How a request gets on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something has to be so first.
    Waits(String),
    /// Its pod works.
    Works(String),
    /// It is done.
    Done(String),
    /// It failed, for a reason in the form of a condition's.
    Failed(&'static str, String),
}

impl Verdict {
    /// The conditions that say so. A time of transition stays as long as the status does.
    #[must_use]
    pub fn conditions(
        &self,
        before: &[Condition],
        generation: Option<i64>,
        now: Timestamp,
    ) -> Vec<Condition> {
        let (reason, message, is_done, is_failed) = match self {
            Self::Waits(message) => ("Waiting", message, false, false),
            Self::Works(message) => ("Working", message, false, false),
            Self::Done(message) => ("Succeeded", message, true, false),
            Self::Failed(reason, message) => (*reason, message, false, true),
        };
        [(COMPLETE, is_done), (FAILED, is_failed)]
            .map(|(type_, is_true)| {
                let status = if is_true { "True" } else { "False" };
                let old = before
                    .iter()
                    .find(|old| old.type_ == type_ && old.status == status);
                Condition {
                    type_: type_.to_owned(),
                    status: status.to_owned(),
                    reason: reason.to_owned(),
                    message: message.clone(),
                    observed_generation: generation,
                    last_transition_time: old
                        .map_or(Time(whole_seconds(now)), |old| old.last_transition_time.clone()),
                }
            })
            .into()
    }
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// Well.
    Done,
    /// Not, for this reason.
    Failed(&'a str),
}

/// How it ended, if it did.
#[must_use]
pub fn end(conditions: &[Condition]) -> Option<End<'_>> {
    let is_true = |type_: &str| {
        let mut conditions = conditions.iter();
        conditions.find(|said| said.type_ == type_ && said.status == "True")
    };
    match (is_true(COMPLETE), is_true(FAILED)) {
        (Some(_), _) => Some(End::Done),
        (None, Some(failed)) => Some(End::Failed(&failed.reason)),
        (None, None) => None,
    }
}

/// As an API server keeps it, so that what is written compares equal to what is read.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_read_back_from_what_was_said_and_said_the_same_again() {
        let (then, now) = (Timestamp::from_second(10), Timestamp::from_second(20));
        let (then, now) = (then.expect("a time"), now.expect("a time"));
        for (verdict, expected) in [
            (Verdict::Waits("a".into()), None),
            (Verdict::Works("a".into()), None),
            (Verdict::Done("a".into()), Some(End::Done)),
            (
                Verdict::Failed(reasons::REFUSED, "a".into()),
                Some(End::Failed("Refused")),
            ),
        ] {
            let said = verdict.conditions(&[], Some(1), then);
            assert_eq!(end(&said), expected, "{verdict:?}");
            assert_eq!(verdict.conditions(&said, Some(1), now), said);
        }
    }
}
