//! Requests about a shop's data, each an object of its own: one backup, one restore. What is asked for never changes.

use super::formats;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// One backup of a shop. The archive goes when the object is deleted.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "bigtix.dev",
    version = "v1alpha1",
    kind = "BigTixBackup",
    plural = "bigtixbackups",
    singular = "bigtixbackup",
    shortname = "btxb",
    namespaced,
    status = "BigTixBackupStatus",
    derive = "PartialEq",
    doc = "One backup of a shop: everything that its database holds at one moment. The archive goes when the object is deleted.",
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,53}[a-z0-9])?$')").message("metadata.name must be lower-case letters, digits and '-' and have at most 55 characters, because the name of a Job is built from it"),
    printcolumn(name = "Shop", type_ = "string", json_path = ".spec.shop"),
    printcolumn(name = "Complete", type_ = "string", json_path = ".status.conditions[?(@.type==\"Complete\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Complete\")].reason"),
    printcolumn(name = "Taken", type_ = "date", json_path = ".status.takenAt"),
    printcolumn(name = "Documents", type_ = "integer", json_path = ".status.documents"),
    printcolumn(name = "Location", type_ = "string", json_path = ".status.location", priority = "1"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Complete\")].message", priority = "1"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
)]
#[x_kube(validation = ("self == oldSelf", "is one request and cannot change: create another BigTixBackup"))]
pub struct BigTixBackupSpec {
    /// Name of the BigTix that is backed up. It says where the archive is kept.
    #[schemars(schema_with = "formats::shop_name")]
    pub shop: String,
}

/// What became of it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BigTixBackupStatus {
    /// Complete and Failed, each with reason and message. While neither is True it is waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// When the work began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the archive was written and read back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The moment at which everything was as it is in the archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Time>,
    /// Where the archive is: s3://bucket/key, or volume://claim/folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Where the store of the bucket is reached, if it is not AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Region of the bucket, if it is not us-east-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The Secret with the keys of the bucket, if the pod's own identity is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
    /// How many documents the archive has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<i64>,
    /// How many bytes they are before they are compressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
}

/// One restore of a shop: what is there goes, and what a backup holds takes its place.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "bigtix.dev",
    version = "v1alpha1",
    kind = "BigTixRestore",
    plural = "bigtixrestores",
    singular = "bigtixrestore",
    shortname = "btxr",
    namespaced,
    status = "BigTixRestoreStatus",
    derive = "PartialEq",
    doc = "One restore of a shop: its services stop, what its database holds goes, what a backup holds takes its place, and they start again.",
    validation = Rule::new("self.metadata.name.matches('^[a-z0-9]([-a-z0-9]{0,53}[a-z0-9])?$')").message("metadata.name must be lower-case letters, digits and '-' and have at most 55 characters, because the name of a Job is built from it"),
    printcolumn(name = "Shop", type_ = "string", json_path = ".spec.shop"),
    printcolumn(name = "From", type_ = "string", json_path = ".spec.backup"),
    printcolumn(name = "Complete", type_ = "string", json_path = ".status.conditions[?(@.type==\"Complete\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Complete\")].reason"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Complete\")].message", priority = "1"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
)]
#[x_kube(validation = ("self == oldSelf", "is one request and cannot change: create another BigTixRestore"))]
pub struct BigTixRestoreSpec {
    /// Name of the BigTix whose data is replaced.
    #[schemars(schema_with = "formats::shop_name")]
    pub shop: String,
    /// Name of the BigTixBackup, which may be of another shop in the namespace.
    #[schemars(schema_with = "formats::backup_name")]
    pub backup: String,
}

/// What became of it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct BigTixRestoreStatus {
    /// Complete and Failed, each with reason and message. While neither is True it is waited for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
    /// When the database began to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended, well or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<Time>,
    /// The moment as of which the shop is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Time>,
}
