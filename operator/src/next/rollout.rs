//! The rollout: which build each service is to run now, and what follows from how that went.
//!
//! It goes forward service by service, each behind its gate, and is watched for a while at the end. A build that breaks
//! or is not there by its deadline is taken back, in reverse order, and its release is not tried again until somebody
//! asks. The whole memory of it is in the status, so that an operator that dies goes on where it was.
//!
//! A build that makes of its data what the one before it cannot read is the point of no return. Before such a build is
//! asked for, the status remembers it as what is gone back to, and so with every build after it: there is nothing to
//! take back any more, and the rollout only goes forward.

mod no_return;
mod record;

use std::collections::BTreeMap;
use std::time::Duration;

use bigtix_crds::{Contractions, Service, Version};
use k8s_openapi::jiff::Timestamp;

use super::gate::{Gate, Reason};
use super::release::{Build, ReleaseSet};
use no_return::{not_taken_back, noted, replaced, to_be_kept};

/// In the history: it went well.
pub const SUCCEEDED: &str = "Succeeded";
/// In the history: it was taken back.
pub const ROLLED_BACK: &str = "RolledBack";
/// In the history: it was taken back because the resource asked for the release before it again.
pub const RECALLED: &str = "Recalled";

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Of the release that is rolled out, or was until it was taken back.
    pub id: String,
    /// The release before it.
    pub from: Option<Version>,
    /// The release.
    pub to: Version,
    /// What is being done.
    pub step: Step,
    /// Why it is being taken back; none while it goes forward.
    pub failure: Option<Failure>,
    /// When it began.
    pub started_at: Timestamp,
    /// Until when the step has to be done; none while the rollout is held, and it begins anew afterwards.
    pub deadline: Option<Timestamp>,
    /// Whether a build was or may have been asked for that cannot be gone back from.
    pub is_past_return: bool,
}

/// Why a rollout is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A gate broke or a deadline passed.
    Bad(String),
    /// The resource asks for the release before it again.
    Recalled,
}

/// One step of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A service gets its build.
    Service(Service),
    /// Everything has its build, and is watched.
    Soak,
}

impl Step {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        let services = Service::ALL.into_iter().map(Self::Service);
        services.chain([Self::Soak])
    }

    /// As a label of metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service(service) => service.as_str(),
            Self::Soak => "soak",
        }
    }
}

/// What bounds a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a step may take.
    pub step: Duration,
    /// How long the end is watched.
    pub soak: Duration,
    /// Whether what fails is taken back.
    pub takes_back: bool,
}

/// What happened in one pass, for events and history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A rollout began.
    Began,
    /// It failed and is being taken back.
    Failed(Reason),
    /// One more build is what is gone back to from now on.
    Kept {
        /// All of them.
        set: ReleaseSet,
        /// Why, where it is this build itself that cannot be gone back from.
        contraction: Option<String>,
    },
    /// It is done.
    Succeeded(ReleaseSet),
    /// It has been taken back.
    TakenBack(Failure),
}

/// What is to be so now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The rollout after this pass; none when there is none.
    pub rollout: Option<Rollout>,
    /// What each service is to run.
    pub builds: BTreeMap<Service, Build>,
    /// What happened, in order.
    pub changes: Vec<Change>,
    /// What the present step waits for, or has broken.
    pub gate: Gate,
}

/// Everything a course follows from.
pub struct Situation<'a> {
    /// What the resource asks for.
    pub wanted: &'a ReleaseSet,
    /// What served users last.
    pub good: Option<&'a ReleaseSet>,
    /// The rollout as the status remembers it.
    pub rollout: Option<Rollout>,
    /// Whether the wanted release was taken back before and nobody has asked for it again.
    pub is_rejected: bool,
    /// Why no rollout may begin now.
    pub hold: Option<&'a Reason>,
    /// Whether one that has begun goes on: not while the shop sleeps, is paused, or is only to be planned.
    pub goes_on: bool,
    /// What cannot be gone back from.
    pub contractions: &'a Contractions,
    /// Bounds.
    pub limits: Limits,
    /// The time.
    pub now: Timestamp,
    /// How a service gets on with a build.
    pub gate: &'a dyn Fn(Service, &Build) -> Gate,
    /// Of which services too few requests are known to judge them by.
    pub unjudged: Option<&'a str>,
}

