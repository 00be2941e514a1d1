//! Changing one field of a resource before it is read: `--set PATH=VALUE`.

use crate::path::{FieldPath, PathError, Segment};
use serde_json::{Map, Value};

/// Why a field cannot be set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetError {
    /// The path itself is malformed.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The path goes through something that has no fields.
    #[error("{path}: cannot be set, because {inside} is {found} and has no fields")]
    NotAMap {
        /// The path that was given.
        path: String,
        /// The part of it that is in the way.
        inside: String,
        /// What is there instead.
        found: &'static str,
    },
    /// The path takes an element of something that is no list.
    #[error("{path}: cannot be set, because {inside} is {found} and not a list")]
    NotAList {
        /// The path that was given.
        path: String,
        /// The part of it that is in the way.
        inside: String,
        /// What is there instead.
        found: &'static str,
    },
    /// An element beyond the one after the last.
    #[error("{path}: {list} has {length} elements, so the next one is [{length}]")]
    BeyondTheEnd {
        /// The path that was given.
        path: String,
        /// The list in it.
        list: String,
        /// How many elements it has.
        length: usize,
    },
}

/// Sets the field at `path` to `value`, which is typed as YAML types a scalar: `3` is a number, `true` a boolean,
/// `"3"` a text, `[a, b]` a list, and `null` removes the field so that its default holds. Missing parents are made.
///
/// # Errors
/// Names the path when it is malformed, goes through a scalar, or leaves a gap in a list. Whether such a field
/// exists is for [`crate::from_value`] to say.
pub fn set(document: &mut Value, path: &str, value: &str) -> Result<(), SetError> {
    let path: FieldPath = path.parse()?;
    let mut place = document;
    for depth in 0..path.0.len() {
        let last = depth + 1 == path.0.len();
        if last && scalar(value).is_null() {
            remove(place, &path.0[depth]);
            return Ok(());
        }
        place = descend(place, &path, depth)?;
    }
    *place = scalar(value);
    Ok(())
}

/// The child of `place` that step `depth` of the path names, made when it is missing.
fn descend<'a>(place: &'a mut Value, path: &FieldPath, depth: usize) -> Result<&'a mut Value, SetError> {
    let inside = || match depth {
        0 => "the document".to_owned(),
        _ => FieldPath(path.0[..depth].to_vec()).to_string(),
    };
    match &path.0[depth] {
        Segment::Key(key) => {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            let found = kind(place);
            let Value::Object(map) = place else {
                return Err(SetError::NotAMap {
                    path: path.to_string(),
                    inside: inside(),
                    found,
                });
            };
            Ok(map.entry(key).or_insert(Value::Null))
        }
        Segment::Index(index) => {
            if place.is_null() {
                *place = Value::Array(Vec::new());
            }
            let found = kind(place);
            let Value::Array(list) = place else {
                return Err(SetError::NotAList {
                    path: path.to_string(),
                    inside: inside(),
                    found,
                });
            };
            if *index > list.len() {
                let (path, length) = (path.to_string(), list.len());
                return Err(SetError::BeyondTheEnd {
                    path,
                    list: inside(),
                    length,
                });
            }
            if *index == list.len() {
                list.push(Value::Null);
            }
            Ok(&mut list[*index])
        }
    }
}

fn remove(place: &mut Value, segment: &Segment) {
    match (place, segment) {
        (Value::Object(map), Segment::Key(key)) => {
            map.remove(key);
        }
        (Value::Array(list), Segment::Index(index)) if *index < list.len() => {
            list.remove(*index);
        }
        _ => {}
    }
}

/// YAML's reading of the text, except that a map or a list must be in brackets: `a: b` is a text here.
fn scalar(text: &str) -> Value {
    let as_text = || Value::String(text.to_owned());
    match serde_yaml_ng::from_str::<Value>(text) {
        _ if text.is_empty() => as_text(),
        Ok(Value::Object(_) | Value::Array(_)) if !text.trim_start().starts_with(['[', '{']) => as_text(),
        Ok(value) => value,
        Err(_) => as_text(),
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn after(mut document: Value, path: &str, value: &str) -> Result<Value, String> {
        set(&mut document, path, value).map_err(|error| error.to_string())?;
        Ok(document)
    }

    #[test]
    fn a_scalar_gets_the_type_that_yaml_gives_it() {
        for (text, value) in [
            ("3", json!(3)),
            ("true", json!(true)),
            ("1.0.0", json!("1.0.0")),
            ("'3'", json!("3")),
            ("", json!("")),
            ("a: b", json!("a: b")),
            ("- a", json!("- a")),
            ("[a, 2]", json!(["a", 2])),
            ("http://x:1/", json!("http://x:1/")),
            ("@", json!("@")),
        ] {
            assert_eq!(
                after(json!({}), "spec.x", text),
                Ok(json!({"spec": {"x": value}})),
                "{text}"
            );
        }
    }

    #[test]
    fn missing_parents_are_made_and_a_list_can_grow_by_one() {
        assert_eq!(
            after(json!({}), "spec.administrators[0]", "a@b.c"),
            Ok(json!({"spec": {"administrators": ["a@b.c"]}}))
        );
        assert_eq!(
            after(
                json!({"spec": {"annotations": {"a": "b"}}}),
                "spec.annotations[example.com/x]",
                "y"
            ),
            Ok(json!({"spec": {"annotations": {"a": "b", "example.com/x": "y"}}}))
        );
        assert_eq!(
            after(json!({"spec": null}), "spec.x", "1"),
            Ok(json!({"spec": {"x": 1}}))
        );
    }

    #[test]
    fn null_removes_the_field() {
        assert_eq!(
            after(json!({"spec": {"x": 1, "y": 2}}), "spec.x", "null"),
            Ok(json!({"spec": {"y": 2}}))
        );
        assert_eq!(
            after(json!({"spec": {"l": [1, 2]}}), "spec.l[0]", "~"),
            Ok(json!({"spec": {"l": [2]}}))
        );
    }

    #[test]
    fn a_path_through_something_else_is_refused_by_name() {
        let document = || json!({"spec": {"version": "1.0.0", "list": [1]}});
        for (path, error) in [
            (
                "spec.version.x",
                "spec.version.x: cannot be set, because spec.version is a text and has no fields",
            ),
            (
                "spec.version[0]",
                "spec.version[0]: cannot be set, because spec.version is a text and not a list",
            ),
            (
                "spec.list[2]",
                "spec.list[2]: spec.list has 1 elements, so the next one is [1]",
            ),
            ("spec..x", "spec..x: a name is missing beside a dot"),
        ] {
            assert_eq!(after(document(), path, "1"), Err(error.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn what_was_set_is_there_and_nothing_else_changed(
            keys in proptest::collection::vec("[a-z]{1,4}", 1..5),
            number in any::<i64>(),
        ) {
            let mut document = json!({"other": {"kept": true}});
            let path = format!("spec.{}", keys.join("."));
            prop_assert_eq!(set(&mut document, &path, &number.to_string()), Ok(()));
            let pointer = format!("/{}", path.replace('.', "/"));
            prop_assert_eq!(document.pointer(&pointer), Some(&json!(number)));
            prop_assert_eq!(document.pointer("/other/kept"), Some(&json!(true)));
        }

        #[test]
        fn no_text_makes_it_panic(path in ".{0,20}", value in ".{0,20}") {
            let _ = set(&mut json!({"spec": {"list": [1]}}), &path, &value);
        }
    }
}
