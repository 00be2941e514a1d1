//! A backup: what is due for it now.
//!
//! Where the archive will be is written down before anything is written there, and the request stays until it is gone again.

use std::time::Duration;

use bigtix_crds::Platform;
use bigtix_crds::v1alpha1::BigTixBackupStatus;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{Resource, ResourceExt};

use super::facts::{Backup, JobState, Program, ShopFacts, Task};
use super::job::{self, Versioned, Work};
use super::location::Location;
use super::outcome::Archive;
use super::verdict::{End, Verdict, end, reasons, whole_seconds};
use super::{Decision, WAITING, Write};
use crate::build::Shop;
use crate::names;
use crate::next::{Notice, leave};

/// Keeps a request until its archive is gone.
pub const FINALIZER: &str = "bigtix.dev/archive";
/// How long after a failure an archive is tried to be deleted again.
const DELETED_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What is due.
#[must_use]
pub fn next(facts: &Backup, now: Timestamp) -> Decision<BigTixBackupStatus> {
    let status = facts.request.status.clone().unwrap_or_default();
    if facts.request.metadata.deletion_timestamp.is_some() {
        return deleted(facts, status, now);
    }
    if end(&status.conditions).is_some() {
        return ended(facts, status);
    }
    let ready = ready(facts.shop.as_ref(), &facts.request.spec.shop, &facts.program);
    match (Location::recorded(&status), &facts.take, ready) {
        (Some(location), JobState::Absent, Ok(ready)) => {
            let services = job::versions(ready.facts);
            let work = work(facts, Task::Take, &location, ready.image, &services);
            let write = Write::Start(job::job(ready.shop(), &work));
            let verdict = Verdict::Works("the archive is being written".to_owned());
            said(facts, status, &verdict, vec![write], now)
        }
        (None, JobState::Absent, Ok(ready)) => place(facts, status, ready, now),
        (_, JobState::Absent, Err(why)) => said(facts, status, &Verdict::Waits(why), Vec::new(), now),
        (_, JobState::Leaving, _) => {
            let verdict = Verdict::Waits("a Job of the same name is going".to_owned());
            said(facts, status, &verdict, Vec::new(), now)
        }
        (_, JobState::Running(why), _) => {
            let what = why
                .clone()
                .unwrap_or_else(|| "the archive is being written".to_owned());
            said(facts, status, &Verdict::Works(what), Vec::new(), now)
        }
        (_, JobState::Succeeded(Some(archive)), _) => complete(facts, status, archive, now),
        (_, JobState::Succeeded(None), _) => {
            let why = "the pod that took it has gone without a word: take another one".to_owned();
            fail(facts, status, why, now)
        }
        (_, JobState::Failed { failure, at: _ }, _) => {
            let why = format!("{}; the shop is as it was", failure.error);
            fail(facts, status, why, now)
        }
    }
}

/// A shop that can be backed up.
struct Ready<'a> {
    facts: &'a ShopFacts,
    platform: &'a Platform,
    program: &'a Program,
    image: &'a str,
}

impl Ready<'_> {
    fn shop(&self) -> Shop<'_> {
        self.facts.shop(self.platform, self.program)
    }
}

/// Or what has to be so first.
fn ready<'a>(shop: Option<&'a ShopFacts>, name: &str, program: &'a Program) -> Result<Ready<'a>, String> {
    let facts = shop.ok_or_else(|| format!("there is no BigTix {name} in this namespace"))?;
    let platform = facts.platform()?;
    if platform.backup.is_none() {
        return Err(format!(
            "BigTix {name} names no place for backups: set spec.backup.s3 or spec.backup.volume"
        ));
    }
    let status = facts.resource.status.clone().unwrap_or_default();
    let was_up = status.version.current.is_some();
    // One that is deleted before its first release was done may hold something all the same.
    let may_hold_something = leave::is_held(&facts.resource.metadata) && !job::versions(facts).is_empty();
    if !was_up && !may_hold_something {
        return Err("the shop has not been up yet".to_owned());
    }
    if platform.hibernate {
        return Err("the shop sleeps, and its database with it: set spec.hibernate to false".to_owned());
    }
    if let Some(restore) = status.restore {
        return Err(format!("BigTixRestore {restore} has the shop"));
    }
    let image = program
        .image
        .as_deref()
        .ok_or("the operator does not know its own image: set OPERATOR_IMAGE, as its chart does")?;
    Ok(Ready {
        facts,
        platform,
        program,
        image,
    })
}