/// Follows the rollout until a gate holds it up.
#[must_use]
pub fn steer(situation: &Situation<'_>) -> Course {
    let mut rollout = situation.rollout.clone();
    let mut changes = Vec::new();
    loop {
        let (next, change) = match rollout.take() {
            None => match begin(situation, &changes) {
                Some(begun) => (Some(begun), Some(Change::Began)),
                None => return at_rest(situation, changes),
            },
            Some(present) if !situation.goes_on => {
                let held = Rollout {
                    deadline: None,
                    ..present
                };
                let message = format!("the rollout of release {} is held", held.to);
                let gate = Gate::Waiting(Reason {
                    predicate: "Held",
                    message,
                });
                return under_way(situation, held, changes, gate);
            }
            Some(present) => match proceed(situation, present) {
                Progress::Held(held, gate) => return under_way(situation, held, changes, gate),
                // Only what the status remembers may be relied on, so this is as far as a pass goes.
                Progress::Noted(noted, change) => {
                    changes.push(change);
                    let gate = Gate::Waiting(not_taken_back(&noted));
                    return under_way(situation, noted, changes, gate);
                }
                Progress::Next(next, change) => (next, change),
            },
        };
        rollout = next;
        changes.extend(change);
    }
}

enum Progress {
    /// The step is not done.
    Held(Rollout, Gate),
    /// It may be done when the status remembers this.
    Noted(Rollout, Change),
    /// It is, or something else has to be done instead.
    Next(Option<Rollout>, Option<Change>),
}

/// A rollout, when one is due. What has just ended in this pass is not begun again before it stands in the status.
fn begin(situation: &Situation<'_>, changes: &[Change]) -> Option<Rollout> {
    let is_new = situation.good != Some(situation.wanted);
    let first = *situation.wanted.builds.keys().next()?;
    if !is_new || situation.is_rejected || situation.hold.is_some() || !changes.is_empty() {
        return None;
    }
    Some(Rollout {
        id: situation.wanted.id(),
        from: situation.good.map(|good| good.version.clone()),
        to: situation.wanted.version.clone(),
        step: Step::Service(first),
        failure: None,
        started_at: situation.now,
        deadline: Some(later(situation.now, situation.limits.step)),
        is_past_return: false,
    })
}

fn proceed(situation: &Situation<'_>, rollout: Rollout) -> Progress {
    let is_wanted = rollout.id == situation.wanted.id();
    match (&rollout.failure, is_wanted) {
        (Some(failure), _) => back(situation, failure.clone(), rollout),
        (None, true) => noted(situation, &rollout).unwrap_or_else(|| forward(situation, rollout)),
        // The resource has changed its mind: back to what was, or on to something third from where this one is.
        (None, false) if situation.good == Some(situation.wanted) => {
            Progress::Next(Some(turned(situation, rollout, Failure::Recalled)), None)
        }
        (None, false) if rollout.is_past_return => replaced(situation, rollout),
        (None, false) => Progress::Next(None, None),
    }
}

fn forward(situation: &Situation<'_>, rollout: Rollout) -> Progress {
    let deadline = rollout
        .deadline
        .unwrap_or_else(|| later(situation.now, situation.limits.step));
    let rollout = Rollout {
        deadline: Some(deadline),
        ..rollout
    };
    let is_late = situation.now >= deadline;
    let services = situation.wanted.builds.keys().copied();
    let gates = |until: Option<Service>| {
        services
            .clone()
            .take_while(move |service| until.is_none_or(|until| *service <= until))
            .map(|service| (situation.gate)(service, &situation.wanted.builds[&service]))
            .find(|gate| !gate.is_open())
            .unwrap_or(Gate::Open)
    };
    let gate = match rollout.step {
        Step::Service(service) => gates(Some(service)),
        Step::Soak => gates(None),
    };
    match (gate, rollout.step) {
        (Gate::Broken(reason), _) => failed(situation, rollout, reason),
        // While it is watched, a pod that goes away for another reason has the time of a step to come back.
        (Gate::Waiting(reason), Step::Soak) => {
            let patience = later(deadline, situation.limits.step);
            if situation.now >= patience {
                return failed(situation, rollout, reason);
            }
            Progress::Held(rollout, Gate::Waiting(reason))
        }
        (Gate::Waiting(reason), Step::Service(_)) if is_late => {
            let message = format!("{} (the deadline was {deadline})", reason.message);
            failed(situation, rollout, Reason { message, ..reason })
        }
        (Gate::Waiting(reason), Step::Service(_)) => Progress::Held(rollout, Gate::Waiting(reason)),
        (Gate::Open, Step::Service(service)) => {
            Progress::Next(Some(advanced(situation, rollout, service)), None)
        }
        (Gate::Open, Step::Soak) if is_late => {
            Progress::Next(None, Some(Change::Succeeded(situation.wanted.clone())))
        }
        (Gate::Open, Step::Soak) => {
            let watched = format!("release {} is being watched until {deadline}", rollout.to);
            let message = match situation.unjudged {
                None => watched,
                Some(unjudged) => format!("{watched}, {unjudged}"),
            };
            let reason = Reason {
                predicate: "Soaked",
                message,
            };
            Progress::Held(rollout, Gate::Waiting(reason))
        }
    }
}

