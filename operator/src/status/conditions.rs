//! The conditions, each with the generation that it speaks of.

mod backups;
mod refused;
mod unreadable;

use bigtix_crds::platform::{Mode, OperatorChanges, Payments, Store};
use bigtix_crds::v1alpha1::VersionStatus;
use bigtix_crds::{Platform, Version};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::sentence;
use crate::kind::Kind;
use crate::names::Component;
use crate::next::gate::{Gate, Reason};
use crate::next::leave::{DELETING, Leaving};
use crate::next::{self, Findings};
use crate::observe::facts::Observed;
pub(super) use refused::refused;
pub(crate) use unreadable::{UNREADABLE, of_unreadable, unreadable};

/// For how long a condition tells of a field that somebody else had set, from the time that the status has of it.
const CONTEST_IS_SHOWN: SignedDuration = SignedDuration::from_mins(10);
/// As many bytes as an API server takes.
const LONGEST_MESSAGE: usize = 32_768;

/// What one condition says.
struct Saying {
    is_true: bool,
    reason: &'static str,
    message: String,
}

impl Saying {
    fn yes(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            is_true: true,
            reason,
            message: message.into(),
        }
    }

    fn no(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            is_true: false,
            reason,
            message: message.into(),
        }
    }

    fn of(gate: &Gate, reason: &'static str) -> Self {
        match gate.reason() {
            None => Self::yes(reason, ""),
            Some(Reason { predicate, message }) => Self::no(predicate, message.clone()),
        }
    }
}

/// Every condition of a resource that can be carried out.
pub(super) fn all(
    observed: &Observed,
    platform: &Platform,
    findings: &Findings,
    version: &VersionStatus,
    now: Timestamp,
) -> Vec<Condition> {
    let before = observed
        .resource
        .status
        .as_ref()
        .map_or(&[][..], |status| status.conditions.as_slice());
    let said = [
        ("Ready", ready(platform, findings, version)),
        ("Available", available(observed, platform, findings)),
        ("Progressing", progressing(platform, findings, version)),
        ("Degraded", degraded(findings, version)),
        ("SpecValid", Saying::yes("AsExpected", "")),
        ("DataStoresReady", data_stores(platform, findings)),
        ("IngressReady", Saying::of(&findings.ingress, "AsExpected")),
        ("MonitoringReady", monitoring(observed, platform)),
        ("PaymentsReal", payments(platform)),
        ("Contested", contested(observed, findings, now)),
        ("RestartsPending", restarts(platform, findings)),
        ("Paused", paused(platform)),
    ];
    let backups = findings
        .scheduled
        .as_ref()
        .map(|scheduled| ("BackupHealthy", backups::healthy(scheduled)));
    let generation = observed.resource.metadata.generation.unwrap_or_default();
    said.into_iter()
        .chain(backups)
        .map(|(type_, saying)| condition(before, type_, saying, generation, now))
        .collect()
}

fn ready(platform: &Platform, findings: &Findings, version: &VersionStatus) -> Saying {
    if let Some(leaving) = &findings.leaving {
        return Saying::no(leaving.reason().predicate, leaving.message());
    }
    if platform.paused {
        return Saying::no("Paused", "nothing is changed while spec.paused is true");
    }
    if platform.hibernate {
        return Saying::no(
            "Hibernated",
            "everything is scaled to nothing while spec.hibernate is true",
        );
    }
    if let Some(restoring) = &findings.restoring {
        return Saying::no("Restoring", restoring.reason().message);
    }
    if platform.mode == Mode::Plan {
        return if findings.is_settled {
            Saying::yes("Planned", "nothing would change")
        } else {
            Saying::no(
                "Planned",
                format!("what would change stands in ConfigMap {}-plan", platform.name),
            )
        };
    }
    if findings.is_rejected && findings.course.rollout.is_none() {
        return Saying::no("RolledBack", rejected(version));
    }
    if let Some(Reason { predicate, message }) = &findings.held {
        return Saying::no(predicate, message.clone());
    }
    if findings.is_done() {
        let current = version.current.as_deref().unwrap_or_default();
        return Saying::yes("AsExpected", format!("release {current} serves users"));
    }
    waiting_for(findings)
}

/// The first thing that is waited for, in the order in which things happen.
fn waiting_for(findings: &Findings) -> Saying {
    let gates = [
        ("SecretMissing", &findings.brought),
        ("DataStoresNotReady", &findings.stores),
        ("RollingOut", &findings.course.gate),
        ("IngressNotReady", &findings.ingress),
    ];
    let first = gates
        .iter()
        .find_map(|(reason, gate)| Some((*reason, gate.reason()?)));
    match first {
        Some((reason, why)) => Saying::no(reason, sentence(why)),
        None => Saying::no("Reconciling", "objects are being applied"),
    }
}

