//! Arithmetic, and the text of the recorder that the services use.

use metrics::with_local_recorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use proptest::prelude::*;

use super::*;

fn milliseconds(number: u64) -> Duration {
    Duration::from_millis(number)
}

fn durations(within: &[(u64, u64)], all: u64) -> Traffic {
    let mut within: BTreeMap<_, _> = within
        .iter()
        .map(|(bound, count)| (milliseconds(*bound), *count))
        .collect();
    within.insert(Duration::MAX, all);
    Traffic {
        within,
        ..Traffic::default()
    }
}

#[test]
fn what_the_services_recorder_writes_is_read() {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &[0.01, 0.1])
        .expect("there are buckets")
        .build_recorder();
    let answered = |route: &'static str, status: &'static str, took: f64| {
        let labels = [("service", "orders"), ("method", "GET"), ("route", route)];
        let with_status = [labels[0], labels[1], labels[2], ("status", status)];
        metrics::counter!("http_requests_total", &with_status).increment(1);
        metrics::histogram!("http_request_duration_seconds", &labels).record(took);
    };
    with_local_recorder(&recorder, || {
        for _ in 0..3 {
            answered("/api/orders/{id}", "200", 0.005);
        }
        answered("/api/orders/{id}", "503", 0.05);
        answered("/api/orders", "404", 7.0);
        answered("/readyz", "503", 0.001);
        answered("/metrics", "200", 0.001);
        metrics::counter!("bigtix_dead_letters_total", "status" => "500").increment(9);
    });
    let expected = Traffic {
        requests: 5,
        errors: 1,
        ..durations(&[(10, 3), (100, 4)], 5)
    };
    assert_eq!(Traffic::read(&recorder.handle().render()), expected);
}

#[test]
fn a_page_without_the_series_has_no_traffic() {
    for text in ["", "<html>not found</html>", "up 1\n"] {
        assert_eq!(Traffic::read(text), Traffic::default(), "{text}");
    }
}

#[test]
fn exactly_the_limit_is_within_it() {
    let traffic = |errors| Traffic {
        requests: 1000,
        errors,
        ..Traffic::default()
    };
    assert!(!traffic(10).fails_more_than(1) && traffic(11).fails_more_than(1));
    assert!(!traffic(0).fails_more_than(0) && traffic(1).fails_more_than(0));
    assert!(!traffic(1000).fails_more_than(100));
    assert_eq!(
        [10, 11].map(|errors| traffic(errors).per_mille_failed()),
        [10, 11]
    );
    let one_of_three = Traffic {
        requests: 3,
        ..traffic(1)
    };
    assert_eq!(one_of_three.per_mille_failed(), 334);
    assert_eq!(Traffic::default().per_mille_failed(), 0);
}

#[test]
fn the_percentile_lies_within_its_bucket() {
    // The 95th of 100 is the fifth of ten in the bucket from 100 to 200 ms.
    assert_eq!(
        durations(&[(100, 90), (200, 100)], 100).p95(),
        Some(milliseconds(150))
    );
    assert_eq!(
        durations(&[(100, 95), (200, 100)], 100).p95(),
        Some(milliseconds(100))
    );
    // Of what took longer than the last bound nothing more is known.
    assert_eq!(
        durations(&[(100, 50), (200, 60)], 100).p95(),
        Some(milliseconds(200))
    );
    assert_eq!(durations(&[(100, 0)], 0).p95(), None);
    assert_eq!(Traffic::default().p95(), None);
}

#[test]
fn a_pod_that_has_started_anew_counts_from_nothing_and_takes_nothing_away() {
    let (steady, before) = (durations(&[(100, 200)], 200), durations(&[(100, 10)], 500));
    let slow = Traffic::sum([&steady, &before]);
    assert_eq!(slow.p95(), Some(milliseconds(100)));
    assert_eq!(Traffic::sum([&steady, &Traffic::default()]), steady);
}

proptest! {
    /// However the requests are spread over pods, and whatever pods have no such series, the sum is theirs.
    #[test]
    fn the_sum_is_that_of_all_pods(pods in proptest::collection::vec((0..1000_u64, 0..1000_u64, 0..1000_u64), 0..6)) {
        let pods: Vec<Traffic> = pods
            .into_iter()
            .map(|(errors, fast, slow)| Traffic {
                requests: fast + slow + errors,
                errors,
                ..durations(&[(100, fast), (1000, fast + slow)], fast + slow + errors)
            })
            .collect();
        let sum = Traffic::sum(&pods);
        prop_assert_eq!(sum.requests, pods.iter().map(|pod| pod.requests).sum::<u64>());
        prop_assert_eq!(sum.errors, pods.iter().map(|pod| pod.errors).sum::<u64>());
        prop_assert!(sum.errors <= sum.requests);
        if let Some(p95) = sum.p95() {
            // No worse than the worst pod, no better than the best.
            let each = || pods.iter().filter_map(Traffic::p95);
            prop_assert!(p95 <= each().max().expect("one of them") + Duration::from_micros(1));
        }
    }
}