/// The step after a service's.
fn advanced(situation: &Situation<'_>, rollout: Rollout, service: Service) -> Rollout {
    let mut services = situation.wanted.builds.keys().copied();
    // There is nothing to go back to from the first release, so there is nothing to watch for.
    let soak = situation.good.map_or(Duration::ZERO, |_| situation.limits.soak);
    let (step, limit) = match services.find(|next| *next > service) {
        Some(next) => (Step::Service(next), situation.limits.step),
        None => (Step::Soak, soak),
    };
    Rollout {
        step,
        deadline: Some(later(situation.now, limit)),
        ..rollout
    }
}

fn failed(situation: &Situation<'_>, rollout: Rollout, reason: Reason) -> Progress {
    // Nothing to go back to, or not allowed to: it stays as it is and may still come right.
    if situation.good.is_none() || !situation.limits.takes_back || rollout.is_past_return {
        return Progress::Held(rollout, Gate::Broken(reason));
    }
    let why = format!("{}: {}", reason.predicate, reason.message);
    let back = turned(situation, rollout, Failure::Bad(why));
    Progress::Next(Some(back), Some(Change::Failed(reason)))
}

/// The same rollout on its way back, which begins where it is.
fn turned(situation: &Situation<'_>, rollout: Rollout, failure: Failure) -> Rollout {
    let last = situation.good.and_then(|good| good.builds.keys().copied().last());
    let step = match (rollout.step, last) {
        (Step::Soak, Some(last)) => Step::Service(last),
        (step, _) => step,
    };
    Rollout {
        step,
        failure: Some(failure),
        deadline: None,
        ..rollout
    }
}

fn back(situation: &Situation<'_>, failure: Failure, rollout: Rollout) -> Progress {
    let (Some(good), Step::Service(service)) = (situation.good, rollout.step) else {
        return Progress::Next(None, Some(Change::TakenBack(failure)));
    };
    if let Some(build) = good.builds.get(&service) {
        let gate = (situation.gate)(service, build);
        // A way back has no deadline: there is nowhere else to go.
        if !gate.is_open() {
            return Progress::Held(rollout, gate);
        }
    }
    let before = good.builds.keys().copied().rfind(|earlier| *earlier < service);
    match before {
        Some(earlier) => {
            let step = Step::Service(earlier);
            Progress::Next(Some(Rollout { step, ..rollout }), None)
        }
        None => Progress::Next(None, Some(Change::TakenBack(failure))),
    }
}

fn at_rest(situation: &Situation<'_>, changes: Vec<Change>) -> Course {
    let succeeded = changes
        .iter()
        .any(|change| matches!(change, Change::Succeeded(_)));
    let set = match situation.good {
        Some(good) if !succeeded => good,
        // The first release begins when it may; until then there is nothing to run.
        None if !succeeded => {
            return Course {
                rollout: None,
                builds: BTreeMap::new(),
                changes,
                gate: Gate::Open,
            };
        }
        _ => situation.wanted,
    };
    let gate = set
        .builds
        .iter()
        .map(|(service, build)| (situation.gate)(*service, build))
        .find(|gate| !gate.is_open())
        .unwrap_or(Gate::Open);
    Course {
        rollout: None,
        builds: set.builds.clone(),
        changes,
        gate,
    }
}

fn under_way(situation: &Situation<'_>, rollout: Rollout, changes: Vec<Change>, gate: Gate) -> Course {
    let reached = |service: Service| match rollout.step {
        Step::Service(present) => service <= present,
        Step::Soak => true,
    };
    let is_back = rollout.failure.is_some();
    let mut builds = situation.good.map(|good| good.builds.clone()).unwrap_or_default();
    for (service, build) in &situation.wanted.builds {
        // On its way back the present step's service is already what it was.
        let is_new = match rollout.step {
            Step::Service(present) if is_back => *service < present,
            _ => !is_back && reached(*service),
        };
        let is_remembered =
            rollout.step != Step::Service(*service) || to_be_kept(situation, &rollout, *service).is_none();
        if is_new && is_remembered && rollout.id == situation.wanted.id() {
            builds.insert(*service, build.clone());
        }
    }
    Course {
        rollout: Some(rollout),
        builds,
        changes,
        gate,
    }
}

fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(k8s_openapi::jiff::SignedDuration::try_from(by).unwrap_or_default())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
