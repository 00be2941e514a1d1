//! Version `v1alpha1` of the resource, field by field as a user writes it.
//!
//! Defaults and rules that need no knowledge beyond the resource are part of the schema, so that an API server and this
//! machine refuse the same things with the same words. A struct that is left out means the same as `{}`.

mod backup;
mod defaults;
mod formats;
mod ingress;
mod operations;
mod payments;
mod requests;
mod services;
mod session;
mod status;
mod stores;
mod upgrade;

pub use backup::{Backup, S3};
pub use ingress::{Ingress, IssuerKind, IssuerRef, Tls, TlsMode};
pub use operations::{Images, NamedReference, NetworkPolicy, Observability};
pub use payments::Payments;
pub use requests::{
    BigTixBackup, BigTixBackupSpec, BigTixBackupStatus, BigTixRestore, BigTixRestoreSpec, BigTixRestoreStatus,
};
pub use services::{
    Autoscaling, ConfigMapKey, EnvVar, EnvVarSource, Quantities, Resources, SecretKey, Services, Workload,
};
pub use session::Session;
pub use status::{
    BackupStatus, BigTixStatus, DataStoreStatus, HistoryEntry, ReleasedService, RolloutStatus, ServiceStatus,
    VersionStatus,
};
pub use stores::{External, ManagedMongodb, ManagedNats, ManagedRedis, Mongodb, Nats, Redis, Storage};
pub use upgrade::{Approval, OperatorChanges, Upgrade, Window};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user wants.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "bigtix.dev",
    version = "v1alpha1",
    kind = "BigTix",
    plural = "bigtixes",
    singular = "bigtix",
    shortname = "btx",
    category = "bigtix",
    namespaced,
    status = "BigTixStatus",
    derive = "PartialEq",
    selectable = ".spec.version",
    doc = "A ticket shop: six services, their data stores and their ingress, at one release of the platform.",
    validation = Rule::new("self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')").message("metadata.name must be lower-case letters, digits and '-', begin with a letter and have at most 40 characters, because the names of all objects are built from it"),
    printcolumn(name = "Version", type_ = "string", json_path = ".status.version.current"),
    printcolumn(name = "Target", type_ = "string", json_path = ".status.version.target", priority = "1"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.url"),
    printcolumn(name = "Message", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].message", priority = "1"),
    printcolumn(name = "Backup", type_ = "date", json_path = ".status.backup.lastSuccessfulTime", priority = "1"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
)]
#[x_kube(
    validation = Rule::new("self.profile != 'Production' || !has(self.mongodb.managed) || !has(self.mongodb.managed.replicas) || self.mongodb.managed.replicas >= 3").message("Production needs at least 3 MongoDB members").field_path(".mongodb.managed.replicas"),
    validation = Rule::new("self.profile != 'Production' || !has(self.nats.managed) || !has(self.nats.managed.replicas) || self.nats.managed.replicas >= 3").message("Production needs at least 3 NATS servers").field_path(".nats.managed.replicas"),
    validation = Rule::new("self.profile != 'Production' || !self.ingress.enabled || self.ingress.tls.mode != 'Disabled'").message("Production needs TLS: set Secret, CertManager or ACM").field_path(".ingress.tls.mode"),
    validation = Rule::new("self.profile != 'Production' || has(self.payments.secretName)").message("Production needs a Stripe account: set secretName").field_path(".payments.secretName"),
    validation = Rule::new("self.profile != 'Production' || ((!has(self.payments.apiURL) || self.payments.apiURL.startsWith('https://')) && (!has(self.payments.scriptURL) || self.payments.scriptURL.startsWith('https://')))").message("Production needs https:// in apiURL and scriptURL").field_path(".payments"),
    validation = Rule::new("self.profile != 'Production' || has(self.backup.schedule)").message("Production needs backups: set schedule").field_path(".backup.schedule"),
    validation = Rule::new("self.profile != 'Production' || ((!has(self.services.auth.replicas) || self.services.auth.replicas >= 2) && (!has(self.services.auth.autoscaling) || self.services.auth.autoscaling.minReplicas >= 2))").message("Production needs at least 2 replicas of each service").field_path(".services.auth"),
    validation = Rule::new("self.profile != 'Production' || ((!has(self.services.tickets.replicas) || self.services.tickets.replicas >= 2) && (!has(self.services.tickets.autoscaling) || self.services.tickets.autoscaling.minReplicas >= 2))").message("Production needs at least 2 replicas of each service").field_path(".services.tickets"),
    validation = Rule::new("self.profile != 'Production' || ((!has(self.services.orders.replicas) || self.services.orders.replicas >= 2) && (!has(self.services.orders.autoscaling) || self.services.orders.autoscaling.minReplicas >= 2))").message("Production needs at least 2 replicas of each service").field_path(".services.orders"),
    validation = Rule::new("self.profile != 'Production' || ((!has(self.services.payments.replicas) || self.services.payments.replicas >= 2) && (!has(self.services.payments.autoscaling) || self.services.payments.autoscaling.minReplicas >= 2))").message("Production needs at least 2 replicas of each service").field_path(".services.payments"),
    validation = Rule::new("self.profile != 'Production' || ((!has(self.services.expiration.replicas) || self.services.expiration.replicas >= 2) && (!has(self.services.expiration.autoscaling) || self.services.expiration.autoscaling.minReplicas >= 2))").message("Production needs at least 2 replicas of each service").field_path(".services.expiration"),
    validation = Rule::new("self.profile != 'Production' || ((!has(self.services.web.replicas) || self.services.web.replicas >= 2) && (!has(self.services.web.autoscaling) || self.services.web.autoscaling.minReplicas >= 2))").message("Production needs at least 2 replicas of each service").field_path(".services.web"),
    validation = Rule::new("self.deletionPolicy != 'Snapshot' || has(self.backup.s3) || has(self.backup.volume)").message("Snapshot needs a place for the final backup: set spec.backup.s3 or spec.backup.volume").field_path(".deletionPolicy"),
    validation = Rule::new("self.version == oldSelf.version || !self.hibernate").message("set hibernate: false before changing the version").field_path(".version"),
    validation = Rule::new("!has(self.upgrade.approvedVersion) || self.upgrade.approvedVersion == self.version || (has(oldSelf.upgrade.approvedVersion) && self.upgrade.approvedVersion == oldSelf.upgrade.approvedVersion)").message("must be the version that is requested, or stay as it is").field_path(".upgrade.approvedVersion"),
)]
pub struct BigTixSpec {
    /// Release of the platform to run, such as 1.0.0. It stands for one version of each service. An upgrade or a downgrade
    /// is a change of this field alone.
    #[schemars(schema_with = "formats::version")]
    pub version: String,
    /// How many pods and stores a default means, and what is refused. Development: one of each. Production: at least three
    /// MongoDB members and NATS servers, two replicas of each service, TLS, backups and a Stripe account.
    #[serde(default)]
    pub profile: Profile,
    /// The six services: size, image and environment of each.
    #[serde(default)]
    pub services: Services,
    /// The database, run by the operator or elsewhere.
    #[serde(default)]
    pub mongodb: Mongodb,
    /// The event bus, run by the operator or elsewhere.
    #[serde(default)]
    pub nats: Nats,
    /// The timers' queue and what users asked for of late, run by the operator or elsewhere. It holds nothing that cannot be rebuilt.
    #[serde(default)]
    pub redis: Redis,
    /// How the shop is reached from outside.
    #[serde(default)]
    pub ingress: Ingress,
    /// The Stripe account that is charged. Left out, a stand-in for Stripe takes every payment and no money moves.
    #[serde(default)]
    pub payments: Payments,
    /// How long a buyer may take to pay for what they reserved, in seconds.
    #[serde(default = "fifteen_minutes")]
    #[schemars(range(min = 1, max = 86400))]
    pub reservation_seconds: i64,
    /// Email addresses of the users who may refund any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "formats::emails")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub administrators: Vec<String>,
    /// How many tickets one user may hold unpaid at once.
    #[serde(default = "one_hundred")]
    #[schemars(range(min = 1, max = 10000))]
    pub max_held_tickets_per_user: i32,
    /// How long a sign-in lasts and how its keys change.
    #[serde(default)]
    pub session: Session,
    /// How a new release is rolled out, and when it is taken back.
    #[serde(default)]
    pub upgrade: Upgrade,
    /// Apply carries the resource out. Plan changes nothing and writes what would change into a ConfigMap.
    #[serde(default)]
    pub mode: Mode,
    /// While true nothing is changed; the status is still kept up to date.
    #[serde(default)]
    pub paused: bool,
    /// While true everything is scaled to nothing; the data stays.
    #[serde(default)]
    pub hibernate: bool,
    /// A time; all pods older than it are restarted, a few at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_at: Option<Time>,
    /// What becomes of the data when the resource is deleted. Retain keeps the volumes, Snapshot deletes them once a final backup
    /// is complete, Delete deletes them.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
    /// Where images come from.
    #[serde(default)]
    pub images: Images,
    /// Which connections between pods are let through.
    #[serde(default)]
    pub network_policy: NetworkPolicy,
    /// Metrics, alerts and traces.
    #[serde(default)]
    pub observability: Observability,
    /// Where backups of the database are kept, and when they are taken. Without a schedule they are taken when a BigTixBackup asks for one.
    #[serde(default)]
    pub backup: Backup,
}

const fn fifteen_minutes() -> i64 {
    900
}

const fn one_hundred() -> i32 {
    100
}

/// How many pods and stores a default means, and what is refused.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub enum Profile {
    /// One of each, nothing demanded.
    #[default]
    Development,
    /// Survives the loss of a node; refused where it could not.
    Production,
}

/// Whether the resource is carried out.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub enum Mode {
    /// Carry it out.
    #[default]
    Apply,
    /// Say only what would change.
    Plan,
}

/// What becomes of the data when the resource is deleted.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub enum DeletionPolicy {
    /// The volumes stay.
    #[default]
    Retain,
    /// A final backup is taken, then the volumes go.
    Snapshot,
    /// The volumes go.
    Delete,
}
