//! A resource's status as a report: what the operator says, in its own sentences. Pure.

use bigtix_crds::BigTix;
use bigtix_crds::v1alpha1::{BigTixStatus, DataStoreStatus, RolloutStatus, ServiceStatus};
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use crate::report::{Part, Report, State, Trouble};

/// Conditions in the order in which they are told, and which of their values is a trouble. `PaymentsReal` is none: a shop
/// may be meant to take no money.
const TELLING: [(&str, &str); 10] = [
    ("SpecValid", "False"),
    ("Ready", "False"),
    ("Degraded", "True"),
    ("Available", "False"),
    ("DataStoresReady", "False"),
    ("IngressReady", "False"),
    ("MonitoringReady", "False"),
    ("Contested", "True"),
    ("RestartsPending", "True"),
    ("Paused", "True"),
];
/// How many warnings are told.
const WARNINGS: usize = 3;

/// The report. `command` makes a command line about this shop of its words.
pub(crate) fn report(shop: &BigTix, events: &[Event], command: &dyn Fn(&str) -> String) -> Report {
    let status = shop.status.clone().unwrap_or_default();
    let troubles = troubles(shop, &status, command);
    let is_ready = condition(&status, "Ready").is_some_and(|ready| ready.status == "True");
    let mut parts: Vec<Part> = status.services.iter().map(service).collect();
    parts.extend(status.data_stores.iter().filter_map(store));
    let state = match (is_ready && is_current(shop, &status), shop.spec.hibernate) {
        (true, false) => State::Ready,
        (true, true) => State::Stopped,
        (false, _) => State::NotReady,
    };
    Report {
        shop: format!("{}/{}", shop.namespace().unwrap_or_default(), shop.name_any()),
        state,
        url: status.url.clone(),
        release: status.version.current.clone(),
        rollout: status.rollout.as_ref().map(rollout),
        parts,
        events: if troubles.is_empty() {
            Vec::new()
        } else {
            warnings(events)
        },
        troubles,
    }
}

fn condition<'a>(status: &'a BigTixStatus, type_: &str) -> Option<&'a Condition> {
    status
        .conditions
        .iter()
        .find(|condition| condition.type_ == type_)
}

/// Whether the operator speaks of the resource as it is.
fn is_current(shop: &BigTix, status: &BigTixStatus) -> bool {
    shop.metadata
        .generation
        .is_none_or(|generation| generation <= status.observed_generation)
}

fn troubles(shop: &BigTix, status: &BigTixStatus, command: &dyn Fn(&str) -> String) -> Vec<Trouble> {
    let mut troubles = Vec::<Trouble>::new();
    if !is_current(shop, status) {
        troubles.push(Trouble {
            what: "the operator has not looked at the resource since it was changed".to_owned(),
            since: None,
            next: "wait a moment; should it last: kubectl get deployments --all-namespaces --selector \
                   app.kubernetes.io/name=bigtix-operator"
                .to_owned(),
        });
    }
    for (type_, bad) in TELLING {
        let found = condition(status, type_).filter(|condition| condition.status == bad);
        let Some(Condition {
            message,
            reason,
            last_transition_time,
            ..
        }) = found
        else {
            continue;
        };
        // Several conditions speak of one thing.
        let is_told = troubles.iter().any(|told| told.what.contains(message.as_str()));
        if is_told && !message.is_empty() {
            continue;
        }
        troubles.push(Trouble {
            what: if message.is_empty() {
                format!("{type_}: {reason}")
            } else {
                format!("{type_}: {message}")
            },
            since: Some(last_transition_time.0.to_string()),
            next: next(reason, message, command),
        });
    }
    troubles
}

