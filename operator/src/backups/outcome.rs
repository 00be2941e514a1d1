//! What a Job's pod says in the end, as the last words of its container: they are kept with the pod and need no right of its.

use k8s_openapi::jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The last words.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// What was asked for is done.
    Done(Archive),
    /// It is not.
    Failed(Failure),
    /// The archive is gone.
    Deleted,
}

/// The archive that was written or restored.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Archive {
    /// The moment.
    pub taken_at: Timestamp,
    /// How many documents.
    pub documents: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

/// Why not.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// In a sentence, without anything secret.
    pub error: String,
    /// Whether the database was changed.
    pub changed: bool,
}

impl Outcome {
    /// As a container says it. A message may have 4096 bytes.
    #[must_use]
    pub fn message(&self) -> String {
        const MOST: usize = 2000;
        let mut said = self.clone();
        if let Self::Failed(failure) = &mut said {
            failure.error = failure.error.chars().take(MOST).collect();
        }
        serde_json::to_string(&said).unwrap_or_default()
    }

    /// None when a pod that did not get so far left something else.
    #[must_use]
    pub fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok()
    }
}
