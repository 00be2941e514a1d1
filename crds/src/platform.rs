//! What a resource means: every default applied, every choice made, nothing left optional that has a default.
//!
//! A [`Platform`] exists only when the resource broke no rule; see [`crate::validate`].

mod names;
mod stores;
mod workloads;

pub use crate::v1alpha1::{Approval, DeletionPolicy, IssuerKind, Mode, OperatorChanges, Profile};
pub use crate::validate::{is_less, same_quantity};
pub use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
pub use k8s_openapi::jiff::Timestamp;
pub use names::{ConfigMapName, Cron, Email, Host, Image, InstanceName, ObjectName, SecretName, Url};
pub use stores::{ManagedStore, Storage, Store, Stores};
pub use workloads::{Amounts, EnvValue, EnvVar, Replicas, Resources, Services, Workload};

use crate::Contractions;
use semver::{Version, VersionReq};
use std::collections::BTreeMap;
use std::time::Duration;

/// A shop, completely described.
#[derive(Clone, Debug, PartialEq)]
pub struct Platform {
    /// What the names of all objects begin with.
    pub name: InstanceName,
    /// The release.
    pub version: Version,
    /// The releases from which it can be reached in one step.
    pub reachable_from: VersionReq,
    /// What no shop can go back from, in any release that is known.
    pub contractions: Contractions,
    /// What the defaults were chosen for.
    pub profile: Profile,
    /// The six services.
    pub services: Services,
    /// The three data stores.
    pub stores: Stores,
    /// How the shop is reached.
    pub ingress: Ingress,
    /// Who takes the money.
    pub payments: Payments,
    /// How long a reservation lasts.
    pub reservation: Duration,
    /// Who may refund any order; lower case, in order.
    pub administrators: Vec<Email>,
    /// How many tickets one user may hold unpaid.
    pub max_held_tickets_per_user: u32,
    /// Sign-ins.
    pub session: Session,
    /// Rollouts.
    pub upgrade: Upgrade,
    /// Whether to change anything or only to say what would change.
    pub mode: Mode,
    /// Whether to change nothing for now.
    pub paused: bool,
    /// Whether everything is scaled to nothing.
    pub hibernate: bool,
    /// Pods older than this are restarted.
    pub restart_at: Option<Timestamp>,
    /// What becomes of the data in the end.
    pub deletion_policy: DeletionPolicy,
    /// Registry and path that the platform's own images are below.
    pub registry: String,
    /// Secrets that let images be pulled.
    pub pull_secrets: Vec<SecretName>,
    /// Which connections between pods are let through.
    pub network_policy: NetworkPolicy,
    /// Metrics, alerts and traces.
    pub observability: Observability,
    /// Backups, where there is a place for them.
    pub backup: Option<Backup>,
}

/// How the shop is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// Whether there is an Ingress object.
    pub enabled: bool,
    /// The name that browsers use.
    pub host: Host,
    /// The Ingress' class; none means the cluster's default.
    pub class_name: Option<ObjectName>,
    /// Put on the Ingress as they are.
    pub annotations: BTreeMap<String, String>,
    /// Encryption.
    pub tls: Tls,
}

impl Ingress {
    /// Where browsers find the shop, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = match self.tls {
            Tls::Disabled => "http",
            Tls::Secret { .. } | Tls::CertManager { .. } | Tls::Acm { .. } => "https",
        };
        format!("{scheme}://{}", self.host)
    }
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// There is none.
    Disabled,
    /// From a Secret.
    Secret {
        /// Holds tls.crt and tls.key.
        secret_name: SecretName,
    },
    /// cert-manager issues it.
    CertManager {
        /// Where cert-manager puts it.
        secret_name: SecretName,
        /// Name of the issuer.
        issuer: ObjectName,
        /// Whether the issuer serves one namespace or all.
        issuer_kind: IssuerKind,
    },
    /// The load balancer of AWS holds it.
    Acm {
        /// Names the certificate.
        certificate_arn: String,
    },
}

/// Who takes the money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payments {
    /// A stand-in for Stripe; no money moves.
    StripeDouble,
    /// A Stripe account.
    Account {
        /// Holds secretKey, publishableKey and webhookSecret.
        secret_name: SecretName,
        /// Where Stripe's API is called.
        api_url: Url,
        /// What the pay page loads.
        script_url: Url,
    },
}

/// Sign-ins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// How long a sign-in lasts.
    pub lifetime: Duration,
    /// How often the signing key changes; none means never.
    pub rotate_after: Option<Duration>,
    /// Whether tokens without expiry are accepted.
    pub compat: bool,
}

/// Rollouts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Whether a failed release is taken back by itself.
    pub auto_rollback: bool,
    /// How long one step may take.
    pub progress_deadline: Duration,
    /// How long the new release is watched.
    pub soak: Duration,
    /// Share of requests that may fail meanwhile.
    pub max_error_percent: u32,
    /// Bound of the 95th percentile meanwhile; none means that speed is not judged.
    pub max_p95: Option<Duration>,
    /// Who starts a rollout.
    pub approval: Approval,
    /// The version that a person has approved.
    pub approved_version: Option<Version>,
    /// When a rollout may begin; empty means always.
    pub windows: Vec<Window>,
    /// When pods may be restarted because a new operator describes them differently.
    pub operator_changes: OperatorChanges,
}

impl Upgrade {
    /// Whether a rollout of that version needs no further approval.
    #[must_use]
    pub fn is_approved(&self, version: &Version) -> bool {
        match self.approval {
            Approval::Automatic => true,
            Approval::Manual => self.approved_version.as_ref() == Some(version),
        }
    }
}

/// When a rollout may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// When it opens.
    pub start: Cron,
    /// How long it stays open.
    pub duration: Duration,
    /// Of the start, from the IANA database.
    pub time_zone: String,
}

/// Which connections between pods are let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// All.
    Disabled,
    /// Those that the platform needs.
    Enforced {
        /// Where the ingress controller runs; none means anywhere.
        ingress_namespace: Option<ObjectName>,
    },
}

/// Metrics, alerts and traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observability {
    /// Whether a PodMonitor is made.
    pub pod_monitor: bool,
    /// Whether a PrometheusRule is made.
    pub alerts: bool,
    /// Where traces go; none means nowhere.
    pub otlp_endpoint: Option<Url>,
}

/// Backups of the database.
#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    /// When one is taken, in UTC; none means when somebody asks for one.
    pub schedule: Option<Cron>,
    /// How many of the schedule's are kept.
    pub keep: u32,
    /// Where they are kept.
    pub target: BackupTarget,
}

/// Where backups are kept.
#[derive(Clone, Debug, PartialEq)]
pub enum BackupTarget {
    /// In a bucket.
    S3 {
        /// Name of the bucket.
        bucket: String,
        /// What the keys begin with.
        prefix: String,
        /// Where the store is reached; none means AWS.
        endpoint: Option<Url>,
        /// Region of the bucket; none means us-east-1.
        region: Option<String>,
        /// Holds accessKeyId and secretAccessKey; none means the pod's own identity.
        secret_name: Option<SecretName>,
    },
    /// On a volume.
    Volume(Storage),
}
