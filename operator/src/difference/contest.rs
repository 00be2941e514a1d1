//! Who else writes what is ours, as `managedFields` tells.
//!
//! The form of `fieldsV1` is that of Kubernetes' structured merge: `f:NAME` for a field, `k:{...}` for the item of a list
//! that has keys, and `.` for the item or field itself.

use std::fmt;

use serde_json::Value;

use super::annotation;
use super::name_of;

/// Of a field that is ours, and that somebody set to something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contest {
    /// The kind and name of the object.
    pub object: String,
    /// The field.
    pub field: String,
    /// Who owns it now; none when it was taken out, and so is nobody's.
    pub manager: Option<String>,
}

/// One step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    /// The item of that name in a list.
    Item(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Item(name) => write!(f, "[{name}]"),
        }
    }
}

/// The fields of `wanted` that somebody set to something else since they were applied. None when `wanted` is something
/// new: then the difference is our own.
#[must_use]
pub(crate) fn contests(object: &str, wanted: &Value, live: &Value) -> Vec<Contest> {
    let applied = |value: &Value| value["metadata"]["annotations"][annotation()].clone();
    if applied(wanted) != applied(live) {
        return Vec::new();
    }
    paths(wanted, live)
        .into_iter()
        .map(|path| Contest {
            object: object.to_owned(),
            field: written(&path),
            manager: manager(live, &path),
        })
        .collect()
}

/// Whether a field of `wanted` is something else in `live` because somebody else set it.
#[must_use]
pub(crate) fn has_foreign_fields(wanted: &Value, live: &Value) -> bool {
    paths(wanted, live)
        .iter()
        .any(|path| manager(live, path).is_some())
}

/// The outermost fields of `wanted` that are not within `live`, as `spec.template.spec.containers[orders].image`.
#[must_use]
pub(crate) fn fields_that_differ(wanted: &Value, live: &Value) -> Vec<String> {
    let paths = paths(wanted, live).into_iter();
    paths.map(|path| written(&path)).collect()
}

fn written(path: &[Step]) -> String {
    let field: String = path.iter().map(Step::to_string).collect();
    field.trim_start_matches('.').to_owned()
}

fn paths(wanted: &Value, live: &Value) -> Vec<Vec<Step>> {
    let mut paths = Vec::new();
    differing(wanted, live, &mut Vec::new(), &mut paths);
    paths
}

/// Collects the outermost fields of `wanted` that are not within `live`.
fn differing(wanted: &Value, live: &Value, here: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if super::is_within(wanted, live) {
        return;
    }
    let mut inner = |step: Step, wanted: &Value, live: Option<&Value>| {
        here.push(step);
        match live {
            Some(live) => differing(wanted, live, here, found),
            None if super::is_empty(wanted) => {}
            None => found.push(here.clone()),
        }
        here.pop();
    };
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            for (name, value) in wanted {
                inner(Step::Field(name.clone()), value, live.get(name));
            }
        }
        (Value::Array(wanted), Value::Array(live)) if wanted.iter().all(|item| name_of(item).is_some()) => {
            for item in wanted {
                let name = name_of(item).unwrap_or_default();
                let present = live.iter().find(|live| name_of(live) == Some(name));
                inner(Step::Item(name.to_owned()), item, present);
            }
        }
        _ => found.push(here.clone()),
    }
}

/// The first manager but ourselves that owns the field.
fn manager(live: &Value, path: &[Step]) -> Option<String> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    entries
        .iter()
        .filter(|entry| entry["subresource"] != "status")
        .filter_map(|entry| Some((entry["manager"].as_str()?, &entry["fieldsV1"])))
        .find(|(manager, fields)| !manager.starts_with(OURS) && owns(fields, path))
        .map(|(manager, _)| manager.to_owned())
}

/// What the names of all our managers begin with.
const OURS: &str = "bigtix/";

fn owns(fields: &Value, path: &[Step]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return true;
    };
    let Some(fields) = fields.as_object() else {
        return false;
    };
    let inner = match first {
        Step::Field(name) => fields.get(&format!("f:{name}")),
        Step::Item(name) => fields
            .iter()
            .find(|(key, _)| is_item(key, name))
            .map(|(_, inner)| inner),
    };
    // A field without parts is owned with all that is in it.
    inner.is_some_and(|inner| owns(inner, rest) || inner.as_object().is_some_and(serde_json::Map::is_empty))
}

fn is_item(key: &str, name: &str) -> bool {
    key.strip_prefix("k:")
        .and_then(|keys| serde_json::from_str::<Value>(keys).ok())
        .and_then(|keys| Some(keys.as_object()?.values().any(|value| value == name)))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::difference::stamped;
    use serde_json::json;

    fn deployment(image: &str) -> Value {
        json!({"metadata": {"name": "shop-auth"}, "spec": {"paused": false, "template": {"spec": {
            "containers": [{"name": "auth", "image": image, "args": ["a"]}],
        }}}})
    }

    fn managed(mut live: Value, manager: &str, fields: Value) -> Value {
        live["metadata"]["managedFields"] = json!([
            {"manager": "bigtix/workloads", "operation": "Apply", "fieldsV1": {"f:spec": {}}},
            {"manager": "controller", "subresource": "status", "fieldsV1": {"f:spec": {}}},
            {"manager": manager, "operation": "Update", "fieldsV1": fields},
        ]);
        live
    }

    fn edited(image: &str) -> (Value, Value) {
        let wanted = stamped(deployment("auth:1"));
        let mut live = wanted.clone();
        live["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
        (wanted, live)
    }

    const IMAGE: &str = "spec.template.spec.containers[auth].image";

    #[test]
    fn the_manager_of_a_changed_field_is_named() {
        let (wanted, live) = edited("auth:2");
        let fields = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"auth\"}": {"f:image": {}}}}}}});
        let live = managed(live, "kubectl-set", fields);
        let found = contests("Deployment shop-auth", &wanted, &live);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].field, IMAGE);
        assert_eq!(found[0].manager.as_deref(), Some("kubectl-set"));
    }

    #[test]
    fn the_owner_of_another_field_is_not() {
        let (wanted, live) = edited("auth:2");
        let fields = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"proxy\"}": {"f:image": {}}}}}}});
        let found = contests("Deployment shop-auth", &wanted, &managed(live, "other", fields));
        assert_eq!(found[0].manager, None);
    }

    #[test]
    fn a_field_that_was_taken_out_is_nobodys() {
        let (wanted, mut live) = edited("auth:1");
        live["spec"]["template"]["spec"]["containers"] = json!([]);
        let found = contests("Deployment shop-auth", &wanted, &live);
        assert_eq!(found[0].field, "spec.template.spec.containers[auth]");
        assert_eq!(found[0].manager, None);
    }

    #[test]
    fn what_is_newly_wanted_is_contested_by_nobody() {
        let (_, live) = edited("auth:1");
        let wanted = stamped(deployment("auth:2"));
        assert!(contests("Deployment shop-auth", &wanted, &live).is_empty());
    }
}
