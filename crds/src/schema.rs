//! Checks a resource against its schema as an API server does: unknown fields, types, bounds and forms.

use crate::path::FieldPath;
use k8s_openapi::jiff::Timestamp;
use regex::Regex;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// One thing that the schema refuses.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) path: FieldPath,
    pub(crate) message: String,
    /// Whether it keeps the resource from being read into its type at all.
    pub(crate) blocking: bool,
}

/// Everything in `value` that `schema` refuses.
pub(crate) fn check(schema: &Value, value: &Value) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    findings.visit(schema, value, &FieldPath::default());
    findings.0
}

/// An explicit null means the same as leaving the field out.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, field)| !field.is_null());
            Value::Object(kept.map(|(name, field)| (name, without_nulls(field))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        scalar => scalar,
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn blocking(&mut self, path: &FieldPath, message: String) {
        self.0.push(Finding {
            path: path.clone(),
            message,
            blocking: true,
        });
    }

    fn refused(&mut self, path: &FieldPath, message: String) {
        self.0.push(Finding {
            path: path.clone(),
            message,
            blocking: false,
        });
    }

    fn visit(&mut self, schema: &Value, value: &Value, path: &FieldPath) {
        if !has_type(schema, value) {
            let wanted = wanted_type(schema);
            self.blocking(
                path,
                format!("must be of type {wanted}: \"{}\"", type_name(value)),
            );
            return;
        }
        match value {
            Value::Object(fields) => self.object(schema, fields, path),
            Value::Array(items) => self.list(schema, items, path),
            Value::String(text) => self.text(schema, text, path),
            Value::Number(number) => self.number(schema, number, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn object(&mut self, schema: &Value, fields: &Map<String, Value>, path: &FieldPath) {
        let known = schema["properties"].as_object();
        let free = schema
            .get("additionalProperties")
            .filter(|values| values.is_object());
        let open =
            schema["x-kubernetes-preserve-unknown-fields"] == true || (known.is_none() && free.is_none());
        for (name, value) in fields {
            let at = path.key(name);
            match known.and_then(|known| known.get(name)).or(free) {
                Some(schema) => self.visit(schema, value, &at),
                None if open => {}
                None => self.blocking(&at, unknown(name, known)),
            }
        }
        for name in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(name) {
                self.blocking(&path.key(name), "Required value".to_owned());
            }
        }
        if let Some(max) = exceeded(schema, "maxProperties", fields.len()) {
            self.refused(
                path,
                format!("Too many: {}: must have at most {max} items", fields.len()),
            );
        }
    }

    fn list(&mut self, schema: &Value, items: &[Value], path: &FieldPath) {
        for (at, item) in items.iter().enumerate() {
            self.visit(&schema["items"], item, &path.index(at));
        }
        if let Some(max) = exceeded(schema, "maxItems", items.len()) {
            self.refused(
                path,
                format!("Too many: {}: must have at most {max} items", items.len()),
            );
        }
        let mut seen = HashSet::new();
        for (at, item) in items.iter().enumerate() {
            let identity = match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => item.to_string(),
                Some("map") => keys(schema, item).to_string(),
                _ => return,
            };
            let message = format!("Duplicate value: {identity}");
            if !seen.insert(identity) {
                self.refused(&path.index(at), message);
            }
        }
    }

    fn text(&mut self, schema: &Value, text: &str, path: &FieldPath) {
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.iter().any(|one| one == text)
        {
            let allowed: Vec<_> = allowed.iter().map(Value::to_string).collect();
            let message = format!(
                "Unsupported value: {text:?}: supported values: {}",
                allowed.join(", ")
            );
            self.blocking(path, message);
        }
        if let Some(max) = exceeded(schema, "maxLength", text.chars().count()) {
            self.refused(path, format!("Too long: may not be more than {max} bytes"));
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            let form = Regex::new(pattern).expect("a test compiles every pattern of the schema");
            if !form.is_match(text) {
                self.refused(path, format!("should match '{pattern}'"));
            }
        }
        if schema["format"] == "date-time" && text.parse::<Timestamp>().is_err() {
            self.blocking(path, format!("must be of type date-time: {text:?}"));
        }
    }

    fn number(&mut self, schema: &Value, number: &serde_json::Number, path: &FieldPath) {
        let value = number.as_f64().unwrap_or(f64::INFINITY);
        if let Some(max) = schema["maximum"].as_f64().filter(|max| value > *max) {
            self.refused(path, format!("should be less than or equal to {max}"));
        }
        if let Some(min) = schema["minimum"].as_f64().filter(|min| value < *min) {
            self.refused(path, format!("should be greater than or equal to {min}"));
        }
    }
}

fn exceeded(schema: &Value, bound: &str, size: usize) -> Option<u64> {
    schema[bound]
        .as_u64()
        .filter(|max| u64::try_from(size).is_ok_and(|size| size > *max))
}

fn keys(schema: &Value, item: &Value) -> Value {
    let names = schema["x-kubernetes-list-map-keys"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    Value::Object(names.map(|name| (name.to_owned(), item[name].clone())).collect())
}

fn has_type(schema: &Value, value: &Value) -> bool {
    if schema["x-kubernetes-int-or-string"] == true {
        return value.is_string() || is_whole(value);
    }
    match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => is_whole(value),
        Some("number") => value.is_number(),
        _ => true,
    }
}

fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64()
}

fn wanted_type(schema: &Value) -> &str {
    match schema["x-kubernetes-int-or-string"].as_bool() {
        Some(true) => "integer or string",
        _ => schema["type"].as_str().unwrap_or("object"),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if is_whole(value) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Names the field that was probably meant, or else all that there are.
fn unknown(name: &str, known: Option<&Map<String, Value>>) -> String {
    let names = || known.into_iter().flat_map(Map::keys);
    let distance = |other: &String| strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let near = names().map(|other| (distance(other), other)).min();
    match near {
        Some((distance, other)) if distance <= 1 + name.len() / 3 => {
            format!("unknown field; did you mean {other}?")
        }
        _ => {
            let all: Vec<_> = names().map(String::as_str).collect();
            format!("unknown field; known are {}", all.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusals(schema: &Value, value: &Value) -> Vec<String> {
        check(schema, value)
            .iter()
            .map(|finding| format!("{}: {}", finding.path, finding.message))
            .collect()
    }

    #[test]
    fn every_bound_is_checked_in_the_words_of_an_api_server() {
        let schema = json!({"type": "object", "required": ["must"], "properties": {
            "must": {"type": "boolean"},
            "count": {"type": "integer", "minimum": 1, "maximum": 7},
            "mode": {"type": "string", "enum": ["Apply", "Plan"]},
            "short": {"type": "string", "maxLength": 2, "pattern": "^a"},
            "list": {"type": "array", "maxItems": 1, "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "map": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
            "amount": {"x-kubernetes-int-or-string": true},
            "at": {"type": "string", "format": "date-time"},
        }});
        let value = json!({
            "count": 9, "mode": "Play", "short": "bcd", "list": ["x", "x"], "map": {"a": "b", "c/d": 1},
            "amount": 1.5, "at": "yesterday", "cuont": 1, "elsewhere": 1,
        });
        assert_eq!(
            refusals(&schema, &value),
            [
                "amount: must be of type integer or string: \"number\"",
                "at: must be of type date-time: \"yesterday\"",
                "count: should be less than or equal to 7",
                "cuont: unknown field; did you mean count?",
                "elsewhere: unknown field; known are amount, at, count, list, map, mode, must, short",
                "list: Too many: 2: must have at most 1 items",
                "list[1]: Duplicate value: \"x\"",
                "map[c/d]: must be of type string: \"integer\"",
                "map: Too many: 2: must have at most 1 items",
                "mode: Unsupported value: \"Play\": supported values: \"Apply\", \"Plan\"",
                "short: Too long: may not be more than 2 bytes",
                "short: should match '^a'",
                "must: Required value",
            ]
        );
    }

    #[test]
    fn nulls_are_dropped_at_every_depth() {
        let value = json!({"a": null, "b": {"c": null, "d": [{"e": null}]}});
        assert_eq!(without_nulls(value), json!({"b": {"d": [{}]}}));
    }

    #[test]
    fn every_pattern_of_the_schema_compiles() {
        fn walk(value: &Value) {
            if let Some(pattern) = value["pattern"].as_str() {
                Regex::new(pattern).expect(pattern);
            }
            match value {
                Value::Array(items) => items.iter().for_each(walk),
                Value::Object(fields) => fields.values().for_each(walk),
                _ => {}
            }
        }
        walk(crate::crd::schema());
    }
}
