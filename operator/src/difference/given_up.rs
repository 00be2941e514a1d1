//! Which fields an apply takes away: those that the manager owns, as `managedFields` tells, and that it no longer names.

use serde_json::Value;

/// The fields of `live` that `manager` owns and that `wanted` does not name, as `f:spec` and the rest of `fieldsV1` have
/// them, written like `spec.template.spec.containers[orders].env[LOG]`.
#[must_use]
pub(crate) fn fields_given_up(manager: &str, wanted: &Value, live: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let applied = entries.filter(|entry| entry["manager"] == manager && entry["operation"] == "Apply");
    for entry in applied.filter(|entry| entry["subresource"].is_null()) {
        compare(&entry["fieldsV1"], wanted, "", &mut found);
    }
    found
}

fn compare(owned: &Value, wanted: &Value, path: &str, found: &mut Vec<String>) {
    for (key, inner) in owned.as_object().into_iter().flatten() {
        let (part, path) = match key.split_once(':') {
            Some(("f", name)) => (wanted.get(name), format!("{path}.{name}")),
            Some(("k", keys)) => {
                let keys: Value = serde_json::from_str(keys).unwrap_or(Value::Null);
                (item(wanted, &keys), format!("{path}[{}]", named(&keys)))
            }
            Some(("v", value)) => {
                let value: Value = serde_json::from_str(value).unwrap_or(Value::Null);
                let items = wanted.as_array().into_iter().flatten();
                (
                    items.into_iter().find(|item| **item == value),
                    format!("{path}[{value}]"),
                )
            }
            // `.` is the item or field itself.
            _ => continue,
        };
        match part {
            Some(part) => compare(inner, part, &path, found),
            None => found.push(path.trim_start_matches('.').to_owned()),
        }
    }
}

/// The item with those keys. A key that is not written down has its default, which an API server fills in.
fn item<'a>(list: &'a Value, keys: &Value) -> Option<&'a Value> {
    let has = |item: &Value| {
        keys.as_object()
            .into_iter()
            .flatten()
            .all(|(name, value)| item.get(name).is_none_or(|found| found == value))
    };
    list.as_array()?.iter().find(|item| has(item))
}

fn named(keys: &Value) -> String {
    let values = keys
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, value)| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
    values.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn live() -> Value {
        json!({"metadata": {"managedFields": [
            {"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:spec": {"f:other": {}}}},
            {"manager": "bigtix/workloads", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:template": {
                "f:containers": {"k:{\"name\":\"orders\"}": {".": {}, "f:name": {}, "f:env": {
                    "k:{\"name\":\"LOG\"}": {".": {}, "f:name": {}, "f:value": {}}},
                    "f:ports": {"k:{\"containerPort\":1,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}}},
        ]}})
    }

    #[test]
    fn what_is_owned_and_no_longer_named_is_given_up() {
        let container = json!({"name": "orders", "env": [{"name": "LOG", "value": "x"}], "ports": [{"containerPort": 1}]});
        let same = json!({"spec": {"replicas": 1, "template": {"containers": [container]}}});
        assert_eq!(
            fields_given_up("bigtix/workloads", &same, &live()),
            Vec::<String>::new()
        );
        let less = json!({"spec": {"template": {"containers": [{"name": "orders", "env": [], "ports": [{"containerPort": 1}]}]}}});
        let given_up = fields_given_up("bigtix/workloads", &less, &live());
        assert_eq!(
            given_up,
            ["spec.replicas", "spec.template.containers[orders].env[LOG]"]
        );
        assert!(fields_given_up("bigtix/network", &less, &live()).is_empty());
    }
}
