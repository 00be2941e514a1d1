//! Processor and memory of every pod. Where a user names one half of a pair, the other half follows it, so that a default
//! never contradicts what the user wrote.

use crate::Service;
use crate::Violation;
use crate::platform::{Amounts, Quantity, Resources};
use crate::v1alpha1::{self, BigTixSpec};
use crate::validate::quantity::thousandths;

/// What a pod gets when nothing is said.
struct Defaults {
    cpu_request: &'static str,
    memory_request: &'static str,
    memory_limit: &'static str,
}

pub(super) fn of_service(wanted: &v1alpha1::Resources) -> Resources {
    fill(
        wanted,
        &Defaults {
            cpu_request: "50m",
            memory_request: "32Mi",
            memory_limit: "256Mi",
        },
    )
}

pub(super) fn of_mongodb(wanted: &v1alpha1::Resources) -> Resources {
    fill(
        wanted,
        &Defaults {
            cpu_request: "100m",
            memory_request: "512Mi",
            memory_limit: "1Gi",
        },
    )
}

pub(super) fn of_nats(wanted: &v1alpha1::Resources) -> Resources {
    fill(
        wanted,
        &Defaults {
            cpu_request: "50m",
            memory_request: "64Mi",
            memory_limit: "512Mi",
        },
    )
}

pub(super) fn of_redis(wanted: &v1alpha1::Resources) -> Resources {
    fill(
        wanted,
        &Defaults {
            cpu_request: "20m",
            memory_request: "32Mi",
            memory_limit: "256Mi",
        },
    )
}

/// The processor has no limit by default, because throttling makes slow what could be fast.
fn fill(wanted: &v1alpha1::Resources, defaults: &Defaults) -> Resources {
    let (requests, limits) = (&wanted.requests, &wanted.limits);
    let quantity = |text: &str| Quantity(text.to_owned());
    Resources {
        cpu: match (&requests.cpu, &limits.cpu) {
            (Some(request), limit) => Amounts {
                request: request.clone(),
                limit: limit.clone(),
            },
            (None, Some(limit)) => Amounts {
                request: limit.clone(),
                limit: Some(limit.clone()),
            },
            (None, None) => Amounts {
                request: quantity(defaults.cpu_request),
                limit: None,
            },
        },
        memory: match (&requests.memory, &limits.memory) {
            (Some(request), Some(limit)) => Amounts {
                request: request.clone(),
                limit: Some(limit.clone()),
            },
            (Some(both), None) | (None, Some(both)) => Amounts {
                request: both.clone(),
                limit: Some(both.clone()),
            },
            (None, None) => Amounts {
                request: quantity(defaults.memory_request),
                limit: Some(quantity(defaults.memory_limit)),
            },
        },
    }
}

/// Requests that exceed their limits. A rule of the schema would be refused for its cost, because an amount may be a
/// number or a text.
pub(super) fn contradictions(spec: &BigTixSpec) -> Vec<Violation> {
    let mut all: Vec<(String, &v1alpha1::Resources)> = Service::ALL
        .map(|service| {
            (
                format!("services.{service}"),
                &spec.services.get(service).resources,
            )
        })
        .into();
    let stores = [
        (
            "mongodb",
            spec.mongodb.managed.as_ref().map(|store| &store.resources),
        ),
        ("nats", spec.nats.managed.as_ref().map(|store| &store.resources)),
        ("redis", spec.redis.managed.as_ref().map(|store| &store.resources)),
    ];
    for (name, resources) in stores {
        all.extend(resources.map(|resources| (format!("{name}.managed"), resources)));
    }
    let mut violations = Vec::new();
    for (path, resources) in all {
        let (requests, limits) = (&resources.requests, &resources.limits);
        for (kind, request, limit) in [
            ("cpu", &requests.cpu, &limits.cpu),
            ("memory", &requests.memory, &limits.memory),
        ] {
            if exceeds(request.as_ref(), limit.as_ref()) {
                let path = format!("spec.{path}.resources.requests.{kind}");
                violations.push(Violation::new(path, "must not exceed the limit"));
            }
        }
    }
    violations
}

fn exceeds(request: Option<&Quantity>, limit: Option<&Quantity>) -> bool {
    let amount = |quantity: Option<&Quantity>| quantity.and_then(|quantity| thousandths(&quantity.0));
    matches!((amount(request), amount(limit)), (Some(request), Some(limit)) if request > limit)
}
