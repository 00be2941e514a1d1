//! What is different once a build may have been asked for that cannot be gone back from.

use bigtix_crds::{Contraction, Service};

use super::{Change, Gate, Progress, Reason, Rollout, Situation, Step, begin};

/// Another release instead of one that cannot be taken back: it begins where that one is, or everything stays.
pub(super) fn replaced(situation: &Situation<'_>, rollout: Rollout) -> Progress {
    if let Some(begun) = begin(situation, &[]) {
        let begun = Rollout {
            is_past_return: true,
            ..begun
        };
        return Progress::Next(Some(begun), Some(Change::Began));
    }
    let reason = situation
        .hold
        .cloned()
        .unwrap_or_else(|| not_taken_back(&rollout));
    Progress::Held(rollout, Gate::Waiting(reason))
}

/// What is waited for while the status does not remember it yet, and why a release that was called off stays.
pub(super) fn not_taken_back(rollout: &Rollout) -> Reason {
    Reason {
        predicate: "PointOfNoReturn",
        message: format!("release {} is not taken back any more", rollout.to),
    }
}

/// The rollout as the status has to remember it before its step may be taken; none when it does.
pub(super) fn noted(situation: &Situation<'_>, rollout: &Rollout) -> Option<Progress> {
    let Step::Service(service) = rollout.step else {
        return None;
    };
    let change = to_be_kept(situation, rollout, service)?;
    let noted = Rollout {
        is_past_return: true,
        ..rollout.clone()
    };
    Some(Progress::Noted(noted, change))
}

/// What has to stand in the status before `service` may get the build that is wanted: this one, and those of the services
/// before it, which have theirs.
pub(super) fn to_be_kept(situation: &Situation<'_>, rollout: &Rollout, service: Service) -> Option<Change> {
    let good = situation.good?;
    let wanted = situation.wanted.builds.get(&service)?;
    let contraction = contraction(situation, service).map(|contraction| contraction.to_string());
    let is_kept = good.builds.get(&service) == Some(wanted);
    if is_kept || (contraction.is_none() && !rollout.is_past_return) {
        return None;
    }
    let mut set = good.clone();
    let reached = situation.wanted.builds.range(..=service);
    set.builds
        .extend(reached.map(|(service, build)| (*service, build.clone())));
    Some(Change::Kept { set, contraction })
}

/// What keeps a service from going back to its present build once it has had the wanted one.
fn contraction<'a>(situation: &Situation<'a>, service: Service) -> Option<Contraction<'a>> {
    let good = situation.good?.builds.get(&service)?;
    let wanted = situation.wanted.builds.get(&service)?;
    situation
        .contractions
        .between(service, &good.version, &wanted.version)
}
