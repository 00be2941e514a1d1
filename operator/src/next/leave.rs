//! A shop that is deleted. With the policy `Snapshot` it stays until a final backup of it is complete, and its volumes go
//! only then.
//!
//! The services are stopped before the backup: what is bought after its moment would be paid for and in no archive. The
//! stores run until it is there. A finalizer holds the resource meanwhile, and what the policy says is read anew in each
//! pass.

use bigtix_crds::platform::{DeletionPolicy, Mode};
use bigtix_crds::{BigTix, BigTixBackup, Catalog, Platform, Service, Violation, validate_against};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;

use super::gate::Reason;
use super::{Notice, Occasion, Write, mongodb, restore};
use crate::backups::verdict::{End, FAILED, end};
use crate::names::{self, COMPONENT_LABEL, Component};
use crate::observe::facts::Observed;

/// Keeps a shop with the policy `Snapshot` until its final backup is complete.
pub const FINALIZER: &str = "bigtix.dev/final-backup";
/// Of a shop that is deleted.
pub(crate) const DELETING: &str = "Deleting";
/// Of one whose final backup failed.
pub(crate) const FINAL_BACKUP_FAILED: &str = "FinalBackupFailed";

/// Asks Kubernetes to leave what the resource owns as it is.
const ORPHAN_FINALIZER: &str = "orphan";
/// How long after a failure the final backup is tried again.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What a shop that is deleted is about. Each with a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// Something has to be so first.
    Waits(String),
    /// The final backup failed, and everything stays.
    Failed(String),
    /// It goes now.
    Goes(String),
}

/// What is due for a shop that is deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Leave {
    /// What it is about.
    pub leaving: Leaving,
    /// What to do, in order.
    pub writes: Vec<Write>,
}

impl Leaving {
    /// What is said of it.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Waits(message) | Self::Failed(message) | Self::Goes(message) => message,
        }
    }

    /// Why no service runs meanwhile.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let predicate = match self {
            Self::Waits(_) | Self::Goes(_) => DELETING,
            Self::Failed(_) => FINAL_BACKUP_FAILED,
        };
        Reason {
            predicate,
            message: self.message().to_owned(),
        }
    }

    /// What to tell, if it was not told before.
    pub(super) fn notice(&self, before: &[Condition]) -> Option<Notice> {
        let (is_warning, reason) = match self {
            Self::Waits(_) => return None,
            Self::Failed(_) => (true, FINAL_BACKUP_FAILED),
            Self::Goes(_) => (false, DELETING),
        };
        let was_told = before
            .iter()
            .any(|said| said.type_ == "Ready" && said.reason == reason && said.message == self.message());
        (!was_told).then(|| Notice {
            is_warning,
            reason,
            message: self.message().to_owned(),
        })
    }
}

/// Whether the resource with this metadata is deleted and still held.
#[must_use]
pub fn is_held(metadata: &ObjectMeta) -> bool {
    metadata.deletion_timestamp.is_some() && has_finalizer(metadata)
}

/// What a resource means. One that waits for its final backup does not sleep, because a database is read for that.
///
/// # Errors
/// Every rule that it breaks.
pub fn meaning(resource: &BigTix, catalog: &Catalog) -> Result<Platform, Vec<Violation>> {
    let mut platform = validate_against(resource, None, catalog)?;
    platform.hibernate &= !(is_held(&resource.metadata) && policy(resource) == DeletionPolicy::Snapshot);
    Ok(platform)
}

/// Whether the resource has to be held, or needs to be no more.
pub(super) fn hold(resource: &BigTix) -> Option<Write> {
    let is_wanted = resource.spec.deletion_policy == DeletionPolicy::Snapshot;
    match (is_wanted, has_finalizer(&resource.metadata)) {
        _ if resource.metadata.deletion_timestamp.is_some() => None,
        (true, false) => Some(Write::Keep),
        (false, true) => Some(Write::Release),
        (true, true) | (false, false) => None,
    }
}

/// What is due; nothing while nobody has deleted the shop.
pub(super) fn of(observed: &Observed, now: Timestamp) -> Option<Leave> {
    let resource = &observed.resource;
    is_held(&resource.metadata).then(|| match policy(resource) {
        DeletionPolicy::Retain => Leave {
            leaving: Leaving::Goes("the volumes stay".to_owned()),
            writes: vec![Write::Release],
        },
        DeletionPolicy::Delete => without_volumes(observed, "the volumes go"),
        DeletionPolicy::Snapshot => match &observed.verdict {
            Ok(platform) => snapshot(observed, platform, now),
            Err(_) => waits("no final backup is taken while the resource breaks a rule"),
        },
    })
}

fn has_finalizer(metadata: &ObjectMeta) -> bool {
    let held = metadata.finalizers.iter().flatten();
    held.into_iter().any(|held| held == FINALIZER)
}

/// Who deletes the resource alone, with `--cascade=orphan`, wants what it owns to stay.
fn policy(resource: &BigTix) -> DeletionPolicy {
    let keeps_children = resource.finalizers().iter().any(|held| held == ORPHAN_FINALIZER);
    match keeps_children {
        true => DeletionPolicy::Retain,
        false => resource.spec.deletion_policy,
    }
}

