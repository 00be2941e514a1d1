//! What a resource says that means nothing where there is no cluster.

use crate::BigTix;
use crate::v1alpha1::{BigTixSpec, ManagedMongodb, ManagedNats, ManagedRedis};
use serde_json::Value;

/// Fields that one machine cannot honour. `*` stands for each service; the whole of a named field is meant.
const MEANINGLESS: &[&str] = &[
    "services.*.version",
    "services.*.image",
    "services.*.autoscaling",
    "services.*.resources",
    "mongodb.managed",
    "mongodb.external",
    "nats.managed",
    "nats.external",
    "redis.managed",
    "redis.external",
    "ingress.enabled",
    "ingress.host",
    "ingress.className",
    "ingress.annotations",
    "ingress.tls",
    "upgrade",
    "mode",
    "paused",
    "hibernate",
    "restartAt",
    "deletionPolicy",
    "images",
    "networkPolicy",
    "observability.podMonitor",
    "observability.alerts",
    "backup",
];

/// The fields that `bigtix up` ignores, of those that say something else than their default; each as a path such as
/// `spec.mongodb.managed.storage.size`, in the order of the paths.
#[must_use]
pub fn ignored_on_one_machine(bigtix: &BigTix) -> Vec<String> {
    let (default, spec) = (plain(&unremarkable(&bigtix.spec)), plain(&bigtix.spec));
    let mut ignored = Vec::new();
    for field in MEANINGLESS {
        let steps: Vec<_> = field.split('.').collect();
        differing(&spec, &default, &steps, "spec", &mut ignored);
    }
    for (name, service) in spec["services"].as_object().into_iter().flatten() {
        for (at, variable) in service["env"].as_array().into_iter().flatten().enumerate() {
            if !variable["valueFrom"].is_null() {
                ignored.push(format!("spec.services.{name}.env[{at}].valueFrom"));
            }
        }
    }
    ignored.sort();
    ignored
}

/// The spec that says nothing, with the stores spelt out where this one spells them out.
fn unremarkable(spec: &BigTixSpec) -> BigTixSpec {
    let nothing = serde_json::json!({"version": spec.version});
    let mut default: BigTixSpec = serde_json::from_value(nothing).expect("only the version has no default");
    default.mongodb.managed = spec.mongodb.managed.as_ref().map(|_| ManagedMongodb::default());
    default.nats.managed = spec.nats.managed.as_ref().map(|_| ManagedNats::default());
    default.redis.managed = spec.redis.managed.as_ref().map(|_| ManagedRedis::default());
    default
}

fn plain(spec: &BigTixSpec) -> Value {
    serde_json::to_value(spec).expect("a resource is plain data")
}

/// Follows the steps, then reports every field below that differs from its default. What has no default is named as a
/// whole.
fn differing(value: &Value, default: &Value, steps: &[&str], path: &str, found: &mut Vec<String>) {
    match (steps.split_first(), value) {
        (_, Value::Null) => {}
        (Some((&"*", rest)), Value::Object(fields)) => {
            for (name, field) in fields {
                differing(field, &default[name], rest, &format!("{path}.{name}"), found);
            }
        }
        (Some((step, rest)), _) => {
            differing(
                &value[*step],
                &default[*step],
                rest,
                &format!("{path}.{step}"),
                found,
            );
        }
        (None, _) if value == default => {}
        (None, Value::Object(fields)) if default.is_object() && !fields.is_empty() => {
            for (name, field) in fields {
                differing(field, &default[name], &[], &format!("{path}.{name}"), found);
            }
        }
        (None, _) => found.push(path.to_owned()),
    }
}
