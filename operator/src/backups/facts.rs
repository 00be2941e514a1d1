//! What was observed for one request, as plain data.

use bigtix_crds::{BigTix, BigTixBackup, BigTixRestore, Platform, Violation};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;

use super::outcome::{Archive, Failure};
use crate::build::Shop;

/// What is to be done to an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// It is written.
    Take,
    /// It is put back.
    Restore,
    /// It goes.
    Delete,
}

impl Task {
    /// As it stands in the name of a Job and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Restore => "restore",
            Self::Delete => "delete",
        }
    }

    /// The name of its Job.
    #[must_use]
    pub fn job(self, request: &str) -> String {
        format!("{request}-{}", self.as_str())
    }
}

/// How a Job gets on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// There is none.
    Absent,
    /// It runs, or waits for something, which is named then.
    Running(Option<String>),
    /// It was done. What it was done to, if its pod is still there to tell.
    Succeeded(Option<Archive>),
    /// It was not, as often as it was tried.
    Failed {
        /// Why, and whether anything was changed.
        failure: Failure,
        /// When it was given up.
        at: Option<Timestamp>,
    },
    /// It is being deleted.
    Leaving,
}

/// The shop that a request is about.
#[derive(Clone, Debug)]
pub struct ShopFacts {
    /// The resource, with the status that its own pass has written.
    pub resource: BigTix,
    /// What it means.
    pub verdict: Result<Platform, Vec<Violation>>,
    /// The resource, as its children name it.
    pub owner: OwnerReference,
}

/// Who carries requests out.
#[derive(Clone, Debug)]
pub struct Program {
    /// The operator's own image; none where nobody has said it.
    pub image: Option<String>,
    /// Where the operator runs.
    pub operator_namespace: String,
}

/// Everything that the next step of a backup follows from.
#[derive(Clone, Debug)]
pub struct Backup {
    /// The request with the status that was written last.
    pub request: BigTixBackup,
    /// Its shop; none when there is no such BigTix.
    pub shop: Option<ShopFacts>,
    /// The Job that takes it.
    pub take: JobState,
    /// The Job that deletes it.
    pub delete: JobState,
    /// Whether the claim of its volume is there, where it is on one.
    pub has_claim: bool,
    /// Who carries it out.
    pub program: Program,
}

/// Everything that the next step of a restore follows from.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The request with the status that was written last.
    pub request: BigTixRestore,
    /// Its shop; none when there is no such BigTix.
    pub shop: Option<ShopFacts>,
    /// The backup that it names; none when there is no such BigTixBackup.
    pub backup: Option<BigTixBackup>,
    /// The Job that restores.
    pub job: JobState,
    /// The pods of services, on their way out too.
    pub service_pods: Vec<String>,
    /// Who carries it out.
    pub program: Program,
}

impl ShopFacts {
    /// The shop with what it means, or why nothing can be done for it.
    ///
    /// # Errors
    /// A sentence.
    pub fn platform(&self) -> Result<&Platform, String> {
        self.verdict
            .as_ref()
            .map_err(|violations| match violations.first() {
                Some(violation) => format!("the shop's resource breaks a rule: {violation}"),
                None => "the shop's resource breaks a rule".to_owned(),
            })
    }

    /// What objects are built from.
    #[must_use]
    pub fn shop<'a>(&'a self, platform: &'a Platform, program: &'a Program) -> Shop<'a> {
        Shop {
            platform,
            namespace: self.resource.metadata.namespace.as_deref().unwrap_or_default(),
            owner: &self.owner,
            operator_namespace: &program.operator_namespace,
        }
    }
}
