//! What is due, from what was observed. Pure and total: every pass performs the first unmet step, so that an operator
//! that dies anywhere goes on where it was.

pub mod backups;
pub mod budget;
pub mod gate;
pub mod leave;
pub mod mongodb;
mod plan;
pub mod release;
pub mod restore;
pub mod rollout;
mod secrets;
mod services;
mod stores;
mod window;
mod write;

use std::time::Duration;

use bigtix_crds::platform::{Mode, OperatorChanges};
use bigtix_crds::{Platform, Service};

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::jiff::Timestamp;

use crate::build::{Child, ingress, meta, monitoring, network};
use crate::difference::Contest;
use crate::kind::Kind;
use crate::names::{MANAGED_BY_LABEL, MANAGER};
use crate::observe::facts::Observed;

pub(crate) use budget::asked as asked_for_metrics;
pub(crate) use stores::expected as expected_secrets;
pub use write::{Occasion, Write};

use backups::Scheduled;
use budget::Budget;
use gate::{Gate, Reason};
use leave::{Leave, Leaving};
use plan::Plan;
use restore::Restoring;
use rollout::{Change, Course};

/// How soon a shop that waits for something is looked at again, should no event come first.
const WAITING: Duration = Duration::from_secs(5);
/// How soon a shop at rest is.
const AT_REST: Duration = Duration::from_secs(300);

/// What came of a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What to do, in order.
    pub writes: Vec<Write>,
    /// What the status is made of; none when the resource breaks a rule.
    pub findings: Option<Findings>,
    /// What to tell those who read events.
    pub notices: Vec<Notice>,
    /// When to look again at the latest.
    pub look_again: Duration,
}

/// Something worth an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Whether somebody should worry.
    pub is_warning: bool,
    /// In the form of a condition's reason.
    pub reason: &'static str,
    /// A sentence.
    pub message: String,
}

/// What the status is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// The rollout and what each service is to run.
    pub course: Course,
    /// Whether the stores serve.
    pub stores: Gate,
    /// Whether Secrets that users bring are there.
    pub brought: Gate,
    /// Whether the way in is there.
    pub ingress: Gate,
    /// Why a rollout that is due does not begin.
    pub held: Option<Reason>,
    /// Of which services the rollout is judged by readiness alone.
    pub unjudged: Option<String>,
    /// Whether the wanted release was taken back.
    pub is_rejected: bool,
    /// Whether anything is left to be written.
    pub is_settled: bool,
    /// What somebody else has set and is set back.
    pub contests: Vec<Contest>,
    /// Objects whose pods would be replaced only because this operator describes them differently, and which wait.
    pub postponed: Vec<String>,
    /// The restore that has the shop.
    pub restoring: Option<Restoring>,
    /// What is waited for before a shop that is deleted goes.
    pub leaving: Option<Leaving>,
    /// The schedule of backups, where there is one.
    pub scheduled: Option<Scheduled>,
}

impl Findings {
    /// Whether there is nothing left to do or to wait for.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_at_rest() && self.held.is_none() && self.restoring.is_none()
    }

    /// Whether nothing happens by itself: a rollout that is held begins when somebody changes the resource, or when its
    /// window opens.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let Self {
            course,
            stores,
            brought,
            ingress,
            held: _,
            unjudged: _,
            is_rejected: _,
            is_settled,
            contests: _,
            postponed: _,
            restoring: _,
            leaving,
            scheduled: _,
        } = self;
        let gates = [&course.gate, stores, brought, ingress];
        *is_settled
            && leaving.is_none()
            && course.rollout.is_none()
            && gates.iter().all(|gate| gate.is_open())
    }
}

