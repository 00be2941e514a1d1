//! What is said of the schedule of backups.

use super::Saying;
use crate::next::backups::Scheduled;

/// Whether there has been a backup for one of the last two times of the schedule.
pub(super) fn healthy(scheduled: &Scheduled) -> Saying {
    if scheduled.sleeps {
        return Saying::yes(
            "Hibernated",
            "nothing changes while the shop sleeps, and no backup is taken",
        );
    }
    match (&scheduled.status.last_successful_time, scheduled.stale_since) {
        (None, None) => Saying::yes("AsExpected", "no backup was due yet"),
        (Some(last), None) => Saying::yes("AsExpected", format!("the newest backup is of {}", last.0)),
        (last, Some(since)) => {
            let last = last.as_ref().map_or_else(
                || "there is none yet".to_owned(),
                |last| format!("the newest is of {}", last.0),
            );
            Saying::no(
                "Stale",
                format!(
                    "two backups in a row were due by {since} and are not there; {last}: kubectl get bigtixbackups says why"
                ),
            )
        }
    }
}
