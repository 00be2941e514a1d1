//! What the status says, from what was observed and decided. Conditions only; there is no phase.
//!
//! It is the same, byte for byte, as long as nothing happens, so that a shop at rest costs no write.

pub(crate) mod conditions;
pub mod measures;

use bigtix_crds::platform::Mode;
use bigtix_crds::v1alpha1::{BigTixStatus, DataStoreStatus, HistoryEntry, ServiceStatus, VersionStatus};
use bigtix_crds::{Platform, Violation};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::build::store;
use crate::names::Component;
use crate::next::gate::Reason;
use crate::next::leave;
use crate::next::release::ReleaseSet;
use crate::next::rollout::{Change, Failure, RECALLED, ROLLED_BACK, Rollout, SUCCEEDED};
use crate::next::{Decision, Findings};
use crate::observe::facts::{MongodbFacts, Observed};

/// How many ended rollouts are remembered.
const HISTORY: usize = 10;
/// How old the time of the last contest gets before the next one renews it.
const CONTEST_IS_KEPT: SignedDuration = SignedDuration::from_mins(5);

/// What to say after a pass.
#[must_use]
pub fn status(observed: &Observed, decision: &Decision, now: Timestamp) -> BigTixStatus {
    match (&observed.verdict, &decision.findings) {
        (Ok(platform), Some(findings)) => of(observed, platform, findings, now),
        (Err(violations), _) => refused(observed, violations, now),
        (Ok(_), None) => observed.resource.status.clone().unwrap_or_default(),
    }
}

/// The status of a resource that can be carried out.
fn of(observed: &Observed, platform: &Platform, findings: &Findings, now: Timestamp) -> BigTixStatus {
    let before = observed.resource.status.clone().unwrap_or_default();
    let generation = observed.resource.metadata.generation.unwrap_or_default();
    let rollout = findings.course.rollout.as_ref().map(Rollout::record);
    // What is only planned has not happened: a rollout that had begun is held, and none begins.
    let (version, rollout, history) = match platform.mode {
        Mode::Apply => {
            let version = versions(platform, findings, &before.version);
            (version, rollout, history(&before, platform, findings, now))
        }
        Mode::Plan => {
            let held = before.rollout.as_ref().and(rollout);
            (before.version.clone(), held, before.history.clone())
        }
    };
    BigTixStatus {
        observed_generation: generation,
        settled_generation: settled(&before, findings, platform, generation),
        conditions: conditions::all(observed, platform, findings, &version, now),
        contested_at: contested_at(&before, findings, now),
        services: services(observed, platform),
        data_stores: data_stores(observed, platform),
        rollout,
        history,
        url: platform.ingress.enabled.then(|| platform.ingress.url()),
        backup: findings
            .scheduled
            .as_ref()
            .map(|scheduled| scheduled.status.clone()),
        restore: findings
            .restoring
            .as_ref()
            .map(|restoring| restoring.name.clone()),
        version,
    }
}

fn settled(before: &BigTixStatus, findings: &Findings, platform: &Platform, generation: i64) -> Option<i64> {
    let is_settled = findings.is_done() && findings.postponed.is_empty() && platform.mode == Mode::Apply;
    if is_settled {
        Some(generation)
    } else {
        before.settled_generation
    }
}

/// When somebody else was last found to have changed a field. Of one who does so again and again it is written down only
/// now and then: each write is seen as a change of the resource, which is a reason to look again.
fn contested_at(before: &BigTixStatus, findings: &Findings, now: Timestamp) -> Option<Time> {
    let is_recent = |at: &Time| now.duration_since(at.0) < CONTEST_IS_KEPT;
    match &before.contested_at {
        Some(at) if is_recent(at) => before.contested_at.clone(),
        _ if !findings.contests.is_empty() => Some(Time(now)),
        at => at.clone(),
    }
}

/// The status of a resource that cannot: everything stays as it was but for what is said about it.
fn refused(observed: &Observed, violations: &[Violation], now: Timestamp) -> BigTixStatus {
    let before = observed.resource.status.clone().unwrap_or_default();
    let generation = observed.resource.metadata.generation.unwrap_or_default();
    let is_held = leave::is_held(&observed.resource.metadata);
    BigTixStatus {
        observed_generation: generation,
        conditions: conditions::refused(&before.conditions, violations, is_held, generation, now),
        ..before
    }
}

fn versions(platform: &Platform, findings: &Findings, before: &VersionStatus) -> VersionStatus {
    let mut version = before.clone();
    let rollout = findings.course.rollout.as_ref();
    for change in &findings.course.changes {
        match change {
            Change::Succeeded(set) => {
                if version.current.as_deref() != Some(&set.version.to_string()) {
                    version.previous = version.current.take();
                }
                version.current = Some(set.version.to_string());
                version.services = set.record();
                version.rejected = None;
            }
            Change::Kept { set, contraction: _ } => version.services = set.record(),
            Change::TakenBack(Failure::Bad(_)) => version.rejected = Some(rejected(platform, before)),
            Change::Began | Change::Failed(_) | Change::TakenBack(Failure::Recalled) => {}
        }
    }
    if rollout.is_some_and(|rollout| rollout.failure.is_none()) && !findings.is_rejected {
        version.rejected = None;
    }
    version.target = match rollout {
        Some(Rollout {
            failure: None, to, ..
        }) => Some(to.to_string()),
        Some(Rollout { from, .. }) => from.as_ref().map(ToString::to_string),
        None => version
            .current
            .clone()
            .or_else(|| Some(platform.version.to_string())),
    };
    version
}

