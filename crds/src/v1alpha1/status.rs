//! What the operator found and did. Conditions only; there is no phase.

use super::defaults::default_is_the_empty_object;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator found and did. A change is done when observedGeneration equals metadata.generation, Ready is True
/// and version.current equals spec.version; it failed when Progressing is False with reason RolledBack or Failed.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BigTixStatus {
    /// Generation of the spec that everything below speaks of.
    #[serde(default)]
    pub observed_generation: i64,
    /// Generation of the spec for which everything was last found as it should be. What differs later without another
    /// generation is due to a new operator, or to somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_generation: Option<i64>,
    /// When a field was last found changed by somebody else, to within five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contested_at: Option<Time>,
    /// Ready, Available, Progressing, Degraded, DataStoresReady, IngressReady and others, each with reason and message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// Which releases run, are aimed at, ran before and were rejected.
    #[serde(default)]
    pub version: VersionStatus,
    /// Each service as it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub services: Vec<ServiceStatus>,
    /// Each data store as it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub data_stores: Vec<DataStoreStatus>,
    /// The rollout or rollback under way; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,
    /// The last ten rollouts, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub history: Vec<HistoryEntry>,
    /// The schedule of backups; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupStatus>,
    /// The BigTixRestore for which no service runs and no rollout begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<String>,
    /// Where the shop is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// How the schedule of backups gets on.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackupStatus {
    /// Since when there is a schedule.
    pub since: Time,
    /// The last time of the schedule for which a backup was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_schedule_time: Option<Time>,
    /// The moment of the newest backup that is complete, whoever asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_successful_time: Option<Time>,
    /// When the next one is due; absent while the shop sleeps or is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_time: Option<Time>,
}

/// Releases of the platform.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct VersionStatus {
    /// The release that serves users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The release that is being rolled out, or the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The release before the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The release that was taken back and is not tried again until the spec changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
    /// What the current release consists of, and past a point of no return what has gone out since; a rollout that fails goes
    /// back to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub services: Vec<ReleasedService>,
}

/// One service of a release.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReleasedService {
    /// Name of the service.
    pub name: String,
    /// Version of the service.
    pub version: String,
    /// Image of the service.
    pub image: String,
}

/// One service as it runs.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    /// Name of the service.
    pub name: String,
    /// Version of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Image that its pods run.
    pub image: String,
    /// Pods that are wanted.
    pub desired: i32,
    /// Pods that are ready.
    pub ready: i32,
    /// Pods that run the newest description.
    pub updated: i32,
}

/// One data store as it runs.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DataStoreStatus {
    /// mongodb, nats or redis.
    pub name: String,
    /// Whether somebody else runs it.
    pub external: bool,
    /// Its version as it says itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Members that are wanted.
    pub desired: i32,
    /// Members that are ready.
    pub ready: i32,
    /// The member that accepts writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<String>,
    /// Size of each member's volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
}

/// A rollout or rollback under way.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// Tells this rollout from every other.
    pub id: String,
    /// Release before it; absent for the first installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Release that is being rolled out.
    pub to: String,
    /// What is being done.
    pub step: String,
    /// The service that the step is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Whether the steps are being taken back.
    #[serde(default)]
    pub rolling_back: bool,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// Why it is being taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when the step must have succeeded; absent while the rollout is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// Whether something was done that cannot be taken back; from then on it only goes forward.
    #[serde(default)]
    pub point_of_no_return: bool,
}

/// A rollout that has ended.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// Tells this rollout from every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Release that was rolled out.
    pub version: String,
    /// How it ended: Succeeded, RolledBack because it failed, or Recalled because the release before it was asked for again.
    pub result: String,
    /// Why it ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
}

default_is_the_empty_object!(BigTixStatus, VersionStatus);
