//! Leaving something out, writing `{}` and writing `null` all mean the same, at every depth.

use crate::definition::{schema, walk};
use crate::files::{bigtix, shop};
use bigtix_crds::{from_value, validate};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Paths, as JSON pointers below `spec`, of every struct that may be left out and needs nothing inside.
fn optional_structs() -> Vec<String> {
    let mut found = Vec::new();
    collect(&schema()["properties"]["spec"], "", &mut found);
    found
}

fn collect(schema: &Value, pointer: &str, found: &mut Vec<String>) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        if !child["properties"].is_object() || required.contains(&json!(name)) {
            continue;
        }
        let pointer = format!("{pointer}/{name}");
        if child["required"].as_array().is_none_or(Vec::is_empty) {
            collect(child, &pointer, found);
            found.push(pointer);
        }
    }
}

/// A spec in which only that struct is written, as `value`.
fn only(pointer: &str, value: Value) -> Value {
    let mut nested = value;
    for name in pointer.split('/').skip(1).collect::<Vec<_>>().into_iter().rev() {
        nested = json!({ name: nested });
    }
    nested
}

/// Stores and the volume of backups are told apart by which one is written, so writing one is a choice.
fn is_a_choice(pointer: &str) -> bool {
    pointer == "/backup/volume"
}

#[test]
fn a_struct_that_is_left_out_means_the_same_as_an_empty_one() {
    let structs = optional_structs();
    assert!(structs.len() > 40, "{structs:?}");
    let nothing = validate(&bigtix(json!({}))).expect("accepted");
    for pointer in structs.iter().filter(|pointer| !is_a_choice(pointer)) {
        let empty = validate(&bigtix(only(pointer, json!({}))));
        assert_eq!(empty.as_ref(), Ok(&nothing), "{pointer}");
        let null = validate(&bigtix(only(pointer, Value::Null)));
        assert_eq!(null.as_ref(), Ok(&nothing), "{pointer}");
    }
}

#[test]
fn the_default_of_a_parent_is_what_its_fields_default_to() {
    walk(&schema()["properties"]["spec"], "spec", &mut |path, schema| {
        if schema["default"].is_object() {
            assert_eq!(schema["default"], filled(schema), "{path}");
        }
    });
}

/// What an API server makes of an empty object.
fn filled(schema: &Value) -> Value {
    let mut object = json!({});
    for (name, child) in schema["properties"].as_object().into_iter().flatten() {
        if child["default"].is_object() {
            object[name] = filled(child);
        } else if !child["default"].is_null() {
            object[name] = child["default"].clone();
        }
    }
    object
}

fn any_structs() -> impl Strategy<Value = Vec<(String, bool)>> {
    let structs: Vec<_> = optional_structs()
        .into_iter()
        .filter(|pointer| !is_a_choice(pointer))
        .collect();
    proptest::collection::vec((proptest::sample::select(structs), any::<bool>()), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_mixture_of_empty_structs_and_nulls_means_nothing(structs in any_structs()) {
        let mut document = shop(json!({}));
        for (pointer, null) in structs {
            let path = format!("spec{}", pointer.replace('/', "."));
            if null {
                write_null(&mut document["spec"], &pointer);
            } else {
                bigtix_crds::set(&mut document, &path, "{}").expect("parents are maps");
            }
        }
        let written = from_value(document).expect("a resource");
        prop_assert_eq!(validate(&written), validate(&bigtix(json!({}))));
    }
}

/// Writes null at the place unless a parent is null already.
fn write_null(spec: &mut Value, pointer: &str) {
    let mut place = spec;
    for name in pointer.split('/').skip(1) {
        if place.is_null() {
            return;
        }
        place = &mut place[name];
    }
    *place = Value::Null;
}
