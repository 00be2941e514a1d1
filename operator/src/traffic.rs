//! What pods say of the requests that they have answered: read from their metrics, added up, and asked for shares.

mod exposition;

use std::collections::BTreeMap;
use std::time::Duration;

use bigtix_contracts::operations::{REQUEST_SECONDS, REQUESTS, ROUTE, ROUTES, STATUS};
use exposition::{Sample, samples};

/// Numerator and denominator of the 95th percentile.
const P95: (u64, u64) = (95, 100);

/// The requests that a process has answered since it started, those of users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// All of them.
    pub requests: u64,
    /// Those answered with 5xx.
    pub errors: u64,
    /// How many were answered within each bound; the last bound is [`Duration::MAX`].
    pub within: BTreeMap<Duration, u64>,
}

impl Traffic {
    /// Reads the metrics of one pod. What is not about requests, or cannot be read, counts for nothing.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut traffic = Self::default();
        for sample in samples(text) {
            // The kubelet, collectors and the operator itself ask for these, and a pod that starts answers one with 503.
            let route = sample.labels.get(ROUTE).map(String::as_str);
            if route.is_none_or(|route| !ROUTES.contains(&route)) {
                traffic.count(&sample);
            }
        }
        traffic
    }

    fn count(&mut self, sample: &Sample<'_>) {
        let label = |name| sample.labels.get(name).map_or("", String::as_str);
        match sample.name {
            REQUESTS => {
                self.requests += sample.value;
                if label(STATUS).starts_with('5') {
                    self.errors += sample.value;
                }
            }
            name if name.strip_suffix("_bucket") == Some(REQUEST_SECONDS) => {
                if let Some(bound) = bound(label("le")) {
                    *self.within.entry(bound).or_default() += sample.value;
                }
            }
            _ => {}
        }
    }

    /// That of several pods together.
    #[must_use]
    pub fn sum<'a>(pods: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::default();
        for pod in pods {
            let Self {
                requests,
                errors,
                within,
            } = pod;
            sum.requests += requests;
            sum.errors += errors;
            for (bound, count) in within {
                *sum.within.entry(*bound).or_default() += count;
            }
        }
        sum
    }

    /// Whether more than `percent` of the requests failed.
    #[must_use]
    pub fn fails_more_than(&self, percent: u32) -> bool {
        u128::from(self.errors) * 100 > u128::from(self.requests) * u128::from(percent)
    }

    /// The share of requests that failed, in tenths of a percent, rounded up.
    #[must_use]
    pub fn per_mille_failed(&self) -> u64 {
        let share = (u128::from(self.errors) * 1000).div_ceil(u128::from(self.requests.max(1)));
        u64::try_from(share).unwrap_or(u64::MAX)
    }

    /// The time within which 95 of 100 requests were answered, taken as evenly spread within a bucket. Beyond the last
    /// bound nothing is known but that it was longer, so it is the last bound. None when nothing was measured.
    #[must_use]
    pub fn p95(&self) -> Option<Duration> {
        let all = *self.within.values().next_back().filter(|all| **all > 0)?;
        let rank = (u128::from(all) * u128::from(P95.0)).div_ceil(u128::from(P95.1));
        let (mut lower, mut below) = (Duration::ZERO, 0);
        for (bound, count) in &self.within {
            let count = u128::from(*count);
            if count >= rank {
                if *bound == Duration::MAX {
                    return Some(lower);
                }
                let share = (rank - below) as f64 / (count - below) as f64;
                return Some(lower + (*bound - lower).mul_f64(share));
            }
            // Bounds that only some pods have would make a step down.
            (lower, below) = (*bound, count.max(below));
        }
        None
    }
}

/// A bucket's upper bound.
fn bound(le: &str) -> Option<Duration> {
    match le {
        "+Inf" => Some(Duration::MAX),
        seconds => Duration::try_from_secs_f64(seconds.parse().ok()?).ok(),
    }
}

#[cfg(test)]
mod tests;