/// Users are served when every service has a pod that is ready and the stores serve.
fn available(observed: &Observed, platform: &Platform, findings: &Findings) -> Saying {
    if platform.hibernate {
        return Saying::no("Hibernated", "the shop sleeps");
    }
    if findings.leaving.is_some() {
        return Saying::no(DELETING, "the shop is deleted, and no service runs any more");
    }
    if let Some(restoring) = &findings.restoring {
        return Saying::no("Restoring", restoring.reason().message);
    }
    for (service, _) in platform.services.iter() {
        let name = Component::Service(service).object_name(platform);
        let live = observed.live.deployments.get(&name);
        let available = live
            .and_then(|live| live.status.as_ref()?.available_replicas)
            .unwrap_or(0);
        if available == 0 {
            return Saying::no(
                "ServiceUnavailable",
                format!("{service} has no pod that is ready"),
            );
        }
    }
    match findings.stores.reason() {
        Some(why) if why.predicate == "MongodbHasPrimary" => {
            Saying::no("DataStoreUnavailable", sentence(why))
        }
        _ => Saying::yes("AsExpected", ""),
    }
}

fn progressing(platform: &Platform, findings: &Findings, version: &VersionStatus) -> Saying {
    if platform.mode == Mode::Plan {
        return Saying::no("Planned", "nothing is carried out while spec.mode is Plan");
    }
    match &findings.leaving {
        Some(leaving @ Leaving::Failed(_)) => {
            return Saying::no(leaving.reason().predicate, leaving.message());
        }
        Some(leaving @ (Leaving::Waits(_) | Leaving::Goes(_))) => {
            return Saying::yes(leaving.reason().predicate, leaving.message());
        }
        None => {}
    }
    match &findings.restoring {
        Some(restoring) if !restoring.is_half => {
            return Saying::yes("Restoring", restoring.reason().message);
        }
        Some(_) | None => {}
    }
    if let (Some(_), Some(Reason { predicate, message })) = (&findings.course.rollout, &findings.held) {
        return Saying::no(predicate, message.clone());
    }
    match (&findings.course.rollout, &findings.course.gate) {
        (Some(rollout), Gate::Broken(why)) if rollout.is_past_return => {
            Saying::no("Failed", past_return(&rollout.to, why))
        }
        (Some(rollout), Gate::Broken(why)) if rollout.failure.is_none() => {
            Saying::no("Failed", sentence(why))
        }
        (Some(rollout), gate) => {
            let to = match rollout.failure {
                None => format!("release {} is being rolled out", rollout.to),
                Some(_) => format!("release {} is being taken back", rollout.to),
            };
            let why = gate
                .reason()
                .map(|why| format!("; {}", sentence(why)))
                .unwrap_or_default();
            let until = rollout
                .deadline
                .map(|deadline| format!("; until {}", whole_seconds(deadline)))
                .unwrap_or_default();
            Saying::yes("RollingOut", format!("{to}{why}{until}"))
        }
        (None, _) if findings.is_rejected => Saying::no("RolledBack", rejected(version)),
        (None, _) if !findings.is_settled => Saying::yes("Reconciling", "objects are being applied"),
        (None, _) => Saying::no("AsExpected", ""),
    }
}

/// Polarity: true is bad.
fn degraded(findings: &Findings, version: &VersionStatus) -> Saying {
    use crate::next::rollout::Change;
    if let Some(leaving @ Leaving::Failed(_)) = &findings.leaving {
        return Saying::yes(leaving.reason().predicate, leaving.message());
    }
    if let Some(half) = findings.restoring.as_ref().filter(|restoring| restoring.is_half) {
        return Saying::yes("HalfRestored", half.reason().message);
    }
    let failed = findings.course.changes.iter().find_map(|change| match change {
        Change::Failed(why) => Some(why),
        Change::Began | Change::Kept { .. } | Change::Succeeded(_) | Change::TakenBack(_) => None,
    });
    if let Some(why) = failed {
        return Saying::yes("RolloutFailed", sentence(why));
    }
    if let Some(why) = findings.brought.reason() {
        return Saying::yes("SecretMissing", why.message.clone());
    }
    let past = findings
        .course
        .rollout
        .as_ref()
        .filter(|rollout| rollout.is_past_return);
    match &findings.course.gate {
        Gate::Broken(why) if let Some(rollout) = past => {
            Saying::yes("PointOfNoReturn", past_return(&rollout.to, why))
        }
        Gate::Broken(why) => Saying::yes("ServiceBroken", sentence(why)),
        Gate::Open | Gate::Waiting(_) if findings.is_rejected => Saying::yes("RolledBack", rejected(version)),
        Gate::Open | Gate::Waiting(_) => Saying::no("AsExpected", ""),
    }
}

