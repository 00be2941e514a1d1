//! What the metrics say of a shop, read from the status that a pass has ended with.

use bigtix_crds::v1alpha1::{BigTixStatus, RolloutStatus};
use k8s_openapi::jiff::Timestamp;

use crate::next::rollout::{RECALLED, ROLLED_BACK, Rollout, SUCCEEDED, Step};

/// How a rollout that is under way gets on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A service after the other gets its build, or all are watched.
    Forward,
    /// It is being taken back.
    Back,
    /// It failed, and there is no way back: it stays as it is until somebody mends it.
    Failed,
    /// It goes on when the shop is no longer paused, asleep or only planned.
    Held,
}

/// How a rollout ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The release serves users.
    Succeeded,
    /// It failed and was taken back.
    RolledBack,
    /// It was taken back because the release before it was asked for again.
    Recalled,
}

/// A rollout that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// How it gets on.
    pub progress: Progress,
    /// What is being done; none when the status cannot be read.
    pub step: Option<Step>,
    /// When it began.
    pub started_at: Option<Timestamp>,
}

/// What the metrics say of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measures {
    /// Whether everything is as asked.
    pub is_ready: bool,
    /// Whether the release that is asked for failed, was taken back, and is not tried again by itself.
    pub is_rejected: bool,
    /// The rollout under way.
    pub rollout: Option<UnderWay>,
    /// Rollouts that ended in this pass.
    pub ended: Vec<Outcome>,
    /// Whether two backups in a row are missing that the schedule asks for.
    pub is_backup_stale: bool,
    /// The moment of the newest backup.
    pub backed_up_at: Option<Timestamp>,
}

impl Progress {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Forward, Self::Back, Self::Failed, Self::Held];

    /// As a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Back => "back",
            Self::Failed => "failed",
            Self::Held => "held",
        }
    }
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::RolledBack, Self::Recalled];

    /// As a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::RolledBack => "rolled_back",
            Self::Recalled => "recalled",
        }
    }

    fn recorded(result: &str) -> Option<Self> {
        match result {
            SUCCEEDED => Some(Self::Succeeded),
            ROLLED_BACK => Some(Self::RolledBack),
            RECALLED => Some(Self::Recalled),
            _ => None,
        }
    }
}

impl Measures {
    /// From the status before a pass and after it.
    #[must_use]
    pub fn of(before: Option<&BigTixStatus>, after: &BigTixStatus) -> Self {
        Self {
            is_ready: says(after, "Ready", "True", None),
            is_rejected: says(after, "Degraded", "True", Some("RolledBack")),
            rollout: after.rollout.as_ref().map(|rollout| under_way(after, rollout)),
            ended: ended(before, after),
            is_backup_stale: says(after, "BackupHealthy", "False", Some("Stale")),
            backed_up_at: backed_up_at(after),
        }
    }
}

fn backed_up_at(status: &BigTixStatus) -> Option<Timestamp> {
    let last = status.backup.as_ref()?.last_successful_time.as_ref()?;
    Some(last.0)
}

/// The history has the newest first, and forgets the oldest.
fn ended(before: Option<&BigTixStatus>, after: &BigTixStatus) -> Vec<Outcome> {
    let last = before.and_then(|before| before.history.first());
    let new = after.history.iter().take_while(|entry| Some(*entry) != last);
    new.filter_map(|entry| Outcome::recorded(&entry.result)).collect()
}

fn under_way(status: &BigTixStatus, rollout: &RolloutStatus) -> UnderWay {
    let progress = if rollout.rolling_back {
        Progress::Back
    } else if says(status, "Progressing", "False", Some("Failed")) {
        Progress::Failed
    } else if rollout.deadline.is_none() {
        Progress::Held
    } else {
        Progress::Forward
    };
    UnderWay {
        progress,
        step: Rollout::recorded(rollout).map(|rollout| rollout.step),
        started_at: rollout.started_at.as_ref().map(|at| at.0),
    }
}

fn says(status: &BigTixStatus, type_: &str, truth: &str, reason: Option<&str>) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|said| {
        said.type_ == type_ && said.status == truth && reason.is_none_or(|reason| said.reason == reason)
    })
}
