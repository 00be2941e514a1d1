//! Which fields of a resource differ from those of another one. Pure.

use serde::Serialize;
use serde_json::Value;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FieldChange {
    /// Such as `spec.reservationSeconds`, or `spec.services.orders.env[LOG]`.
    pub(crate) path: String,
    /// Absent where there is none, or where it may be a secret.
    pub(crate) from: Option<Value>,
    pub(crate) to: Option<Value>,
    /// Whether values are left out because they may be secret.
    pub(crate) is_hidden: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Added,
    Changed,
    Removed,
}

impl FieldChange {
    /// As a line.
    pub(crate) fn line(&self) -> String {
        let Self {
            path,
            from,
            to,
            is_hidden,
            kind,
        } = self;
        let sign = match kind {
            Kind::Added => '+',
            Kind::Changed => '~',
            Kind::Removed => '-',
        };
        let shown = |value: &Option<Value>| value.as_ref().map(Value::to_string).unwrap_or_default();
        let values = match kind {
            _ if *is_hidden => "(value not shown)".to_owned(),
            Kind::Added => shown(to),
            Kind::Changed => format!("{} -> {}", shown(from), shown(to)),
            Kind::Removed => shown(from),
        };
        format!("{sign} {path}: {values}")
    }
}

/// The innermost fields that differ, in the order of their paths. Both have every default, so that leaving a field out and
/// writing its default down are the same.
pub(crate) fn changes(old: &Value, new: &Value, path: &str) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(Some(old), Some(new), path, &mut found);
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn compare(old: Option<&Value>, new: Option<&Value>, path: &str, found: &mut Vec<FieldChange>) {
    let there = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    let kind = match (there(old), there(new)) {
        (false, false) => return,
        (true, true) if old == new => return,
        (true, true) => Kind::Changed,
        (false, true) => Kind::Added,
        (true, false) => Kind::Removed,
    };
    match (old.unwrap_or(&Value::Null), new.unwrap_or(&Value::Null)) {
        (Value::Object(old), Value::Object(new)) => {
            let names = old
                .keys()
                .chain(new.keys().filter(|name| !old.contains_key(*name)));
            for name in names {
                compare(old.get(name), new.get(name), &format!("{path}.{name}"), found);
            }
        }
        (old @ (Value::Array(_) | Value::Null), new @ (Value::Array(_) | Value::Null))
            if is_named(old) && is_named(new) =>
        {
            for name in names(old).chain(names(new).filter(|name| item(old, name).is_none())) {
                compare(
                    item(old, name),
                    item(new, name),
                    &format!("{path}[{name}]"),
                    found,
                );
            }
        }
        _ => {
            // A variable of a service can be anything, a password too.
            let is_hidden = path.contains(".env[") || path.ends_with(".env");
            let shown = |value: Option<&Value>| value.filter(|value| !is_hidden && !value.is_null()).cloned();
            found.push(FieldChange {
                path: path.to_owned(),
                from: shown(old),
                to: shown(new),
                is_hidden,
                kind,
            });
        }
    }
}

/// Whether it is a list whose items have names.
fn is_named(list: &Value) -> bool {
    list.as_array()
        .is_none_or(|items| items.iter().all(|item| item["name"].is_string()))
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| item["name"].as_str())
}

fn item<'a>(list: &'a Value, name: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|item| item["name"] == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(old: Value, new: Value) -> Vec<String> {
        changes(&old, &new, "spec")
            .iter()
            .map(FieldChange::line)
            .collect()
    }

    #[test]
    fn fields_that_differ_are_named_with_both_values() {
        let old = json!({"version": "1.0.0", "a": {"b": 1, "c": null}, "list": ["x"], "gone": true});
        let new = json!({"version": "1.1.0", "a": {"b": 1, "c": 2}, "list": ["x", "y"]});
        assert_eq!(
            lines(old.clone(), new),
            [
                "+ spec.a.c: 2",
                "- spec.gone: true",
                "~ spec.list: [\"x\"] -> [\"x\",\"y\"]",
                "~ spec.version: \"1.0.0\" -> \"1.1.0\"",
            ]
        );
        assert!(lines(old.clone(), old).is_empty());
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let old = json!({"services": {"orders": {"env": [{"name": "A", "value": "s3cret"}, {"name": "B", "value": "b"}]}}});
        let new = json!({"services": {"orders": {"env": [{"name": "A", "value": "0ther"}, {"name": "B", "value": "b"}]}}});
        let said = lines(old.clone(), new.clone());
        assert_eq!(said, ["~ spec.services.orders.env[A].value: (value not shown)"]);
        assert!(!crate::output::json(&changes(&old, &new, "spec")).contains("s3cret"));
        let none = json!({"services": {"orders": {}}});
        let added = lines(none, new);
        assert!(added.iter().all(|line| !line.contains("0ther")), "{added:?}");
    }
}