/// What to do about a reason; its section in the runbook says more.
fn next(reason: &str, message: &str, command: &dyn Fn(&str) -> String) -> String {
    let runbook = format!("section {reason} of docs/runbooks/conditions.md");
    let has =
        |predicate: &str| message.starts_with(predicate) || message.contains(&format!("; {predicate}:"));
    let trouble_of_pods = [
        "ReplicasUpdatedAndAvailable",
        "NoRestarts",
        "MembersReady",
        "ErrorsWithinBudget",
        "LatencyWithinBudget",
    ];
    match reason {
        "RolledBack" | "Failed" | "RolloutFailed" => {
            format!(
                "{} asks for the release before it; {runbook}",
                command("rollback")
            )
        }
        "RollingOut" if !trouble_of_pods.iter().any(|predicate| has(predicate)) => {
            format!("wait, it goes on by itself: {}", command("status --watch"))
        }
        "Paused" => "set spec.paused to false when it may go on".to_owned(),
        _ if trouble_of_pods.iter().any(|predicate| has(predicate)) => {
            format!("{} shows what the pods say; {runbook}", command("logs"))
        }
        "Reconciling" => format!("wait, it goes on by itself: {}", command("status --watch")),
        _ => runbook,
    }
}

fn service(service: &ServiceStatus) -> Part {
    let ServiceStatus {
        name,
        version,
        image,
        desired,
        ready,
        updated,
    } = service;
    let older = desired.saturating_sub(*updated);
    Part {
        name: name.clone(),
        version: version.clone(),
        ready: count(*ready),
        wanted: count(*desired),
        detail: Some(if older > 0 {
            format!("{image}, {older} to be replaced")
        } else {
            image.clone()
        }),
    }
}

