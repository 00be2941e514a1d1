//! What a pass may do.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;

use super::mongodb::MongodbStep;
use crate::build::Child;
use crate::build::secrets::OwnSecret;
use crate::kind::Kind;
use crate::names::{FINAL_LABEL, SCHEDULED_LABEL};

/// One thing to do to the cluster or a store.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "few of them exist at a time")]
pub enum Write {
    /// Has the resource stay until its final backup is complete.
    Keep,
    /// Lets the resource go.
    Release,
    /// Makes a Secret, or adds the entries that it lacks.
    Secret(OwnSecret),
    /// Puts a new session key before the ones in the Secret of that name.
    RotateSessionKeys(String),
    /// Applies an object.
    Apply(Child),
    /// Deletes an object that is ours and no longer wanted.
    Delete(Kind, String),
    /// Makes the claim of a volume, which is then left alone.
    Claim(PersistentVolumeClaim),
    /// Deletes the claim of a store's volume.
    DeleteClaim(String),
    /// Asks for a backup.
    Backup {
        /// Its name, which no other occasion has.
        name: String,
        /// The shop.
        shop: String,
        /// Why.
        occasion: Occasion,
    },
    /// Deletes a backup that the operator asked for, with its archive.
    DeleteBackup(String),
    /// Asks for a bigger volume.
    Grow {
        /// The claim's name.
        claim: String,
        /// The size to ask for.
        size: String,
    },
    /// One call to the database.
    Mongodb(MongodbStep),
}

/// Why the operator asks for a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// One of the times of the schedule.
    Schedule,
    /// The shop is deleted.
    Deletion,
}

impl Occasion {
    /// The label of such a backup.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Schedule => SCHEDULED_LABEL,
            Self::Deletion => FINAL_LABEL,
        }
    }
}

impl Write {
    /// In a few words, without any value.
    #[must_use]
    pub fn described(&self) -> String {
        match self {
            Self::Keep => "keep the BigTix until its final backup is complete".to_owned(),
            Self::Release => "let the BigTix go without a final backup".to_owned(),
            Self::Secret(secret) => format!("make Secret {}", secret.name),
            Self::RotateSessionKeys(name) => format!("rotate Secret {name}"),
            Self::Apply(child) => match child.kind() {
                Some(kind) => format!("apply {kind:?} {}", child.name()),
                None => format!("apply {}", child.name()),
            },
            Self::Delete(kind, name) => format!("delete {kind:?} {name}"),
            Self::Claim(claim) => format!("make PersistentVolumeClaim {}", claim.name_any()),
            Self::DeleteClaim(name) => format!("delete PersistentVolumeClaim {name}"),
            Self::Backup { name, .. } => format!("make BigTixBackup {name}"),
            Self::DeleteBackup(name) => format!("delete BigTixBackup {name}"),
            Self::Grow { claim, size } => format!("grow PersistentVolumeClaim {claim} to {size}"),
            Self::Mongodb(step) => format!("MongoDB: {step:?}"),
        }
    }
}
