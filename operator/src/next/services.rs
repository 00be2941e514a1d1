//! The services: in order, each behind the one before it.

use bigtix_crds::platform::{Mode, Replicas, Workload};
use bigtix_crds::{Platform, Service};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::jiff::Timestamp;

use super::budget::Budget;
use super::gate::{self, Gate, Reason};
use super::plan::Plan;
use super::release::{Build, ReleaseSet};
use super::rollout::{Change, Course, Failure, Limits, ROLLED_BACK, Rollout, Situation, steer};
use super::stores::with_credentials;
use super::window;
use crate::build::meta::digest_annotation;
use crate::build::{Child, service};
use crate::names::{self, Component, DOMAIN};
use crate::observe::facts::Observed;

/// Where the rollout goes in this pass, why one that is due does not begin, and whether the wanted release was taken
/// back before. `down` is why no service runs, although the shop does not sleep.
pub(super) fn course(
    observed: &Observed,
    platform: &Platform,
    budget: &Budget,
    down: Option<&Reason>,
    now: Timestamp,
) -> (Course, Option<Reason>, bool) {
    let status = observed.resource.status.clone().unwrap_or_default();
    let wanted = ReleaseSet::wanted(platform);
    let good = ReleaseSet::recorded(&status.version);
    let is_rejected = is_rejected(observed, &wanted);
    let held = down.cloned().or_else(|| hold(platform, good.as_ref(), now));
    let gate = |service: Service, build: &Build| match of_service(observed, platform, service, build) {
        broken @ Gate::Broken(_) => broken,
        gate => budget.over(service, build).map_or(gate, Gate::Broken),
    };
    let unjudged = budget.unknown();
    let situation = Situation {
        wanted: &wanted,
        good: good.as_ref(),
        rollout: status.rollout.as_ref().and_then(Rollout::recorded),
        is_rejected,
        hold: held.as_ref(),
        goes_on: down.is_none() && !platform.hibernate && !platform.paused && platform.mode == Mode::Apply,
        contractions: &platform.contractions,
        limits: Limits {
            step: platform.upgrade.progress_deadline,
            soak: platform.upgrade.soak,
            takes_back: platform.upgrade.auto_rollback,
        },
        now,
        gate: &gate,
        unjudged: unjudged.as_deref(),
    };
    let course = steer(&situation);
    let was_taken_back = |change: &Change| matches!(change, Change::TakenBack(Failure::Bad(_)));
    let is_rejected = is_rejected || course.changes.iter().any(was_taken_back);
    // One that cannot be taken back stays under way while the one that is asked for instead may not begin.
    let is_in_the_way = |rollout: &Rollout| rollout.failure.is_none() && rollout.id != wanted.id();
    let may_be_due = course.rollout.as_ref().is_none_or(is_in_the_way);
    let is_due = good.as_ref() != Some(&wanted) && !is_rejected && may_be_due;
    let held = held.filter(|_| is_due && course.changes.is_empty());
    (course, held, is_rejected)
}

/// What was taken back is not tried again until the resource asks for something else, or its annotation changes.
fn is_rejected(observed: &Observed, wanted: &ReleaseSet) -> bool {
    let status = observed.resource.status.clone().unwrap_or_default();
    let Some(last) = status.history.first() else {
        return false;
    };
    let retry = observed
        .resource
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(&format!("{DOMAIN}/retry")))
        .and_then(|at| at.parse::<Timestamp>().ok());
    let ended = last.finished_at.as_ref().map(|time| time.0);
    let was_asked_again = retry.is_some_and(|retry| ended.is_some_and(|ended| retry > ended));
    last.result == ROLLED_BACK && last.id.as_deref() == Some(&wanted.id()) && !was_asked_again
}

/// Why no rollout may begin now. The first release of a shop waits for nobody.
fn hold(platform: &Platform, good: Option<&ReleaseSet>, now: Timestamp) -> Option<Reason> {
    if platform.hibernate || platform.paused {
        return Some(Reason {
            predicate: "Held",
            message: "nothing is rolled out while the shop sleeps or is paused".to_owned(),
        });
    }
    if let Some(reason) = good.and_then(|good| below_the_point_of_no_return(platform, good)) {
        return Some(reason);
    }
    if let Some(good) = good
        && good.version != platform.version
        && !platform.reachable_from.matches(&good.version)
    {
        let message = format!(
            "release {} cannot be reached from {} in one step, only from {}",
            platform.version, good.version, platform.reachable_from
        );
        return Some(Reason {
            predicate: "UnsupportedStep",
            message,
        });
    }
    if good.is_some() && !platform.upgrade.is_approved(&platform.version) {
        let message = format!(
            "release {0} waits for upgrade.approvedVersion: {0}",
            platform.version
        );
        return Some(Reason {
            predicate: "WaitingForApproval",
            message,
        });
    }
    let windows = &platform.upgrade.windows;
    if good.is_some() && !window::is_open(windows, now) {
        let opens =
            window::opens_at(windows, now).map_or_else(|| "never".to_owned(), |at| format!("at {at}"));
        let message = format!(
            "release {} waits for a window of spec.upgrade.windows, the next of which opens {opens}",
            platform.version
        );
        return Some(Reason {
            predicate: "WindowOpen",
            message,
        });
    }
    None
}