fn snapshot(observed: &Observed, platform: &Platform, now: Timestamp) -> Leave {
    if let Some(why) = not_now(observed, platform) {
        return waits(&why);
    }
    if !may_hold_data(observed, platform) {
        return without_volumes(
            observed,
            "no service has run yet, so that there is nothing to back up",
        );
    }
    let shop = platform.name.as_str();
    let name = names::final_backup(
        shop,
        observed.resource.metadata.uid.as_deref().unwrap_or_default(),
    );
    let backup = observed.backups.iter().find(|backup| backup.name_any() == name);
    match backup {
        None => match not_at_rest(observed, platform) {
            Some(why) => waits(&why),
            None => Leave {
                leaving: Leaving::Waits(format!("BigTixBackup {name} is about to be taken")),
                writes: vec![Write::Backup {
                    name,
                    shop: shop.to_owned(),
                    occasion: Occasion::Deletion,
                }],
            },
        },
        Some(backup) => taken(observed, backup, now),
    }
}

/// What comes of the backup once it is asked for.
fn taken(observed: &Observed, backup: &BigTixBackup, now: Timestamp) -> Leave {
    let name = backup.name_any();
    let status = backup.status.clone().unwrap_or_default();
    let is_deleted = backup.metadata.deletion_timestamp.is_some();
    let said = |type_: &str| {
        let said = status.conditions.iter().find(|said| said.type_ == type_);
        said.map(|said| said.message.clone()).unwrap_or_default()
    };
    match end(&status.conditions) {
        _ if is_deleted => waits(&format!(
            "BigTixBackup {name} is cleared away, and then taken anew"
        )),
        None => waits(&format!("BigTixBackup {name} is under way: {}", said(FAILED))),
        Some(End::Done) => {
            let location = status.location.unwrap_or_default();
            let message = format!("BigTixBackup {name} is complete, at {location}, and the volumes go");
            without_volumes(observed, &message)
        }
        Some(End::Failed(_)) => {
            let failed_at = status.completed_at.map(|at| at.0);
            let is_due = failed_at.is_none_or(|at| now.duration_since(at) >= AGAIN_AFTER);
            let message = format!(
                "the final backup, BigTixBackup {name}, failed: {}; everything stays, and it is tried again after {} minutes: mend the \
                 cause, or set spec.deletionPolicy to Retain, which keeps the volumes, or to Delete, which gives up the data",
                said(FAILED),
                AGAIN_AFTER.as_mins()
            );
            Leave {
                leaving: Leaving::Failed(message),
                writes: is_due.then_some(Write::DeleteBackup(name)).into_iter().collect(),
            }
        }
    }
}

/// Why nothing may be done about the final backup.
fn not_now(observed: &Observed, platform: &Platform) -> Option<String> {
    let why = if platform.paused {
        "nothing is changed while spec.paused is true".to_owned()
    } else if platform.mode == Mode::Plan {
        "nothing is changed while spec.mode is Plan".to_owned()
    } else if platform.backup.is_none() {
        "spec.backup names no place".to_owned()
    } else {
        restore::of(observed, platform)?.reason().message
    };
    Some(format!(
        "the final backup waits: {why}. Without one the shop goes when spec.deletionPolicy is Retain or Delete"
    ))
}

/// Why the final backup cannot be taken yet. Pods that end may still write.
fn not_at_rest(observed: &Observed, platform: &Platform) -> Option<String> {
    let live = &observed.live;
    let is_wanted = |service: &Service| {
        let deployment = live
            .deployments
            .get(&Component::Service(*service).object_name(platform));
        let wanted = deployment.and_then(|live| live.spec.as_ref()?.replicas);
        deployment.is_some() && wanted != Some(0)
    };
    let pods = live.service_pods();
    if !pods.is_empty() || Service::ALL.iter().any(is_wanted) {
        return Some(format!(
            "the services are being stopped before the final backup is taken: {}",
            pods.join(", ")
        ));
    }
    let (_, gate) = mongodb::plan(observed.shop(platform), &observed.mongodb, 0, true);
    let why = gate.reason()?;
    Some(format!(
        "the final backup waits for the database: {}",
        why.message
    ))
}

/// Whether anybody can have written anything.
fn may_hold_data(observed: &Observed, platform: &Platform) -> bool {
    let status = observed.resource.status.as_ref();
    let was_up = status.is_some_and(|status| status.version.current.is_some());
    let has_run = |service: &Service| {
        let name = Component::Service(*service).object_name(platform);
        observed.live.deployments.contains_key(&name)
    };
    was_up || Service::ALL.iter().any(has_run)
}

fn without_volumes(observed: &Observed, message: &str) -> Leave {
    let claims = observed.live.claims.values();
    let doomed = claims.filter(|claim| is_of_a_store(claim) && claim.metadata.deletion_timestamp.is_none());
    Leave {
        leaving: Leaving::Goes(message.to_owned()),
        writes: doomed
            .map(|claim| Write::DeleteClaim(claim.name_any()))
            .chain([Write::Release])
            .collect(),
    }
}

/// Those of members that have left too; not that of archives.
fn is_of_a_store(claim: &PersistentVolumeClaim) -> bool {
    let component = claim.labels().get(COMPONENT_LABEL);
    let stores = [Component::Mongodb, Component::Nats, Component::Redis];
    component.is_some_and(|component| stores.iter().any(|store| store.as_str() == component))
}

fn waits(message: &str) -> Leave {
    Leave {
        leaving: Leaving::Waits(message.to_owned()),
        writes: Vec::new(),
    }
}
