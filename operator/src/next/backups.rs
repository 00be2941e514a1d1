//! The schedule of backups: when one is due, which ones are too many, and whether the last one is too long ago.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use bigtix_crds::platform::Mode;
use bigtix_crds::v1alpha1::BackupStatus;
use bigtix_crds::{BigTixBackup, Platform};
use croner::Cron;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{Timestamp, tz::TimeZone};
use kube::ResourceExt;

use super::{Occasion, Write};
use crate::backups::verdict::{End, end, whole_seconds};
use crate::names::SCHEDULED_LABEL;
use crate::observe::facts::Observed;

/// Added to the time of the next backup, so that it has come when it is looked for.
const A_MOMENT: Duration = Duration::from_secs(1);

/// What the schedule asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    /// What to remember.
    pub status: BackupStatus,
    /// Since when there has been no backup although two were due; none while there was.
    pub stale_since: Option<Timestamp>,
    /// Whether none is taken for now, because the shop sleeps.
    pub sleeps: bool,
}

/// What is due by the schedule; nothing without one.
pub(super) fn plan(
    observed: &Observed,
    platform: &Platform,
    is_restoring: bool,
    now: Timestamp,
) -> Option<(Scheduled, Vec<Write>)> {
    let backup = platform.backup.as_ref()?;
    let schedule = Schedule(Cron::from_str(backup.schedule.as_ref()?.as_str()).ok()?);
    let status = observed.resource.status.clone().unwrap_or_default();
    let before = status.backup;
    let name = platform.name.as_str();
    let own: Vec<_> = observed
        .backups
        .iter()
        .filter(|backup| backup.spec.shop == name)
        .collect();

    let since = before
        .as_ref()
        .map_or(whole_seconds(now), |before| before.since.0);
    let handled = before
        .as_ref()
        .and_then(|before| before.last_schedule_time.as_ref())
        .map(|at| at.0);
    let newest = newest(&own);
    let known = before
        .and_then(|before| before.last_successful_time)
        .map(|at| at.0);
    let last_successful = newest.max(known);

    let may_write = !platform.paused && platform.mode == Mode::Apply;
    let takes_some = may_write && !platform.hibernate && !is_restoring && status.version.current.is_some();
    let mut writes = Vec::new();
    let due = schedule
        .at_or_before(now)
        .filter(|due| takes_some && *due > handled.unwrap_or(since));
    writes.extend(due.map(|at| Write::Backup {
        name: backup_name(name, at),
        shop: name.to_owned(),
        occasion: Occasion::Schedule,
    }));
    if may_write {
        let wanted = observed.restores.iter().filter(|restore| {
            let status = restore.status.as_ref();
            status.is_none_or(|status| end(&status.conditions).is_none())
        });
        let wanted: BTreeSet<&str> = wanted.map(|restore| restore.spec.backup.as_str()).collect();
        writes.extend(too_many(&own, backup.keep, &wanted).map(Write::DeleteBackup));
    }
    let scheduled = Scheduled {
        stale_since: stale_since(&schedule, last_successful.unwrap_or(since).max(since), now),
        sleeps: platform.hibernate,
        status: BackupStatus {
            since: Time(since),
            last_schedule_time: due.or(handled).map(Time),
            last_successful_time: last_successful.map(Time),
            next_time: schedule.after(now).filter(|_| takes_some).map(Time),
        },
    };
    Some((scheduled, writes))
}

/// When to look again for the next one.
pub(super) fn wait(scheduled: &Scheduled, now: Timestamp) -> Option<Duration> {
    let next = scheduled.status.next_time.as_ref()?;
    let wait = Duration::try_from(next.0.duration_since(now)).unwrap_or_default();
    Some(wait + A_MOMENT)
}

/// By the time that it was due at, so that whoever asks again asks for the same one.
fn backup_name(shop: &str, due: Timestamp) -> String {
    format!("{shop}-{}", due.strftime("%Y%m%d%H%M"))
}

/// In UTC.
struct Schedule(Cron);

impl Schedule {
    fn at_or_before(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.to_zoned(TimeZone::UTC);
        let found = self.0.find_previous_occurrence(&now, true).ok()?;
        Some(found.timestamp())
    }

    fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let found = self.0.find_next_occurrence(&now.to_zoned(TimeZone::UTC), false);
        Some(found.ok()?.timestamp())
    }
}

/// When the second one in a row was due that there is none of.
fn stale_since(schedule: &Schedule, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let second = schedule.after(schedule.after(last)?)?;
    (second <= now).then_some(second)
}

/// The moment of the newest that is complete.
fn newest(own: &[&BigTixBackup]) -> Option<Timestamp> {
    own.iter().filter_map(|backup| taken_at(backup)).max()
}

fn taken_at(backup: &BigTixBackup) -> Option<Timestamp> {
    let status = backup.status.as_ref()?;
    match end(&status.conditions)? {
        End::Done => Some(status.taken_at.as_ref()?.0),
        End::Failed(_) => None,
    }
}

/// The names of backups of the schedule beyond `keep`, of those that succeeded and of those that failed, each by themselves:
/// what failed is in nobody's place. What a restore waits for stays.
fn too_many<'a>(
    own: &[&'a BigTixBackup],
    keep: u32,
    wanted: &BTreeSet<&str>,
) -> impl Iterator<Item = String> + use<'a> {
    let mut good = Vec::new();
    let mut failed = Vec::new();
    for backup in own {
        let is_scheduled = backup.labels().contains_key(SCHEDULED_LABEL);
        let goes_already = backup.metadata.deletion_timestamp.is_some();
        let end = backup.status.as_ref().and_then(|status| end(&status.conditions));
        match end {
            _ if !is_scheduled || goes_already => {}
            Some(End::Done) => good.push(*backup),
            Some(End::Failed(_)) => failed.push(*backup),
            None => {}
        }
    }
    // Their names end with the time that they were due at.
    good.sort_by_key(|backup| std::cmp::Reverse((taken_at(backup), backup.name_any())));
    failed.sort_by_key(|backup| std::cmp::Reverse(backup.name_any()));
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    let surplus: Vec<String> = [good, failed]
        .into_iter()
        .flat_map(|backups| backups.into_iter().skip(keep))
        .map(ResourceExt::name_any)
        .filter(|name| !wanted.contains(name.as_str()))
        .collect();
    surplus.into_iter()
}
