//! Whether an object has to be applied: an unchanged shop costs no write at all.
//!
//! An API server fills in defaults and others own fields of their own, so what is wanted is looked for within what is
//! there. A field that is no longer wanted is noticed by the digest of what was applied last, kept as an annotation.

mod contest;
mod given_up;

use bigtix_crds::platform::same_quantity;
use serde_json::{Map, Value};

use crate::build::meta::digest;
use crate::names::DOMAIN;

pub use contest::Contest;
pub(crate) use contest::{contests, fields_that_differ, has_foreign_fields};
pub(crate) use given_up::fields_given_up;

/// The name of the annotation with the digest of what was applied.
#[must_use]
pub(crate) fn annotation() -> String {
    format!("{DOMAIN}/applied-digest")
}

/// The object with the digest of itself among its annotations.
#[must_use]
pub(crate) fn stamped(mut object: Value) -> Value {
    let digest = digest(&object.to_string());
    let annotations = object
        .pointer_mut("/metadata")
        .and_then(Value::as_object_mut)
        .map(|metadata| {
            metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(Map::new()))
        });
    if let Some(Value::Object(annotations)) = annotations {
        annotations.insert(annotation(), digest.into());
    }
    object
}

/// Whether everything of `wanted` is in `live`.
#[must_use]
pub(crate) fn is_within(wanted: &Value, live: &Value) -> bool {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => wanted.iter().all(|(name, value)| {
            live.get(name)
                .map_or_else(|| is_empty(value), |live| is_within(value, live))
        }),
        (Value::Array(wanted), Value::Array(live)) => are_within(wanted, live),
        (Value::String(wanted), Value::String(live)) => wanted == live || same_quantity(wanted, live),
        (wanted, live) => wanted == live,
    }
}

/// Lists whose items have names may hold items of others; all other lists are whole.
fn are_within(wanted: &[Value], live: &[Value]) -> bool {
    if !wanted.is_empty() && wanted.iter().all(|item| name_of(item).is_some()) {
        return wanted.iter().all(|item| {
            live.iter()
                .any(|live| name_of(live) == name_of(item) && is_within(item, live))
        });
    }
    wanted.len() == live.len()
        && wanted
            .iter()
            .zip(live)
            .all(|(wanted, live)| is_within(wanted, live))
}

fn name_of(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_and_fields_of_others_do_not_differ() {
        let wanted =
            json!({"spec": {"replicas": 1, "containers": [{"name": "a", "env": []}], "cpu": "1000m"}});
        let live = json!({"spec": {"replicas": 1, "containers": [{"name": "a", "tty": false}, {"name": "sidecar"}],
            "cpu": "1", "policy": "Always"}, "status": {}});
        assert!(is_within(&wanted, &live));
    }

    #[test]
    fn a_changed_or_missing_field_differs() {
        let live = json!({"a": 1, "list": ["x", "y"], "named": [{"name": "n", "value": "v"}]});
        for wanted in [
            json!({"a": 2}),
            json!({"b": 1}),
            json!({"list": ["x"]}),
            json!({"list": ["y", "x"]}),
            json!({"named": [{"name": "n", "value": "w"}]}),
            json!({"named": [{"name": "m"}]}),
        ] {
            assert!(!is_within(&wanted, &live), "{wanted}");
        }
    }

    #[test]
    fn a_field_that_is_no_longer_wanted_shows_in_the_digest() {
        let before = stamped(json!({"metadata": {"name": "x"}, "spec": {"a": 1, "b": 2}}));
        let after = stamped(json!({"metadata": {"name": "x"}, "spec": {"a": 1}}));
        assert!(!is_within(&after, &before));
        assert!(is_within(&before, &before));
    }
}