/// What was taken back: the release, or when the same release runs with other images, that set of images.
fn rejected(platform: &Platform, before: &VersionStatus) -> String {
    let version = platform.version.to_string();
    if before.current.as_ref() == Some(&version) {
        ReleaseSet::wanted(platform).id()
    } else {
        version
    }
}

fn history(
    before: &BigTixStatus,
    platform: &Platform,
    findings: &Findings,
    now: Timestamp,
) -> Vec<HistoryEntry> {
    let mut history = before.history.clone();

    let started_at = before
        .rollout
        .as_ref()
        .and_then(|rollout| rollout.started_at.clone());
    let entry = |version: String, id: String, result: &str, reason: Option<String>| HistoryEntry {
        id: Some(id),
        version,
        result: result.to_owned(),
        reason,
        started_at: started_at.clone().or(Some(Time(now))),
        finished_at: Some(Time(now)),
    };
    for change in &findings.course.changes {
        let ended = before.rollout.as_ref();
        match change {
            Change::Began | Change::Failed(_) | Change::Kept { .. } => {}
            Change::Succeeded(set) => {
                history.insert(
                    0,
                    entry(
                        set.version.to_string(),
                        set.id(),
                        SUCCEEDED,
                        findings.unjudged.clone(),
                    ),
                );
            }
            Change::TakenBack(how) => {
                let wanted = ReleaseSet::wanted(platform);
                let id = ended.map_or_else(|| wanted.id(), |rollout| rollout.id.clone());
                let version = ended.map_or_else(|| wanted.version.to_string(), |rollout| rollout.to.clone());
                let (result, reason) = match how {
                    Failure::Bad(why) => (ROLLED_BACK, Some(why.clone())),
                    Failure::Recalled => (RECALLED, None),
                };
                history.insert(0, entry(version, id, result, reason));
            }
        }
    }
    history.truncate(HISTORY);
    history
}

fn services(observed: &Observed, platform: &Platform) -> Vec<ServiceStatus> {
    let status = |(service, _)| {
        let name = Component::Service(service).object_name(platform);
        let live = observed.live.deployments.get(&name)?;
        let spec = live.spec.as_ref();
        let pods = live.status.clone().unwrap_or_default();
        let template = spec.map(|spec| &spec.template);
        let labels = template.and_then(|template| template.metadata.as_ref()?.labels.as_ref());
        let container = template.and_then(|template| template.spec.as_ref()?.containers.first());
        Some(ServiceStatus {
            name: service.to_string(),
            version: labels.and_then(|labels| labels.get(crate::build::meta::VERSION_LABEL).cloned()),
            image: container
                .and_then(|container| container.image.clone())
                .unwrap_or_default(),
            desired: spec.and_then(|spec| spec.replicas).unwrap_or_default(),
            ready: pods.ready_replicas.unwrap_or_default(),
            updated: pods.updated_replicas.unwrap_or_default(),
        })
    };
    platform.services.iter().filter_map(status).collect()
}

fn data_stores(observed: &Observed, platform: &Platform) -> Vec<DataStoreStatus> {
    let stores = &platform.stores;
    let all = [
        (Component::Mongodb, &stores.mongodb),
        (Component::Nats, &stores.nats),
        (Component::Redis, &stores.redis),
    ];
    let (primary, version) = match &observed.mongodb {
        MongodbFacts::Set { members, version, .. } => {
            let primary = members.iter().find(|member| member.is_primary);
            (primary.map(|member| member.address.clone()), version.clone())
        }
        MongodbFacts::Absent | MongodbFacts::Silent(_) | MongodbFacts::Fresh => (None, None),
    };
    let status = |(component, store): (Component, &bigtix_crds::platform::Store)| {
        let is_mongodb = component == Component::Mongodb;
        let managed = store::managed(store);
        let live = observed.live.stateful_sets.get(&component.object_name(platform));
        DataStoreStatus {
            name: component.as_str().to_owned(),
            external: managed.is_none(),
            version: version.clone().filter(|_| is_mongodb),
            desired: managed.map_or(0, |managed| i32::try_from(managed.replicas).unwrap_or(i32::MAX)),
            ready: live
                .and_then(|live| live.status.as_ref()?.ready_replicas)
                .unwrap_or_default(),
            primary: primary.clone().filter(|_| is_mongodb),
            storage: managed.map(|managed| managed.storage.size.0.clone()),
        }
    };
    all.into_iter().map(status).collect()
}

/// The sentence of a reason with its predicate in front.
fn sentence(reason: &Reason) -> String {
    format!("{}: {}", reason.predicate, reason.message)
}
