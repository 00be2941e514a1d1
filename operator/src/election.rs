//! Which of several operators writes: the holder of a Lease.
//!
//! Whoever cannot renew it in time stops at once, before anybody else may take it, so that there are never two.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::api::{Api, PostParams};
use tokio::time::{Instant, sleep};

/// For how long the lease is good without renewal.
const TERM: Duration = Duration::from_secs(15);
/// Without renewal for so long, the holder gives up by itself.
const GIVE_UP: Duration = Duration::from_secs(10);
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// How soon somebody who does not hold it looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// A candidate for the lease.
#[derive(Clone)]
pub struct Candidate {
    /// Where the lease is.
    pub api: Api<Lease>,
    /// Its name.
    pub lease: String,
    /// What tells this operator from the others.
    pub identity: String,
}

/// What a look at the lease says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    /// It is ours, or nobody's.
    Take,
    /// Somebody else holds it.
    Leave,
}

impl Candidate {
    /// Returns when the lease is held.
    pub async fn win(&self) {
        loop {
            match self.try_once().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the lease cannot be read or written"),
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Renews it until that has not been possible for too long, or somebody else holds it.
    pub async fn hold(&self) {
        let mut renewed = Instant::now();
        loop {
            sleep(RENEW_EVERY).await;
            match tokio::time::timeout(RENEW_EVERY, self.try_once()).await {
                Ok(Ok(true)) => renewed = Instant::now(),
                Ok(Ok(false)) => return,
                Ok(Err(error)) => tracing::warn!(%error, "the lease could not be renewed"),
                Err(_) => tracing::warn!("the lease could not be renewed in time"),
            }
            if renewed.elapsed() >= GIVE_UP {
                return;
            }
        }
    }

    /// Lets somebody else take over at once.
    ///
    /// # Errors
    /// The API server's.
    pub async fn release(&self) -> Result<(), kube::Error> {
        let mut lease = self.api.get(&self.lease).await?;
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_deref() == Some(&self.identity) {
            spec.holder_identity = None;
            spec.lease_duration_seconds = Some(1);
            self.api
                .replace(&self.lease, &PostParams::default(), &lease)
                .await?;
        }
        Ok(())
    }

    /// One try: `true` when the lease is ours afterwards. Two who try at once carry the same resource version, and one
    /// of them is refused.
    async fn try_once(&self) -> Result<bool, kube::Error> {
        let now = Timestamp::now();
        let Some(mut lease) = self.api.get_opt(&self.lease).await? else {
            let lease = Lease {
                metadata: ObjectMeta {
                    name: Some(self.lease.clone()),
                    ..ObjectMeta::default()
                },
                spec: Some(self.claimed(LeaseSpec::default(), now)),
            };
            return taken(self.api.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.take().unwrap_or_default();
        if claim(&spec, &self.identity, now) == Claim::Leave {
            return Ok(false);
        }
        lease.spec = Some(self.claimed(spec, now));
        taken(
            self.api
                .replace(&self.lease, &PostParams::default(), &lease)
                .await,
        )
    }

    fn claimed(&self, before: LeaseSpec, now: Timestamp) -> LeaseSpec {
        let is_ours = before.holder_identity.as_deref() == Some(&self.identity);
        let transitions = before.lease_transitions.unwrap_or(0);
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(TERM.as_secs()).ok(),
            acquire_time: if is_ours {
                before.acquire_time
            } else {
                Some(MicroTime(now))
            },
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(if is_ours { transitions } else { transitions + 1 }),
            ..LeaseSpec::default()
        }
    }
}

/// Refused because somebody else was faster is no error.
fn taken(outcome: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
    match outcome {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(answer)) if answer.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}

fn claim(spec: &LeaseSpec, identity: &str, now: Timestamp) -> Claim {
    let holder = spec
        .holder_identity
        .as_deref()
        .filter(|holder| !holder.is_empty());
    let term = SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or(0).into());
    let is_over = spec
        .renew_time
        .as_ref()
        .is_none_or(|renewed| now.duration_since(renewed.0) > term);
    match holder {
        None => Claim::Take,
        Some(holder) if holder == identity || is_over => Claim::Take,
        Some(_) => Claim::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(holder: Option<&str>, renewed: i64) -> LeaseSpec {
        LeaseSpec {
            holder_identity: holder.map(str::to_owned),
            lease_duration_seconds: Some(15),
            renew_time: Some(MicroTime(Timestamp::from_second(renewed).expect("a time"))),
            ..LeaseSpec::default()
        }
    }

    #[test]
    fn a_lease_is_taken_when_it_is_free_or_over_and_left_otherwise() {
        let now = Timestamp::from_second(100).expect("a time");
        assert_eq!(claim(&LeaseSpec::default(), "a", now), Claim::Take);
        assert_eq!(claim(&spec(None, 99), "a", now), Claim::Take);
        assert_eq!(claim(&spec(Some("a"), 99), "a", now), Claim::Take);
        assert_eq!(claim(&spec(Some("b"), 85), "a", now), Claim::Leave);
        assert_eq!(claim(&spec(Some("b"), 84), "a", now), Claim::Take);
    }

    #[test]
    fn a_holder_gives_up_before_anybody_else_may_take_over() {
        assert!(GIVE_UP + RENEW_EVERY < TERM);
    }
}