/// Writes down where the archive will be.
fn place(
    facts: &Backup,
    mut status: BigTixBackupStatus,
    ready: Ready<'_>,
    now: Timestamp,
) -> Decision<BigTixBackupStatus> {
    if let Some(backup) = &ready.platform.backup {
        let request = &facts.request;
        Location::new(
            &backup.target,
            names::archives(ready.platform),
            &request.namespace().unwrap_or_default(),
            &request.name_any(),
            request.metadata.uid.as_deref().unwrap_or_default(),
        )
        .record(&mut status);
    }
    status.started_at = Some(Time(whole_seconds(now)));
    let verdict = Verdict::Works("the archive is about to be written".to_owned());
    said(facts, status, &verdict, vec![Write::Keep], now)
}

fn work<'a>(
    facts: &'a Backup,
    task: Task,
    location: &'a Location,
    image: &'a str,
    services: &'a [Versioned],
) -> Work<'a> {
    Work {
        task,
        location,
        request: &facts.request.metadata,
        owner: facts.request.controller_owner_ref(&()).unwrap_or_default(),
        image,
        services,
    }
}

fn complete(
    facts: &Backup,
    mut status: BigTixBackupStatus,
    archive: &Archive,
    now: Timestamp,
) -> Decision<BigTixBackupStatus> {
    let Archive {
        taken_at,
        documents,
        bytes,
    } = archive;
    status.taken_at = Some(Time(whole_seconds(*taken_at)));
    status.documents = i64::try_from(*documents).ok();
    status.bytes = i64::try_from(*bytes).ok();
    status.completed_at = Some(Time(whole_seconds(now)));
    let message = format!("{documents} documents as they were at {taken_at}, written and read back");
    let notice = Notice {
        is_warning: false,
        reason: "BackupSucceeded",
        message: message.clone(),
    };
    Decision {
        notices: vec![notice],
        ..said(facts, status, &Verdict::Done(message), Vec::new(), now)
    }
}

fn fail(
    facts: &Backup,
    mut status: BigTixBackupStatus,
    why: String,
    now: Timestamp,
) -> Decision<BigTixBackupStatus> {
    status.completed_at = Some(Time(whole_seconds(now)));
    let notice = Notice {
        is_warning: true,
        reason: "BackupFailed",
        message: why.clone(),
    };
    Decision {
        notices: vec![notice],
        ..said(
            facts,
            status,
            &Verdict::Failed(reasons::NO_BACKUP, why),
            Vec::new(),
            now,
        )
    }
}

/// The Job of one that succeeded has said all; that of one that failed stays for its log.
fn ended(facts: &Backup, status: BigTixBackupStatus) -> Decision<BigTixBackupStatus> {
    let is_done = end(&status.conditions) == Some(End::Done);
    let writes = match &facts.take {
        JobState::Succeeded(_) if is_done => vec![Write::End(Task::Take.job(&facts.request.name_any()))],
        JobState::Absent
        | JobState::Running(_)
        | JobState::Succeeded(_)
        | JobState::Failed { .. }
        | JobState::Leaving => Vec::new(),
    };
    Decision {
        writes,
        ..Decision::rest(status)
    }
}

