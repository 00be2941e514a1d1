//! The error budget of a rollout: whether the pods that it has brought answer users as they should.
//!
//! A pod counts its requests from its start, and the pods that are judged are those that the rollout has made, so what
//! they say is what has happened since the gate began: nothing has to be remembered, and a container that starts anew only
//! counts less. Each service is judged by itself, because a busy one would hide the faults of a quiet one.

use std::collections::BTreeMap;
use std::time::Duration;

use bigtix_crds::platform::{Mode, Upgrade};
use bigtix_crds::{Platform, Service, Version};
use k8s_openapi::api::core::v1::Pod;

use super::gate::{Reason, selected};
use super::release::{Build, ReleaseSet};
use super::rollout::Rollout;
use crate::names::{self, Component};
use crate::observe::facts::Observed;
use crate::traffic::Traffic;

/// Fewer requests to a service say nothing: at a limit of one percent, one of them that fails shall not be enough.
pub const MINIMUM_REQUESTS: u64 = 100;

/// What is known of the services that a rollout has changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    verdicts: BTreeMap<Service, (Build, Verdict)>,
}

/// What the requests to one service say.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Within,
    /// Of too few requests anything is known.
    Unknown,
    Over(Reason),
}

/// One service of which a rollout has made pods.
struct Changed<'a> {
    service: Service,
    build: Build,
    pods: Vec<&'a Pod>,
}

impl Budget {
    /// Judges what the pods have said.
    #[must_use]
    pub fn of(observed: &Observed, platform: &Platform) -> Self {
        let judge = |changed: Changed<'_>| {
            let Changed { service, build, pods } = changed;
            let names = pods.iter().filter_map(|pod| pod.metadata.name.as_ref());
            let traffic = Traffic::sum(names.filter_map(|name| observed.traffic.get(name)));
            let verdict = judge(service, &build.version, &traffic, &platform.upgrade);
            (service, (build, verdict))
        };
        Self {
            verdicts: changed(observed, platform).into_iter().map(judge).collect(),
        }
    }

    /// Why a service's build is to be taken back.
    pub(super) fn over(&self, service: Service, build: &Build) -> Option<Reason> {
        match self.verdicts.get(&service)? {
            (judged, Verdict::Over(reason)) if judged == build => Some(reason.clone()),
            (_, Verdict::Over(_) | Verdict::Within | Verdict::Unknown) => None,
        }
    }

    /// The services that are judged by readiness alone, as a sentence ends with them; none when all are judged.
    pub(super) fn unknown(&self) -> Option<String> {
        let unknown = self
            .verdicts
            .iter()
            .filter_map(|(service, (_, verdict))| match verdict {
                Verdict::Unknown => Some(service.as_str()),
                Verdict::Within | Verdict::Over(_) => None,
            });
        let unknown: Vec<_> = unknown.collect();
        (!unknown.is_empty()).then(|| {
            format!(
                "judged by readiness alone, with fewer than {MINIMUM_REQUESTS} requests that are known of: {}",
                unknown.join(", ")
            )
        })
    }
}

/// The pods whose requests have to be known, with their names.
pub(crate) fn asked<'a>(observed: &'a Observed, platform: &Platform) -> Vec<&'a Pod> {
    let changed = changed(observed, platform);
    changed.into_iter().flat_map(|changed| changed.pods).collect()
}

/// What the rollout that is under way has changed; nothing where there is nothing to go back to, or no limit.
fn changed<'a>(observed: &'a Observed, platform: &Platform) -> Vec<Changed<'a>> {
    let status = observed.resource.status.as_ref();
    let rollout = status.and_then(|status| Rollout::recorded(status.rollout.as_ref()?));
    let good = status.and_then(|status| ReleaseSet::recorded(&status.version));
    let (Some(rollout), Some(good)) = (rollout, good) else {
        return Vec::new();
    };
    let wanted = ReleaseSet::wanted(platform);
    let goes_on = !platform.hibernate && !platform.paused && platform.mode == Mode::Apply;
    let goes_forward = rollout.failure.is_none() && rollout.id == wanted.id();
    let is_limited = platform.upgrade.max_error_percent < 100 || platform.upgrade.max_p95.is_some();
    if !goes_on || !goes_forward || !is_limited {
        return Vec::new();
    }
    // Past the point of no return what has gone out is what would be gone back to.
    let is_changed = |(service, build): &(Service, Build)| {
        rollout.is_past_return || good.builds.get(service) != Some(build)
    };
    wanted
        .builds
        .into_iter()
        .filter(is_changed)
        .map(|(service, build)| Changed {
            service,
            pods: made(observed, platform, service, &build, &rollout),
            build,
        })
        .collect()
}

