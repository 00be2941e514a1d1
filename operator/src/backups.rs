//! Backups and restores: requests that are objects of their own, each carried out by a Job of the operator's own image.
//!
//! Like a shop's pass, a request's is `observe -> take or restore -> apply`: what is due follows from what was observed, in pure
//! functions. The schedule, and that no service runs while a shop is restored, is the shop's own pass's to decide.

mod apply;
pub mod controller;
pub mod facts;
pub mod job;
pub mod location;
mod observe;
pub mod outcome;
pub mod program;
pub mod restore;
pub mod take;
pub mod verdict;

use std::time::Duration;

use bigtix_crds::v1alpha1::{BigTixBackupStatus, BigTixRestoreStatus};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;

pub use controller::{Context, run};

use crate::next::Notice;
use verdict::Verdict;

/// How soon a request that waits for something is looked at again.
const WAITING: Duration = Duration::from_secs(5);

/// One thing to do for a request.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "few of them exist at a time")]
pub enum Write {
    /// Has the request stay until its archive is gone.
    Keep,
    /// Lets the request go.
    Release,
    /// Makes a Job.
    Start(Job),
    /// Deletes a Job, and its pods before it.
    End(String),
    /// Makes every session invalid that was signed with the keys in the Secret of that name.
    RenewSessionKeys(String),
}

/// What came of a pass of a request whose status is an `S`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision<S> {
    /// What to do, in order.
    pub writes: Vec<Write>,
    /// What to say once that is done.
    pub status: S,
    /// What to tell those who read events.
    pub notices: Vec<Notice>,
    /// When to look again should nothing happen; none when nothing is left to do.
    pub look_again: Option<Duration>,
}

/// A status with conditions.
pub trait Conditioned {
    /// They.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;
}

impl Conditioned for BigTixBackupStatus {
    fn conditions_mut(&mut self) -> &mut Vec<Condition> {
        &mut self.conditions
    }
}

impl Conditioned for BigTixRestoreStatus {
    fn conditions_mut(&mut self) -> &mut Vec<Condition> {
        &mut self.conditions
    }
}

impl<S: Conditioned> Decision<S> {
    /// Nothing is left to do.
    fn rest(status: S) -> Self {
        Self {
            writes: Vec::new(),
            status,
            notices: Vec::new(),
            look_again: None,
        }
    }

    /// A request of this generation says so, and is looked at again until it has ended.
    fn said(
        mut status: S,
        verdict: &Verdict,
        writes: Vec<Write>,
        generation: Option<i64>,
        now: Timestamp,
    ) -> Self {
        let conditions = status.conditions_mut();
        *conditions = verdict.conditions(conditions, generation, now);
        Self {
            writes,
            look_again: Some(WAITING),
            ..Self::rest(status)
        }
    }
}

#[cfg(test)]
mod tests;