/// The request is deleted: its archive goes first, if there is one and somebody who may delete it.
fn deleted(facts: &Backup, status: BigTixBackupStatus, now: Timestamp) -> Decision<BigTixBackupStatus> {
    let is_kept = facts.request.finalizers().iter().any(|kept| kept == FINALIZER);
    let location = Location::recorded(&status);
    let Some(location) = location.filter(|_| is_kept) else {
        return Decision {
            writes: if is_kept { vec![Write::Release] } else { Vec::new() },
            ..Decision::rest(status)
        };
    };
    let job_of = |task: Task| task.job(&facts.request.name_any());
    match &facts.take {
        JobState::Absent => {}
        JobState::Leaving => return then(status, Vec::new(), WAITING),
        JobState::Running(_) | JobState::Succeeded(_) | JobState::Failed { .. } => {
            return then(status, vec![Write::End(job_of(Task::Take))], WAITING);
        }
    }
    if matches!(location, Location::Volume { .. }) && !facts.has_claim {
        return released(status, None);
    }
    match &facts.delete {
        JobState::Absent => match &facts.program.image {
            Some(image) => then(
                status,
                vec![Write::Start(deletion(facts, &location, image))],
                WAITING,
            ),
            None => released(status, Some("the operator does not know its own image")),
        },
        JobState::Running(_) | JobState::Leaving => then(status, Vec::new(), WAITING),
        JobState::Succeeded(_) => released(status, None),
        JobState::Failed { failure, at: _ } if !is_tried_again(facts, &status) => {
            released(status, Some(&failure.error))
        }
        JobState::Failed { failure, at } => {
            let is_over = at.is_none_or(|at| now.duration_since(at) >= DELETED_AGAIN_AFTER);
            if !is_over {
                return then(status, Vec::new(), Duration::from_secs(60));
            }
            Decision {
                notices: vec![Notice {
                    is_warning: true,
                    reason: "ArchiveNotDeleted",
                    message: format!("{}; it is tried again", failure.error),
                }],
                ..then(status, vec![Write::End(job_of(Task::Delete))], WAITING)
            }
        }
    }
}

fn then(
    status: BigTixBackupStatus,
    writes: Vec<Write>,
    look_again: Duration,
) -> Decision<BigTixBackupStatus> {
    Decision {
        writes,
        look_again: Some(look_again),
        ..Decision::rest(status)
    }
}

/// The request goes; why its archive stays, if it does.
fn released(status: BigTixBackupStatus, why: Option<&str>) -> Decision<BigTixBackupStatus> {
    let stays = |why: &str| Notice {
        is_warning: true,
        reason: "ArchiveStays",
        message: format!(
            "{why}; what was written stays at {}",
            status.location.as_deref().unwrap_or_default()
        ),
    };
    Decision {
        notices: why.map(stays).into_iter().collect(),
        writes: vec![Write::Release],
        ..Decision::rest(status)
    }
}

/// By a pod of the shop, as long as that says where its archives are; else by one of nobody.
fn deletion(facts: &Backup, location: &Location, image: &str) -> Job {
    let work = work(facts, Task::Delete, location, image, &[]);
    let shop = facts.shop.as_ref();
    let with_a_place = shop.and_then(|shop| {
        let platform = shop.platform().ok()?;
        platform.backup.as_ref()?;
        Some(shop.shop(platform, &facts.program))
    });
    match with_a_place {
        Some(shop) => job::job(shop, &work),
        None => job::of_nobody(&work),
    }
}

/// Where there is no archive nothing is lost but room, and where there is no shop nobody mends what is in the way.
fn is_tried_again(facts: &Backup, status: &BigTixBackupStatus) -> bool {
    facts.shop.is_some() && end(&status.conditions) == Some(End::Done)
}

fn said(
    facts: &Backup,
    status: BigTixBackupStatus,
    verdict: &Verdict,
    writes: Vec<Write>,
    now: Timestamp,
) -> Decision<BigTixBackupStatus> {
    Decision::said(status, verdict, writes, facts.request.metadata.generation, now)
}