/// The pods of a build that the rollout has made.
fn made<'a>(
    observed: &'a Observed,
    platform: &Platform,
    service: Service,
    build: &Build,
    rollout: &Rollout,
) -> Vec<&'a Pod> {
    let labels = names::selector(platform, Component::Service(service));
    let runs_it = |pod: &&Pod| {
        let spec = pod.spec.as_ref();
        let image = spec.and_then(|spec| spec.containers.first()?.image.as_deref());
        let since = pod.metadata.creation_timestamp.as_ref();
        // An API server keeps whole seconds.
        let is_young = since.is_some_and(|since| since.0.as_second() >= rollout.started_at.as_second());
        is_young && image == Some(build.image.as_str())
    };
    let pods = selected(&observed.live.pods, &labels).into_iter();
    pods.filter(runs_it).collect()
}

/// The figures are rounded, so that a condition that stays does not change with every request.
fn judge(service: Service, version: &Version, traffic: &Traffic, limits: &Upgrade) -> Verdict {
    if traffic.requests < MINIMUM_REQUESTS {
        return Verdict::Unknown;
    }
    let of = format!("{} requests or more", leading_digit(traffic.requests));
    if traffic.fails_more_than(limits.max_error_percent) {
        let failed = traffic.per_mille_failed();
        let message = format!(
            "{service} {version} answered {}.{} % of {of} with 5xx; upgrade.maxErrorPercent is {}",
            failed / 10,
            failed % 10,
            limits.max_error_percent
        );
        return Verdict::Over(Reason {
            predicate: "ErrorsWithinBudget",
            message,
        });
    }
    match (traffic.p95(), limits.max_p95) {
        (Some(p95), Some(limit)) if p95 > limit => Verdict::Over(Reason {
            predicate: "LatencyWithinBudget",
            message: format!(
                "{service} {version} answered 95 of 100 requests within {} ms only, of {of}; upgrade.maxP95Milliseconds is {}",
                two_digits_up(p95),
                limit.as_millis()
            ),
        }),
        (None, _) | (_, None) | (Some(_), Some(_)) => Verdict::Within,
    }
}

/// 234 becomes 200.
fn leading_digit(number: u64) -> u64 {
    let unit = 10_u64.pow(number.checked_ilog10().unwrap_or(0));
    number / unit * unit
}

/// In milliseconds: 481 becomes 490.
fn two_digits_up(time: Duration) -> u128 {
    let whole = time.as_micros().div_ceil(1000);
    let unit = 10_u128.pow(whole.checked_ilog10().unwrap_or(0).saturating_sub(1));
    whole.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(max_error_percent: u32, max_p95: Option<u64>) -> Upgrade {
        let shop = bigtix_crds::from_value(serde_json::json!({
            "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"}, "spec": {"version": "1.0.0"},
        }));
        let platform = bigtix_crds::validate(&shop.expect("a resource")).expect("valid");
        Upgrade {
            max_error_percent,
            max_p95: max_p95.map(Duration::from_millis),
            ..platform.upgrade
        }
    }

    fn verdict(requests: u64, errors: u64, limits: &Upgrade) -> Verdict {
        let within = [
            (Duration::from_millis(100), requests / 2),
            (Duration::from_millis(500), requests),
            (Duration::MAX, requests),
        ];
        let traffic = Traffic {
            requests,
            errors,
            within: within.into(),
        };
        judge(Service::Orders, &Version::new(1, 1, 0), &traffic, limits)
    }

    #[test]
    fn too_few_requests_say_nothing_whatever_became_of_them() {
        let strict = limits(0, Some(1));
        assert_eq!(verdict(0, 0, &strict), Verdict::Unknown);
        assert_eq!(
            verdict(MINIMUM_REQUESTS - 1, MINIMUM_REQUESTS - 1, &strict),
            Verdict::Unknown
        );
        assert!(matches!(verdict(MINIMUM_REQUESTS, 1, &strict), Verdict::Over(_)));
        assert_eq!(verdict(MINIMUM_REQUESTS, 1, &limits(1, None)), Verdict::Within);
    }

    #[test]
    fn what_is_over_says_by_how_much() {
        let said = |verdict| match verdict {
            Verdict::Over(Reason { predicate, message }) => format!("{predicate}: {message}"),
            Verdict::Within | Verdict::Unknown => String::new(),
        };
        assert_eq!(
            said(verdict(240, 12, &limits(1, None))),
            "ErrorsWithinBudget: orders 1.1.0 answered 5.0 % of 200 requests or more with 5xx; upgrade.maxErrorPercent is 1"
        );
        assert_eq!(
            said(verdict(240, 0, &limits(1, Some(459)))),
            "LatencyWithinBudget: orders 1.1.0 answered 95 of 100 requests within 460 ms only, of 200 requests or more; \
             upgrade.maxP95Milliseconds is 459"
        );
        assert_eq!(verdict(240, 0, &limits(1, Some(460))), Verdict::Within);
    }

    #[test]
    fn figures_are_rounded_to_the_side_on_which_they_are_over() {
        assert_eq!([0, 9, 100, 1999].map(leading_digit), [0, 9, 100, 1000]);
        let rounded =
            [1_u64, 99_001, 481_000, 1_000_000].map(|time| two_digits_up(Duration::from_micros(time)));
        assert_eq!(rounded, [1, 100, 490, 1000]);
    }
}