/// What is due for one shop now.
#[must_use]
pub fn next(observed: &Observed, now: Timestamp) -> Decision {
    let leave = leave::of(observed, now);
    let platform = match &observed.verdict {
        Ok(platform) => platform,
        Err(_) => {
            return Decision {
                writes: leave.map(|leave| leave.writes).unwrap_or_default(),
                findings: None,
                notices: Vec::new(),
                look_again: AT_REST,
            };
        }
    };
    let (leaving, last_writes) = leave.map(|Leave { leaving, writes }| (leaving, writes)).unzip();
    let (mut writes, findings) = decide(observed, platform, leaving, now);
    let is_plan = platform.mode == Mode::Plan;
    if is_plan {
        writes = planned(observed, platform, &writes);
    }
    // What goes needs no mending.
    if platform.paused || matches!(findings.leaving, Some(Leaving::Goes(_))) {
        writes.clear();
    }
    writes.extend(last_writes.into_iter().flatten());
    let is_waiting = !writes.is_empty() || !findings.is_at_rest();
    let rest = if is_waiting { WAITING } else { AT_REST };
    let scheduled = findings.scheduled.as_ref();
    let backup = scheduled.and_then(|scheduled| backups::wait(scheduled, now));
    Decision {
        notices: if is_plan {
            Vec::new()
        } else {
            notices(observed, &findings)
        },
        findings: Some(findings),
        look_again: backup.map_or(rest, |backup| backup.min(rest)),
        writes,
    }
}

fn decide(
    observed: &Observed,
    platform: &Platform,
    leaving: Option<Leaving>,
    now: Timestamp,
) -> (Vec<Write>, Findings) {
    let shop = observed.shop(platform);
    let mut plan = Plan::new(observed, shop);
    plan.writes.extend(leave::hold(&observed.resource));
    let brought = stores::brought(observed, platform);

    // Everything else names the Secrets, so nothing else begins before they are there.
    let missing = secrets::missing(observed, shop);
    let has_secrets = missing.is_empty();
    plan.writes.extend(missing.into_iter().map(Write::Secret));
    plan.writes.extend(secrets::rotation(observed, shop, now));

    let budget = Budget::of(observed, platform);
    let restoring = restore::of(observed, platform);
    let down = leaving.as_ref().map(Leaving::reason);
    let down = down.or_else(|| restoring.as_ref().map(Restoring::reason));
    let (course, held, is_rejected) = services::course(observed, platform, &budget, down.as_ref(), now);
    // Nothing of what goes is replaced any more.
    plan.postpones = leaving.is_some() || postpones(observed, platform, &course, now);
    let runs_others = runs_others(platform, &course);
    let mut stores = Gate::Waiting(Reason {
        predicate: "SecretsExist",
        message: "the Secrets are being made".to_owned(),
    });
    if has_secrets {
        if !runs_others {
            plan.all(network::children(shop));
        }
        stores = stores::plan(&mut plan, observed);
        let foundation = if brought.is_open() {
            stores.clone()
        } else {
            brought.clone()
        };
        services::plan(&mut plan, observed, &course, &foundation, down.is_some(), now);
        if !runs_others {
            plan.all(ingress::children(shop));
            plan.all(
                monitoring::children(shop)
                    .into_iter()
                    .filter(|child| child.kind().is_some_and(|kind| plan_has(observed, kind)))
                    .collect(),
            );
        }
        if course.rollout.is_none() && !course.builds.is_empty() && !runs_others {
            plan.sweep();
        }
    }
    let is_settled = plan.writes.is_empty() && !plan.is_held;
    // A backup is nothing that the shop waits for.
    let schedule = match leaving {
        None => backups::plan(observed, platform, restoring.is_some(), now),
        Some(_) => None,
    };
    let (scheduled, writes) = schedule.unzip();
    plan.writes.extend(writes.into_iter().flatten());
    let findings = Findings {
        restoring,
        leaving,
        scheduled,
        ingress: stores::ingress(observed, platform),
        is_settled,
        course,
        stores,
        brought,
        held,
        unjudged: budget.unknown(),
        is_rejected,
        contests: plan.contests,
        postponed: plan.postponed,
    };
    (plan.writes, findings)
}

/// Whether other services run than the wanted release has, because it is held, was taken back, or leaves one out that has
/// not gone yet. What those that run need stays as it is.
fn runs_others(platform: &Platform, course: &Course) -> bool {
    let is_wanted = |service: &Service| platform.services.get(*service).is_some();
    let is_held = course.rollout.is_none() && !course.builds.is_empty();
    let lacks_some = platform
        .services
        .iter()
        .any(|(service, _)| !course.builds.contains_key(&service));
    !course.builds.keys().all(is_wanted) || is_held && lacks_some
}

