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

use k8s_openapi::api::batch::v1::Job;

pub use controller::{Context, run};

use crate::next::Notice;

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

#[cfg(test)]
mod tests;