/// Of a store that somebody else runs nothing is known.
fn store(store: &DataStoreStatus) -> Option<Part> {
    let DataStoreStatus {
        name,
        external,
        version,
        desired,
        ready,
        primary,
        storage,
    } = store;
    let details: Vec<String> = [
        storage.as_ref().map(|size| format!("volumes of {size}")),
        primary
            .as_ref()
            .map(|primary| format!("primary {}", primary.split('.').next().unwrap_or(primary))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!external).then(|| Part {
        name: name.clone(),
        version: version.clone(),
        ready: count(*ready),
        wanted: count(*desired),
        detail: (!details.is_empty()).then(|| details.join(", ")),
    })
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn rollout(rollout: &RolloutStatus) -> String {
    let RolloutStatus {
        id: _,
        from,
        to,
        step,
        service,
        rolling_back,
        started_at: _,
        reason,
        deadline,
        point_of_no_return,
    } = rollout;
    let what = match (rolling_back, from) {
        (true, Some(from)) => format!("Taking {to} back to {from}"),
        (true, None) => format!("Taking {to} back"),
        (false, Some(from)) if from != to => format!("Rolling out {to} after {from}"),
        (false, _) => format!("Rolling out {to}"),
    };
    let at = service
        .as_ref()
        .map(|service| format!(" of {service}"))
        .unwrap_or_default();
    let until = deadline
        .as_ref()
        .map(|deadline| format!(", until {}", deadline.0))
        .unwrap_or_default();
    let why = reason
        .as_ref()
        .map(|reason| format!(", because {reason}"))
        .unwrap_or_default();
    let past = if *point_of_no_return {
        ", past its point of no return"
    } else {
        ""
    };
    format!("{what}: step {step}{at}{until}{past}{why}")
}

/// The newest warnings, newest first.
fn warnings(events: &[Event]) -> Vec<String> {
    let at = |event: &Event| {
        let series = event.series.as_ref().map(|series| series.last_observed_time.0);
        series.or(event.event_time.as_ref().map(|time| time.0))
    };
    let mut warnings: Vec<&Event> = events
        .iter()
        .filter(|event| event.type_.as_deref() == Some("Warning"))
        .collect();
    warnings.sort_by_key(|event| std::cmp::Reverse(at(event)));
    let line = |event: &Event| {
        let at = at(event).map(|at| format!("{at} ")).unwrap_or_default();
        let (reason, note) = (event.reason.as_deref(), event.note.as_deref());
        format!("{at}{}: {}", reason.unwrap_or_default(), note.unwrap_or_default())
    };
    warnings.into_iter().take(WARNINGS).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Paint;
    use serde_json::{Value, json};

    fn shop(conditions: Value) -> BigTix {
        let resource = json!({
            "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop", "namespace": "tickets", "generation": 2},
            "spec": {"version": "1.1.0"},
        });
        let mut shop = bigtix_crds::from_value(resource).unwrap();
        let status = json!({
            "observedGeneration": 2, "conditions": conditions, "url": "http://shop.example",
            "version": {"current": "1.0.0", "target": "1.1.0"},
            "services": [{"name": "orders", "version": "1.1.0", "image": "orders:1.1.0", "desired": 2, "ready": 1, "updated": 1}],
            "dataStores": [
                {"name": "mongodb", "external": false, "version": "8.0.1", "desired": 3, "ready": 3, "primary": "shop-mongodb-1.x", "storage": "10Gi"},
                {"name": "redis", "external": true, "desired": 0, "ready": 0},
            ],
            "rollout": {"id": "x", "from": "1.0.0", "to": "1.1.0", "step": "Service", "service": "orders"},
        });
        shop.status = Some(serde_json::from_value(status).unwrap());
        shop
    }

    fn said(type_: &str, status: &str, reason: &str, message: &str) -> Value {
        json!({"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": "2026-01-02T03:04:05Z"})
    }

    fn reported(shop: &BigTix, events: &[Event]) -> Report {
        report(shop, events, &|words| format!("kubectl bigtix {words}"))
    }

    #[test]
    fn generated_status_of_a_rollout_that_waits_for_a_pod() {
        let waits = "ReplicasUpdatedAndAvailable: Deployment shop-orders: of 2 pods 1 run orders:1.1.0";
        let shop = shop(json!([
            said("Ready", "False", "RollingOut", waits),
            said("Available", "True", "AsExpected", ""),
            said("PaymentsReal", "False", "StripeDouble", "a stand-in"),
            said("Degraded", "False", "AsExpected", ""),
        ]));
        let report = reported(&shop, &[]);
        assert_eq!(report.state, State::NotReady);
        let page = report.status(Paint::Plain);
        bigtix_testkit::golden::generated("cli/tests/golden/cluster-status.txt", &page);
    }

    #[test]
    fn one_thing_is_told_once_with_the_newest_warnings() {
        let why = "release 1.1.0 failed and was taken back";
        let shop = shop(json!([
            said("Ready", "False", "RolledBack", why),
            said("Degraded", "True", "RolledBack", why),
        ]));
        let event = |at: &str, type_: &str| -> Event {
            serde_json::from_value(json!({"metadata": {}, "eventTime": at, "type": type_, "reason": "RolloutFailed", "note": at})).unwrap()
        };
        let events = [
            event("2026-01-01T00:00:00.000000Z", "Warning"),
            event("2026-01-03T00:00:00.000000Z", "Warning"),
            event("2026-01-04T00:00:00.000000Z", "Normal"),
        ];
        let report = reported(&shop, &events);
        assert_eq!(report.troubles.len(), 1, "{:?}", report.troubles);
        assert!(report.troubles[0].next.contains("kubectl bigtix rollback"));
        assert_eq!(report.events.len(), 2);
        assert!(report.events[0].starts_with("2026-01-03"), "{:?}", report.events);
    }

    #[test]
    fn a_resource_that_was_not_looked_at_since_is_not_ready() {
        let mut shop = shop(json!([said(
            "Ready",
            "True",
            "AsExpected",
            "release 1.0.0 serves users"
        )]));
        assert!(reported(&shop, &[]).is_as_wanted());
        shop.metadata.generation = Some(3);
        let report = reported(&shop, &[]);
        assert!(!report.is_as_wanted() && report.troubles[0].what.contains("has not looked"));
    }
}
