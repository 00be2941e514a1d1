//! What is worth waking somebody for. Each alert names the page that says what to do.

use std::time::Duration;

use bigtix_contracts::operations::{REQUEST_SECONDS, REQUESTS, ROUTE, ROUTES};
use bigtix_crds::platform::Platform;
use serde_json::{Value, json};

use super::instance_label;
use crate::build::{Shop, components};
use crate::names::Component;

/// The bound where the rollouts' own is not set.
const SLOW: Duration = Duration::from_millis(500);
/// Seconds by which events may be late.
const LATE_SECONDS: u32 = 30;
/// Events that may wait for one consumer.
const MANY_EVENTS: u32 = 1_000;

struct Alert {
    name: &'static str,
    expression: String,
    lasts: &'static str,
    severity: &'static str,
    summary: &'static str,
}

/// Of the PrometheusRule.
pub(super) fn spec(shop: Shop<'_>) -> Value {
    let rules: Vec<_> = alerts(shop).iter().map(rule).collect();
    json!({"groups": [{"name": shop.platform.name.as_str(), "rules": rules}]})
}

fn alerts(shop: Shop<'_>) -> Vec<Alert> {
    let here = format!(
        "namespace=\"{}\",{}=\"{}\"",
        shop.namespace,
        instance_label(),
        shop.platform.name
    );
    let mut alerts = vec![service_down(shop)];
    alerts.extend(requests(shop.platform, &here));
    alerts.extend(events(&here));
    alerts.extend(store_not_ready(shop));
    alerts.extend(rollouts(shop));
    alerts.extend(backup_stale(shop));
    alerts
}

/// Asks kube-state-metrics, like [`store_not_ready`], and so is right without a PodMonitor and while a shop sleeps.
fn service_down(shop: Shop<'_>) -> Alert {
    let services = shop.platform.services.iter();
    let names: Vec<_> = services
        .map(|(service, _)| Component::Service(service).object_name(shop.platform))
        .collect();
    let here = format!(
        "namespace=\"{}\",deployment=~\"{}\"",
        shop.namespace,
        names.join("|")
    );
    let down = format!(
        "kube_deployment_status_replicas_available{{{here}}} < 1 and kube_deployment_spec_replicas{{{here}}} > 0"
    );
    Alert {
        name: "BigTixServiceDown",
        expression: format!(
            "label_replace({down}, \"service\", \"$1\", \"deployment\", \"{}-(.+)\")",
            shop.platform.name
        ),
        lasts: "2m",
        severity: "critical",
        summary: "No pod of {{ $labels.service }} is ready.",
    }
}

fn requests(platform: &Platform, here: &str) -> [Alert; 2] {
    let (percent, bound) = (
        platform.upgrade.max_error_percent,
        platform.upgrade.max_p95.unwrap_or(SLOW),
    );
    // Probes and collectors ask all the time, and are answered when nobody else is.
    let users = format!("{here},{ROUTE}!~\"{}\"", ROUTES.join("|"));
    let rate = |more: &str| format!("sum by (service) (rate({REQUESTS}{{{users}{more}}}[5m]))");
    let durations = format!("sum by (service, le) (rate({REQUEST_SECONDS}_bucket{{{users}}}[5m]))");
    [
        Alert {
            name: "BigTixErrorRate",
            expression: format!("100 * {} / {} > {percent}", rate(",status=~\"5..\""), rate("")),
            lasts: "5m",
            severity: "critical",
            summary: "{{ $labels.service }} fails {{ $value | humanize }} % of its requests.",
        },
        Alert {
            name: "BigTixLatency",
            expression: format!("histogram_quantile(0.95, {durations}) > {}", bound.as_secs_f64()),
            lasts: "10m",
            severity: "warning",
            summary: "One in twenty requests to {{ $labels.service }} takes {{ $value | humanizeDuration }} or more.",
        },
    ]
}