/// Whether pods that only a new operator describes differently stay as they are for now.
///
/// Whatever else would replace them comes with another generation of the resource or is a rollout, and takes them along.
fn postpones(observed: &Observed, platform: &Platform, course: &Course, now: Timestamp) -> bool {
    let settled = observed
        .resource
        .status
        .as_ref()
        .and_then(|status| status.settled_generation);
    let is_the_same = settled.is_some() && settled == observed.resource.metadata.generation;
    let upgrade = &platform.upgrade;
    let may_wait = match upgrade.operator_changes {
        OperatorChanges::NextRollout => true,
        OperatorChanges::Window => !window::is_open(&upgrade.windows, now),
        OperatorChanges::Immediate => false,
    };
    is_the_same && course.rollout.is_none() && may_wait
}

/// Instead of writing, what would be written, as a ConfigMap for people to read. It goes when the mode does.
fn planned(observed: &Observed, platform: &Platform, writes: &[Write]) -> Vec<Write> {
    let name = format!("{}-plan", platform.name);
    let own = |write: &&Write| !matches!(write, Write::Delete(_, deleted) if *deleted == name);
    let lines: Vec<String> = writes.iter().filter(own).map(Write::described).collect();
    let shop = observed.shop(platform);
    let mut plan = Plan::new(observed, shop);
    plan.one(Child::ConfigMap(ConfigMap {
        metadata: meta::shared(shop, name.clone()),
        data: Some([("plan".to_owned(), lines.join("\n"))].into()),
        ..ConfigMap::default()
    }));
    plan.writes
}

fn plan_has(observed: &Observed, kind: Kind) -> bool {
    !kind.is_optional() || observed.optional_kinds.contains(&kind.resource().kind)
}

fn notices(observed: &Observed, findings: &Findings) -> Vec<Notice> {
    let status = observed.resource.status.as_ref();
    let before = status.map_or(&[][..], |status| status.conditions.as_slice());
    let leaving = findings.leaving.as_ref();
    let release = findings
        .course
        .rollout
        .as_ref()
        .map(|rollout| rollout.to.to_string())
        .unwrap_or_default();
    let notice = |change: &Change| match change {
        Change::Began => Some(Notice {
            is_warning: false,
            reason: "RolloutBegan",
            message: format!("release {release} is being rolled out"),
        }),
        Change::Kept {
            set: _,
            contraction: Some(contraction),
        } => Some(Notice {
            is_warning: false,
            reason: "PointOfNoReturn",
            message: format!("release {release} is not taken back any more: {contraction}"),
        }),
        Change::Kept {
            set: _,
            contraction: None,
        } => None,
        Change::Failed(Reason { predicate, message }) => Some(Notice {
            is_warning: true,
            reason: "RolloutFailed",
            message: format!("{predicate}: {message}; it is being taken back"),
        }),
        Change::Succeeded(set) => Some(Notice {
            is_warning: false,
            reason: "RolloutSucceeded",
            message: match &findings.unjudged {
                None => format!("release {} serves users", set.version),
                Some(unjudged) => format!("release {} serves users, {unjudged}", set.version),
            },
        }),
        Change::TakenBack(_) => Some(Notice {
            is_warning: true,
            reason: "RolledBack",
            message: "every service runs again what it ran before".to_owned(),
        }),
    };
    let contested = |contest: &Contest| Notice {
        is_warning: true,
        reason: "FieldContested",
        message: contested(contest),
    };
    let rollout = findings.course.changes.iter().filter_map(notice);
    rollout
        .chain(findings.contests.iter().map(contested))
        .chain(leaving.and_then(|leaving| leaving.notice(before)))
        .collect()
}

/// What to say of a field that somebody else has set.
pub(crate) fn contested(
    Contest {
        object,
        field,
        manager,
    }: &Contest,
) -> String {
    let who = manager.as_deref().unwrap_or("somebody");
    format!(
        "{object}: {who} changed {field}, and it is set back; ask for it in the BigTix resource, or keep {who} away from what has the \
         label {MANAGED_BY_LABEL}={MANAGER}"
    )
}

#[cfg(test)]
pub(crate) mod tests;