/// A service that would no longer be able to read its own data.
fn below_the_point_of_no_return(platform: &Platform, good: &ReleaseSet) -> Option<Reason> {
    let contraction = good.builds.iter().find_map(|(service, build)| {
        let wanted = platform.services.get(*service)?;
        platform
            .contractions
            .between(*service, &wanted.version, &build.version)
    })?;
    Some(Reason {
        predicate: "PointOfNoReturn",
        message: format!(
            "release {} cannot be gone back to: {contraction}; ask for a release with {} {} or later",
            platform.version, contraction.service, contraction.version
        ),
    })
}

/// How a service gets on with a build.
fn of_service(observed: &Observed, platform: &Platform, service: Service, build: &Build) -> Gate {
    let component = Component::Service(service);
    let name = component.object_name(platform);
    let pods = gate::selected(&observed.live.pods, &names::selector(platform, component));
    let deployment = observed.live.deployments.get(&name);
    gate::of_deployment(&name, deployment, build.image.as_str(), &pods)
}

/// Asks for the services. `foundation` is what none of them can do without.
pub(super) fn plan(
    plan: &mut Plan<'_>,
    observed: &Observed,
    course: &Course,
    foundation: &Gate,
    is_down: bool,
    now: Timestamp,
) {
    let platform = plan.shop.platform;
    let keys = names::session_keys(platform);
    let digest = observed
        .secrets
        .get(&keys)
        .map(|secret| secret.digest.clone())
        .unwrap_or_default();
    let mut is_clear = foundation.is_open();
    for (service, workload) in platform.services.iter() {
        let Some(build) = course.builds.get(&service) else {
            continue;
        };
        let component = Component::Service(service);
        let name = component.object_name(platform);
        let running = service::Running {
            image: &build.image,
            version: &build.version,
            replicas: match platform.hibernate || is_down {
                true => Some(0),
                false => replicas(workload, observed.live.deployments.get(&name)),
            },
        };
        for child in service::children(plan.shop, service, workload, running, &digest) {
            let child = with_credentials(child, observed, plan.shop, component);
            let child = with_restart(child, platform, observed, now);
            let is_deployment = matches!(child, Child::Deployment(_));
            // What moves no pods is mended whatever else is the matter.
            if is_deployment && !is_clear && plan.moves_pods(&child) {
                plan.later(&child);
            } else {
                plan.one(child);
            }
        }
        is_clear &= of_service(observed, platform, service, build).is_open();
    }
}

/// A restart is another description of the same pods. Its time has to have come, and once it has, it stays in the
/// description: taking the field away restarts nothing.
fn with_restart(child: Child, platform: &Platform, observed: &Observed, now: Timestamp) -> Child {
    let Child::Deployment(mut deployment) = child else {
        return child;
    };
    let name = deployment.metadata.name.clone().unwrap_or_default();
    let annotation = |at: String| digest_annotation("restart", at);
    let before = observed
        .live
        .deployments
        .get(&name)
        .and_then(|live| {
            live.spec
                .as_ref()?
                .template
                .metadata
                .as_ref()?
                .annotations
                .as_ref()
        })
        .and_then(|annotations| annotations.get(&annotation(String::new()).0).cloned());
    let due = platform
        .restart_at
        .filter(|at| *at <= now)
        .map(|at| at.to_string());
    if let (Some(at), Some(spec)) = (due.or(before), &mut deployment.spec) {
        spec.template
            .metadata
            .get_or_insert_default()
            .annotations
            .get_or_insert_default()
            .extend([annotation(at)]);
    }
    Child::Deployment(deployment)
}

/// How many pods to ask for; none when somebody else decides.
///
/// To leave the field out is to give it up, and an API server sets a field that nobody owns back to one. So the number
/// goes on being named until an autoscaler has written it once.
fn replicas(workload: &Workload, live: Option<&Deployment>) -> Option<u32> {
    let (min, max) = match workload.replicas {
        Replicas::Fixed(count) => return Some(count),
        Replicas::Autoscaled { min, max, .. } => (min, max),
    };
    let present = live
        .and_then(|live| live.spec.as_ref()?.replicas)
        .and_then(|count| u32::try_from(count).ok())
        .unwrap_or(0);
    if present == 0 {
        return Some(min);
    }
    let is_scaled = live.is_some_and(is_scaled_by_another);
    if is_scaled {
        None
    } else {
        Some(present.clamp(min, max.max(present)))
    }
}

fn is_scaled_by_another(deployment: &Deployment) -> bool {
    deployment
        .metadata
        .managed_fields
        .iter()
        .flatten()
        .any(|entry| entry.subresource.as_deref() == Some("scale"))
}
