//! A restore: what is due for it now.
//!
//! The shop's own pass takes the services down and says so in the shop's status; only then is the database touched.

use bigtix_crds::v1alpha1::BigTixRestoreStatus;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::{Resource, ResourceExt};

use super::facts::{JobState, Restore, ShopFacts, Task};
use super::job::{self, Work};
use super::location::Location;
use super::outcome::Failure;
use super::verdict::{End, Verdict, end, reasons, whole_seconds};
use super::{Decision, Write};
use crate::names;
use crate::next::Notice;

/// What is due.
#[must_use]
pub fn next(facts: &Restore, now: Timestamp) -> Decision<BigTixRestoreStatus> {
    let status = facts.request.status.clone().unwrap_or_default();
    if facts.request.metadata.deletion_timestamp.is_some() {
        // Its Job goes with it.
        return Decision::rest(status);
    }
    if let Some(end) = end(&status.conditions) {
        let is_over = matches!((end, &facts.job), (End::Done, JobState::Succeeded(_)));
        let name = Task::Restore.job(&facts.request.name_any());
        return Decision {
            writes: is_over.then_some(Write::End(name)).into_iter().collect(),
            ..Decision::rest(status)
        };
    }
    match &facts.job {
        JobState::Absent => match prepared(facts) {
            Ok((shop, location, image)) => start(facts, status, shop, &location, image, now),
            Err(why) => said(facts, status, &Verdict::Waits(why), Vec::new(), now),
        },
        JobState::Leaving => {
            let verdict = Verdict::Waits("a Job of the same name is going".to_owned());
            said(facts, status, &verdict, Vec::new(), now)
        }
        JobState::Running(why) => {
            let what = why
                .clone()
                .unwrap_or_else(|| "what the database holds is being replaced".to_owned());
            said(facts, status, &Verdict::Works(what), Vec::new(), now)
        }
        JobState::Succeeded(_) => complete(facts, status, now),
        JobState::Failed { failure, at: _ } => fail(facts, status, failure, now),
    }
}

/// The shop, without a service that runs, and where the archive is; or what has to be so first.
fn prepared(facts: &Restore) -> Result<(&ShopFacts, Location, &str), String> {
    let (name, wanted) = (&facts.request.spec.shop, &facts.request.spec.backup);
    let shop = facts
        .shop
        .as_ref()
        .ok_or_else(|| format!("there is no BigTix {name} in this namespace"))?;
    let platform = shop.platform()?;
    if platform.backup.is_none() {
        return Err(format!(
            "BigTix {name} names no place for backups: set spec.backup.s3 or spec.backup.volume"
        ));
    }
    let backup = facts
        .backup
        .as_ref()
        .ok_or_else(|| format!("there is no BigTixBackup {wanted} in this namespace"))?;
    let recorded = backup.status.clone().unwrap_or_default();
    let location = Location::recorded(&recorded).filter(|_| end(&recorded.conditions) == Some(End::Done));
    let location = location.ok_or_else(|| format!("BigTixBackup {wanted} is not complete"))?;
    let status = shop.resource.status.clone().unwrap_or_default();
    if platform.paused || platform.hibernate {
        return Err("the shop is paused or sleeps".to_owned());
    }
    if status.restore.as_deref() != Some(&facts.request.name_any()) {
        return Err(match (status.restore, status.rollout) {
            (Some(other), _) => format!("BigTixRestore {other} has the shop"),
            (None, Some(rollout)) => format!("the rollout of {} ends first", rollout.to),
            (None, None) => "the services are about to be stopped".to_owned(),
        });
    }
    if !facts.service_pods.is_empty() {
        return Err(format!(
            "services are being stopped: {}",
            facts.service_pods.join(", ")
        ));
    }
    let image = facts.program.image.as_deref();
    let image =
        image.ok_or("the operator does not know its own image: set OPERATOR_IMAGE, as its chart does")?;
    Ok((shop, location, image))
}

fn start(
    facts: &Restore,
    mut status: BigTixRestoreStatus,
    shop: &ShopFacts,
    location: &Location,
    image: &str,
    now: Timestamp,
) -> Decision<BigTixRestoreStatus> {
    let Ok(platform) = shop.platform() else {
        return Decision::rest(status);
    };
    let work = Work {
        task: Task::Restore,
        location,
        request: &facts.request.metadata,
        owner: facts.request.controller_owner_ref(&()).unwrap_or_default(),
        image,
        services: &job::versions(shop),
    };
    let job = job::job(shop.shop(platform, &facts.program), &work);
    status.started_at = Some(Time(whole_seconds(now)));
    let verdict = Verdict::Works("what the database holds is being replaced".to_owned());
    said(facts, status, &verdict, vec![Write::Start(job)], now)
}

/// A session may be of somebody who is not in the backup, so that all of them end before a service starts.
fn complete(
    facts: &Restore,
    mut status: BigTixRestoreStatus,
    now: Timestamp,
) -> Decision<BigTixRestoreStatus> {
    let backup = facts.backup.as_ref().and_then(|backup| backup.status.as_ref());
    status.taken_at = backup.and_then(|backup| backup.taken_at.clone());
    status.completed_at = Some(Time(whole_seconds(now)));
    let taken_at = status.taken_at.as_ref().map(|at| format!(" at {}", at.0));
    let message = format!(
        "the shop is as it was{}; everybody signs in again, and what was paid or refunded at Stripe since is not known to it",
        taken_at.unwrap_or_default()
    );
    let notice = Notice {
        is_warning: false,
        reason: "RestoreSucceeded",
        message: message.clone(),
    };
    let platform = facts.shop.as_ref().and_then(|shop| shop.platform().ok());
    let keys = platform.map(names::session_keys);
    let writes = keys.map(Write::RenewSessionKeys).into_iter().collect();
    Decision {
        notices: vec![notice],
        ..said(facts, status, &Verdict::Done(message), writes, now)
    }
}

fn fail(
    facts: &Restore,
    mut status: BigTixRestoreStatus,
    Failure { error, changed }: &Failure,
    now: Timestamp,
) -> Decision<BigTixRestoreStatus> {
    status.completed_at = Some(Time(whole_seconds(now)));
    let verdict = if *changed {
        let why = format!(
            "{error}; the database may be half restored, and no service runs: mend the cause, and create another BigTixRestore"
        );
        Verdict::Failed(reasons::HALF_RESTORED, why)
    } else {
        Verdict::Failed(reasons::REFUSED, format!("{error}; nothing was changed"))
    };
    let message = match &verdict {
        Verdict::Failed(_, why) | Verdict::Waits(why) | Verdict::Works(why) | Verdict::Done(why) => {
            why.clone()
        }
    };
    let notice = Notice {
        is_warning: true,
        reason: "RestoreFailed",
        message,
    };
    Decision {
        notices: vec![notice],
        ..said(facts, status, &verdict, Vec::new(), now)
    }
}

fn said(
    facts: &Restore,
    status: BigTixRestoreStatus,
    verdict: &Verdict,
    writes: Vec<Write>,
    now: Timestamp,
) -> Decision<BigTixRestoreStatus> {
    Decision::said(status, verdict, writes, facts.request.metadata.generation, now)
}