fn events(here: &str) -> [Alert; 3] {
    [
        Alert {
            name: "BigTixRelayLag",
            expression: format!("max by (producer) (bigtix_relay_lag_seconds{{{here}}}) > {LATE_SECONDS}"),
            lasts: "2m",
            severity: "critical",
            summary: "Events of {{ $labels.producer }} reach the bus {{ $value | humanizeDuration }} late.",
        },
        Alert {
            name: "BigTixConsumerLag",
            expression: format!("max by (consumer) (bigtix_consumer_pending{{{here}}}) > {MANY_EVENTS}"),
            lasts: "10m",
            severity: "warning",
            summary: "{{ $value }} events wait for {{ $labels.consumer }}.",
        },
        Alert {
            name: "BigTixDeadLetters",
            expression: format!("sum by (consumer) (increase(bigtix_dead_letters_total{{{here}}}[15m])) > 0"),
            lasts: "0m",
            severity: "warning",
            summary: "{{ $labels.consumer }} put aside events that it could not take in.",
        },
    ]
}

/// Asks kube-state-metrics, because the stores have no metrics of their own here.
fn store_not_ready(shop: Shop<'_>) -> Option<Alert> {
    let sets: Vec<_> = components(shop)
        .into_iter()
        .filter(|component| match component {
            Component::Mongodb | Component::Nats | Component::Redis => true,
            Component::StripeDouble | Component::Backup | Component::Service(_) => false,
        })
        .map(|component| component.object_name(shop.platform))
        .collect();
    let here = format!(
        "namespace=\"{}\",statefulset=~\"{}\"",
        shop.namespace,
        sets.join("|")
    );
    (!sets.is_empty()).then(|| Alert {
        name: "BigTixStoreNotReady",
        expression: format!(
            "kube_statefulset_status_replicas_ready{{{here}}} < kube_statefulset_replicas{{{here}}}"
        ),
        lasts: "5m",
        severity: "critical",
        summary: "A member of {{ $labels.statefulset }} is not ready.",
    })
}

/// Asks the operator's own metrics, which name the shop in labels of their own.
fn rollouts(shop: Shop<'_>) -> [Alert; 2] {
    let here = format!("namespace=\"{}\",name=\"{}\"", shop.namespace, shop.platform.name);
    [
        Alert {
            name: "BigTixRolledBack",
            expression: format!("max by (namespace, name) (bigtix_operator_release_rejected{{{here}}}) > 0"),
            lasts: "0m",
            severity: "warning",
            summary: "The release that {{ $labels.name }} asks for failed and was taken back.",
        },
        // What goes forward has deadlines; what is held is so by a person.
        Alert {
            name: "BigTixRolloutStuck",
            expression: format!(
                "max by (namespace, name, progress) (bigtix_operator_rollout{{{here},progress=~\"back|failed\"}}) > 0"
            ),
            lasts: "15m",
            severity: "critical",
            summary: "A rollout of {{ $labels.name }} stands still ({{ $labels.progress }}).",
        },
    ]
}

/// Only where a schedule asks for some. The operator counts the times of the schedule that have passed.
fn backup_stale(shop: Shop<'_>) -> Option<Alert> {
    let here = format!("namespace=\"{}\",name=\"{}\"", shop.namespace, shop.platform.name);
    shop.platform.backup.as_ref()?.schedule.as_ref()?;
    Some(Alert {
        name: "BigTixBackupStale",
        expression: format!("max by (namespace, name) (bigtix_operator_backup_stale{{{here}}}) > 0"),
        lasts: "15m",
        severity: "critical",
        summary: "{{ $labels.name }} lacks the last two backups of its schedule.",
    })
}

fn rule(alert: &Alert) -> Value {
    let Alert {
        name,
        expression,
        lasts,
        severity,
        summary,
    } = alert;
    json!({
        "alert": name,
        "expr": expression,
        "for": lasts,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "runbook": format!("docs/runbooks/{name}.md")},
    })
}
