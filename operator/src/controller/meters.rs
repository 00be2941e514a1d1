//! The metrics of shops. What they say is decided by [`Measures`].

use k8s_openapi::jiff::Timestamp;

use crate::next::rollout::Step;
use crate::status::measures::{Measures, Outcome, Progress};

/// Says everything, also what is not so, so that Prometheus sees each series before it changes.
pub(super) fn say(namespace: &str, shop: &str, measures: &Measures) {
    let Measures {
        is_ready,
        is_rejected,
        rollout,
        ended,
        is_backup_stale,
        backed_up_at,
    } = measures;
    let (namespace, name) = (namespace.to_owned(), shop.to_owned());
    let labels = [("namespace", namespace.clone()), ("name", name.clone())];
    metrics::gauge!("bigtix_operator_shop_ready", &labels).set(number(*is_ready));
    metrics::gauge!("bigtix_operator_release_rejected", &labels).set(number(*is_rejected));
    metrics::gauge!("bigtix_operator_backup_stale", &labels).set(number(*is_backup_stale));
    metrics::gauge!("bigtix_operator_backup_timestamp_seconds", &labels).set(seconds(*backed_up_at));
    let started_at = rollout.and_then(|rollout| rollout.started_at);
    metrics::gauge!("bigtix_operator_rollout_started_timestamp_seconds", &labels).set(seconds(started_at));
    for progress in Progress::ALL {
        let is_so = rollout.is_some_and(|rollout| rollout.progress == progress);
        metrics::gauge!(
            "bigtix_operator_rollout",
            "namespace" => namespace.clone(), "name" => name.clone(), "progress" => progress.as_str()
        )
        .set(number(is_so));
    }
    for step in Step::all() {
        let is_so = rollout.is_some_and(|rollout| rollout.step == Some(step));
        metrics::gauge!(
            "bigtix_operator_rollout_step",
            "namespace" => namespace.clone(), "name" => name.clone(), "step" => step.as_str()
        )
        .set(number(is_so));
    }
    for outcome in Outcome::ALL {
        let count = ended.iter().filter(|ended| **ended == outcome).count();
        metrics::counter!(
            "bigtix_operator_rollouts_total",
            "namespace" => namespace.clone(), "name" => name.clone(), "outcome" => outcome.as_str()
        )
        .increment(u64::try_from(count).unwrap_or(u64::MAX));
    }
}

fn number(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

/// Since 1970; nothing is said by 0.
fn seconds(time: Option<Timestamp>) -> f64 {
    time.map_or(0.0, |time| time.as_duration().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;
    use crate::status::measures::UnderWay;

    #[test]
    fn what_is_not_so_is_said_as_well() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let rollout = UnderWay {
            progress: Progress::Back,
            step: Some(Step::Soak),
            started_at: Timestamp::from_second(1_000).ok(),
        };
        let mut measures = Measures {
            is_ready: false,
            is_rejected: true,
            rollout: Some(rollout),
            ended: vec![Outcome::RolledBack],
            is_backup_stale: true,
            backed_up_at: Timestamp::from_second(2_000).ok(),
        };
        let lines = || recorder.handle().render();
        metrics::with_local_recorder(&recorder, || say("shops", "shop", &measures));
        let shop = "namespace=\"shops\",name=\"shop\"";
        for expected in [
            format!("bigtix_operator_shop_ready{{{shop}}} 0"),
            format!("bigtix_operator_release_rejected{{{shop}}} 1"),
            format!("bigtix_operator_rollout{{{shop},progress=\"back\"}} 1"),
            format!("bigtix_operator_rollout{{{shop},progress=\"failed\"}} 0"),
            format!("bigtix_operator_rollout_step{{{shop},step=\"soak\"}} 1"),
            format!("bigtix_operator_rollout_step{{{shop},step=\"web\"}} 0"),
            format!("bigtix_operator_backup_stale{{{shop}}} 1"),
            format!("bigtix_operator_backup_timestamp_seconds{{{shop}}} 2000"),
            format!("bigtix_operator_rollout_started_timestamp_seconds{{{shop}}} 1000"),
            format!("bigtix_operator_rollouts_total{{{shop},outcome=\"rolled_back\"}} 1"),
            format!("bigtix_operator_rollouts_total{{{shop},outcome=\"succeeded\"}} 0"),
        ] {
            assert!(
                lines().lines().any(|line| line == expected),
                "{expected}: {}",
                lines()
            );
        }

        (measures.rollout, measures.ended) = (None, Vec::new());
        metrics::with_local_recorder(&recorder, || say("shops", "shop", &measures));
        let text = lines();
        assert!(text.contains("progress=\"back\"} 0"), "{text}");
        assert!(text.contains("outcome=\"rolled_back\"} 1"), "{text}");
    }
}
