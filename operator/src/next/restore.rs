//! Whether a shop is being restored: no service runs then, and no rollout begins.

use bigtix_crds::platform::Mode;
use bigtix_crds::{BigTixBackup, BigTixRestore, Platform};
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;

use super::gate::Reason;
use crate::backups::verdict::{End, end, reasons};
use crate::observe::facts::Observed;

/// A restore that the services have to stay away for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restoring {
    /// The request.
    pub name: String,
    /// Whether it failed half-way, so that only another one helps.
    pub is_half: bool,
}

impl Restoring {
    /// Why nothing is rolled out, and nothing is well, meanwhile.
    #[must_use]
    pub fn reason(&self) -> Reason {
        Reason {
            predicate: "Restoring",
            message: self.message(),
        }
    }

    /// In a sentence, with what to do.
    fn message(&self) -> String {
        let Self { name, is_half } = self;
        if *is_half {
            format!(
                "BigTixRestore {name} failed half-way, so no service runs: mend what its condition Failed names, and create another \
                 BigTixRestore"
            )
        } else {
            format!(
                "BigTixRestore {name} replaces what the database holds; no service runs until that is done"
            )
        }
    }
}

/// The restore that has the shop now; none while a rollout is under way, which ends first, or while nothing may be changed.
pub(super) fn of(observed: &Observed, platform: &Platform) -> Option<Restoring> {
    let status = observed.resource.status.as_ref()?;
    let may_change = !platform.paused && !platform.hibernate && platform.mode == Mode::Apply;
    let restoring = due(&observed.restores, &observed.backups)?;
    // Who has it keeps it, whatever is asked for meanwhile.
    let has_it = status.restore.as_ref() == Some(&restoring.name);
    let may_begin = may_change && status.rollout.is_none() && status.version.current.is_some();
    (has_it || may_begin).then_some(restoring)
}

/// The oldest that has not ended and whose backup is there; or the last one that failed half-way, with none that succeeded
/// since.
fn due(restores: &[BigTixRestore], backups: &[BigTixBackup]) -> Option<Restoring> {
    let mut asked: Vec<_> = restores
        .iter()
        .filter(|restore| restore.metadata.deletion_timestamp.is_none())
        .map(|restore| {
            let conditions = restore.status.as_ref().map(|status| &status.conditions);
            (restore, conditions.and_then(|conditions| end(conditions)))
        })
        .collect();
    asked.sort_by_key(|(restore, _)| {
        let created = restore.metadata.creation_timestamp.as_ref();
        (created.map(|at| at.0), restore.name_any())
    });
    let open = asked
        .iter()
        .find(|(restore, end)| end.is_none() && is_there(backups, &restore.spec.backup));
    if let Some((restore, _)) = open {
        return Some(Restoring {
            name: restore.name_any(),
            is_half: false,
        });
    }
    let last = asked
        .into_iter()
        .filter_map(|(restore, _)| Some((change(restore)?, restore)));
    let (change, restore) = last.max_by_key(|(change, _)| change.at)?;
    change.is_half.then(|| Restoring {
        name: restore.name_any(),
        is_half: true,
    })
}

/// What a restore that has ended did to the database.
struct Change {
    at: Option<Timestamp>,
    is_half: bool,
}

/// None while it has not ended, and where nothing was changed.
fn change(restore: &BigTixRestore) -> Option<Change> {
    let status = restore.status.as_ref()?;
    let is_half = match end(&status.conditions)? {
        End::Done => false,
        End::Failed(reasons::HALF_RESTORED) => true,
        End::Failed(_) => return None,
    };
    Some(Change {
        at: status.completed_at.as_ref().map(|at| at.0),
        is_half,
    })
}

fn is_there(backups: &[BigTixBackup], name: &str) -> bool {
    let backup = backups.iter().find(|backup| backup.name_any() == name);
    let status = backup.and_then(|backup| backup.status.as_ref());
    status.is_some_and(|status| end(&status.conditions) == Some(End::Done))
}
