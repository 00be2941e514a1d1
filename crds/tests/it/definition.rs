//! The definition that is installed.

use crate::files::is_current;
use bigtix_crds::crd;
use kube::core::cel;
use serde_json::Value;

/// Of the shop.
pub(crate) fn schema() -> Value {
    let [shop, ..] = schemas();
    shop
}

/// Of the shop and of the requests about it.
pub(crate) fn schemas() -> [Value; 3] {
    crd::definitions().map(|definition| {
        let definition = serde_json::to_value(definition).expect("plain data");
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone()
    })
}

/// Calls `see` with each schema and the path to it, lists written as `[]` and free keys as `{}`.
pub(crate) fn walk(schema: &Value, path: &str, see: &mut impl FnMut(&str, &Value)) {
    see(path, schema);
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        let longer = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        walk(child, &longer, see);
    }
    if schema["items"].is_object() {
        walk(&schema["items"], &format!("{path}[]"), see);
    }
    if schema["additionalProperties"].is_object() {
        walk(&schema["additionalProperties"], &format!("{path}{{}}"), see);
    }
}

/// Path, rule and message of every rule.
pub(crate) fn rules() -> Vec<(String, String, String)> {
    rules_of(&schema())
}

pub(crate) fn rules_of(schema: &Value) -> Vec<(String, String, String)> {
    let mut rules = Vec::new();
    walk(schema, "", &mut |path, schema| {
        for rule in schema["x-kubernetes-validations"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let text = |field: &str| rule[field].as_str().unwrap_or_default().to_owned();
            rules.push((
                format!("{path}{}", text("fieldPath")),
                text("rule"),
                text("message"),
            ));
        }
    });
    rules
}

/// The chart cannot read files outside its folder, so it has a copy.
#[test]
fn generated_crd_is_current() {
    for definition in crd::definitions() {
        let file = format!(
            "{}.yaml",
            definition.spec.names.singular.as_deref().unwrap_or_default()
        );
        for folder in ["crds", "charts/bigtix/crd"] {
            is_current(&format!("{folder}/{file}"), &crd::yaml(&definition));
        }
    }
}

#[test]
fn every_field_of_ours_is_explained() {
    let mut silent = Vec::new();
    for schema in schemas() {
        walk(&schema, "", &mut |path, schema| {
            let described = schema["description"].as_str().is_some_and(|text| text.len() > 5);
            if !described && !path.is_empty() && !path.ends_with(['}', ']']) {
                silent.push(path.to_owned());
            }
        });
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_rule_has_a_message_of_one_line_and_stays_in_scope() {
    for schema in schemas() {
        let compiled = cel::compile_schema(&schema);
        for (path, rule, message) in rules_of(&schema) {
            assert!(!message.is_empty() && !message.contains('\n'), "{path}: {rule}");
            let warnings = cel::analyze_rule(&rule, &compiled, cel::ScopeContext::CrdValidation);
            let serious: Vec<_> = warnings
                .iter()
                .filter(|warning| warning.kind != cel::WarningKind::MissingBounds)
                .collect();
            assert!(serious.is_empty(), "{path}: {serious:?}");
        }
    }
}

#[test]
fn every_text_list_and_map_of_the_spec_has_a_bound() {
    let mut unbounded = Vec::new();
    walk(&schema()["properties"]["spec"], "spec", &mut |path, schema| {
        let bound = match schema["type"].as_str() {
            Some("string") => ["maxLength", "enum", "format"]
                .iter()
                .any(|bound| !schema[bound].is_null()),
            Some("array") => !schema["maxItems"].is_null(),
            Some("integer") => !schema["maximum"].is_null() && !schema["minimum"].is_null(),
            _ => schema["additionalProperties"].is_null() || !schema["maxProperties"].is_null(),
        };
        // The values of annotations are bounded by the size of a request, and no rule reads them.
        if !bound && path != "spec.ingress.annotations{}" {
            unbounded.push(path.to_owned());
        }
    });
    assert_eq!(unbounded, Vec::<String>::new());
}

#[test]
fn the_rules_about_growth_know_the_size_of_a_volume_that_names_none() {
    let schema = schema();
    let mut compared = 0;
    for store in ["mongodb", "nats", "redis"] {
        let pointer = format!(
            "/properties/spec/properties/{store}/properties/managed/properties/storage/properties/size"
        );
        let default = schema
            .pointer(&pointer)
            .and_then(|size| size["default"].as_str())
            .expect("a default");
        for (path, rule, _) in rules() {
            if path.starts_with(&format!("spec.{store}.")) && rule.contains("compareTo") {
                assert_eq!(rule.matches(&format!("'{default}'")).count(), 2, "{rule}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 3);
}

#[test]
fn no_field_is_nullable_so_that_an_api_server_drops_nulls() {
    for schema in schemas() {
        walk(&schema, "", &mut |path, schema| {
            assert!(schema["nullable"].is_null(), "{path}")
        });
    }
}

#[test]
fn the_definition_fits_into_the_annotation_of_a_client_side_apply() {
    for definition in crd::definitions() {
        assert!(crd::yaml(&definition).len() < 256 * 1024);
    }
}
