//! Backups.

use super::defaults::default_is_the_empty_object;
use super::formats;
use super::stores::Storage;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where backups of the database are kept, and when they are taken. Without a schedule they are taken when a BigTixBackup asks for one.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("has(self.s3) != has(self.volume) || !(has(self.schedule) || has(self.s3))", "set exactly one of s3 and volume"),
)]
pub struct Backup {
    /// When a backup is taken, as five fields of cron in UTC. One that was missed is caught up with; none is taken while the shop sleeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::cron")]
    pub schedule: Option<String>,
    /// How many backups of the schedule are kept. Those that people asked for stay until people delete them.
    #[serde(default = "Backup::seven")]
    #[schemars(range(min = 1, max = 365))]
    pub keep: i32,
    /// Keeps backups in a bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3>,
    /// Keeps backups on a volume, which stays when the shop is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Storage>,
}

impl Backup {
    const fn seven() -> i32 {
        7
    }
}

/// A bucket at S3 or something that speaks like it.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct S3 {
    /// Name of the bucket.
    #[schemars(schema_with = "formats::bucket")]
    pub bucket: String,
    /// What the keys of the backups begin with.
    #[serde(default)]
    #[schemars(length(max = 512))]
    pub prefix: String,
    /// Where the store is reached. Left out, AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::url")]
    pub endpoint: Option<String>,
    /// Region of the bucket. Left out, us-east-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::region")]
    pub region: Option<String>,
    /// Secret with accessKeyId and secretAccessKey. Left out, the pod's own identity is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::object_name")]
    pub secret_name: Option<String>,
}

default_is_the_empty_object!(Backup);