fn data_stores(platform: &Platform, findings: &Findings) -> Saying {
    if platform.hibernate {
        return Saying::no("Hibernated", "the stores sleep; their volumes stay");
    }
    if let Some(why) = findings.brought.reason() {
        let stores = [
            &platform.stores.mongodb,
            &platform.stores.nats,
            &platform.stores.redis,
        ];
        if stores.iter().any(|store| matches!(store, Store::External { .. })) {
            return Saying::no("SecretMissing", why.message.clone());
        }
    }
    Saying::of(&findings.stores, "AsExpected")
}

fn payments(platform: &Platform) -> Saying {
    match &platform.payments {
        Payments::Account { .. } => Saying::yes("StripeAccount", ""),
        Payments::StripeDouble => Saying::no(
            "StripeDouble",
            "a stand-in for Stripe takes every payment and no money moves; set spec.payments.secretName to charge cards",
        ),
    }
}

/// What is asked for and cannot be had does not keep a shop from serving users.
fn monitoring(observed: &Observed, platform: &Platform) -> Saying {
    let wanted = &platform.observability;
    let lacking = [
        (wanted.pod_monitor, Kind::PodMonitor, "podMonitor"),
        (wanted.alerts, Kind::PrometheusRule, "alerts"),
    ]
    .into_iter()
    .map(|(is_wanted, kind, field)| (is_wanted, kind.resource().kind, field))
    .find(|(is_wanted, kind, _)| *is_wanted && !observed.optional_kinds.contains(kind));
    match lacking {
        Some((_, kind, field)) => Saying::no(
            "KindMissing",
            format!(
                "the cluster has no kind {kind} of monitoring.coreos.com: install the definitions of the Prometheus operator, which are \
                 noticed within five minutes, or leave spec.observability.{field} out"
            ),
        ),
        None if wanted.pod_monitor || wanted.alerts => Saying::yes("AsExpected", ""),
        None => Saying::yes("NotAskedFor", ""),
    }
}

/// Polarity: true is bad. It is said for a while after the field was set back, for those who come to look.
fn contested(observed: &Observed, findings: &Findings, now: Timestamp) -> Saying {
    if let Some(contest) = findings.contests.first() {
        return Saying::yes("ForeignManager", next::contested(contest));
    }
    let Some(status) = &observed.resource.status else {
        return Saying::no("AsExpected", "");
    };
    let is_fresh = |at: &Time| now.duration_since(at.0) < CONTEST_IS_SHOWN;
    let said = status
        .conditions
        .iter()
        .find(|old| old.type_ == "Contested" && old.status == "True");
    match said {
        Some(old) if status.contested_at.as_ref().is_some_and(is_fresh) => {
            Saying::yes("ForeignManager", old.message.clone())
        }
        _ => Saying::no("AsExpected", ""),
    }
}

/// Polarity: true means that somebody may want to do something, at leisure.
fn restarts(platform: &Platform, findings: &Findings) -> Saying {
    if findings.postponed.is_empty() {
        return Saying::no("AsExpected", "");
    }
    let when = match platform.upgrade.operator_changes {
        OperatorChanges::Window => "in the next window of spec.upgrade.windows",
        OperatorChanges::NextRollout | OperatorChanges::Immediate => "with the next rollout",
    };
    Saying::yes(
        "OperatorChanged",
        format!(
            "this operator describes the pods of {} differently; they are replaced {when}, or with any change of the resource, such as \
             spec.restartAt",
            findings.postponed.join(", ")
        ),
    )
}

fn paused(platform: &Platform) -> Saying {
    if platform.paused {
        Saying::yes("Paused", "nothing is changed while spec.paused is true")
    } else {
        Saying::no("NotPaused", "")
    }
}

fn rejected(version: &VersionStatus) -> String {
    let current = version.current.as_deref().unwrap_or("the release before it");
    let rejected = version.rejected.as_deref().unwrap_or("the release");
    format!(
        "{rejected} failed and was taken back to {current}; it is tried again when the version or an image changes, or when the annotation \
         bigtix.dev/retry is set to the present time"
    )
}

/// What is said of a release that fails where it cannot be taken back any more.
fn past_return(release: &Version, why: &Reason) -> String {
    format!(
        "{}; release {release} is past its point of no return and is not taken back: it goes on when this is mended, or ask for a later \
         release",
        sentence(why)
    )
}

fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn condition(
    before: &[Condition],
    type_: &str,
    saying: Saying,
    generation: i64,
    now: Timestamp,
) -> Condition {
    let Saying {
        is_true,
        reason,
        mut message,
    } = saying;
    let status = if is_true { "True" } else { "False" };
    if message.len() > LONGEST_MESSAGE {
        let end = (0..=LONGEST_MESSAGE)
            .rev()
            .find(|end| message.is_char_boundary(*end))
            .unwrap_or(0);
        message.truncate(end);
    }
    let since = before
        .iter()
        .find(|old| old.type_ == type_ && old.status == status)
        .map_or(Time(whole_seconds(now)), |old| old.last_transition_time.clone());
    Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message,
        observed_generation: Some(generation),
        last_transition_time: since,
    }
}
