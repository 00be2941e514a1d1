//! Rollouts.

use super::defaults::default_is_the_empty_object;
use super::formats;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a new release is rolled out, and when it is taken back.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// Whether a release that fails a check is taken back without being asked.
    #[serde(default = "Upgrade::auto_rollback")]
    pub auto_rollback: bool,
    /// How long one step, such as one service, may take to become ready, in seconds.
    #[serde(default = "Upgrade::ten_minutes")]
    #[schemars(range(min = 30, max = 7200))]
    pub progress_deadline_seconds: i32,
    /// How long the new release is watched before it is declared done, in seconds.
    #[serde(default = "Upgrade::half_a_minute")]
    #[schemars(range(min = 0, max = 86400))]
    pub soak_seconds: i32,
    /// Share of requests that may fail while a release is rolled out and watched, in percent.
    #[serde(default = "Upgrade::one_percent")]
    #[schemars(range(min = 0, max = 100))]
    pub max_error_percent: i32,
    /// Time within which 95 of 100 requests must be answered meanwhile. Left out, speed is not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 60000))]
    pub max_p95_milliseconds: Option<i32>,
    /// Automatic starts a rollout by itself. Manual waits until approvedVersion names the version.
    #[serde(default)]
    pub approval: Approval,
    /// The version that may be rolled out when approval is Manual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::version")]
    pub approved_version: Option<String>,
    /// Times at which a rollout may begin; one that has begun is never held up. Left out, always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 14))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub windows: Vec<Window>,
    /// When pods may be restarted because a new operator describes them differently: with the next rollout, in the next
    /// window, or at once. A change of the resource takes them along in any case.
    #[serde(default)]
    pub operator_changes: OperatorChanges,
}

impl Upgrade {
    const fn auto_rollback() -> bool {
        true
    }

    const fn ten_minutes() -> i32 {
        600
    }

    const fn half_a_minute() -> i32 {
        30
    }

    const fn one_percent() -> i32 {
        1
    }
}

/// Who starts a rollout.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub enum Approval {
    /// The change of the version.
    #[default]
    Automatic,
    /// A person, by naming the version in approvedVersion.
    Manual,
}

/// When pods may be restarted because a new operator describes them differently.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub enum OperatorChanges {
    /// With the next rollout.
    #[default]
    NextRollout,
    /// In the next window.
    Window,
    /// At once.
    Immediate,
}

/// A time at which a rollout may begin.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    /// When it opens, as five fields of cron.
    #[schemars(schema_with = "formats::cron")]
    pub start: String,
    /// How long it stays open, in minutes.
    #[schemars(range(min = 15, max = 1440))]
    pub duration_minutes: i32,
    /// Time zone of the start.
    #[serde(default = "Window::utc")]
    #[schemars(schema_with = "formats::time_zone")]
    pub time_zone: String,
}

impl Window {
    fn utc() -> String {
        "UTC".to_owned()
    }
}

default_is_the_empty_object!(Upgrade);
