//! From YAML to plain data.

use super::{ParseError, Problem, line_of};
use crate::Violation;
use crate::path::FieldPath;
use serde_json::{Map, Number, Value};
use serde_yaml_ng as yaml;

/// Reads one YAML document as plain data, with anchors and merge keys resolved.
///
/// # Errors
/// When the text is not YAML, is empty, holds several documents, names a key twice, or uses what JSON cannot say.
pub fn to_value(text: &str) -> Result<Value, ParseError> {
    let syntax = |error: yaml::Error| ParseError::Yaml(error.to_string());
    let mut document: yaml::Value = yaml::from_str(text).map_err(syntax)?;
    document.apply_merge().map_err(syntax)?;
    if document.is_null() {
        return Err(ParseError::Yaml("the file is empty".to_owned()));
    }
    convert(document, &FieldPath::default()).map_err(|violation| {
        let line = line_of(text, &violation.path);
        ParseError::Invalid(vec![Problem { line, violation }])
    })
}

fn convert(value: yaml::Value, path: &FieldPath) -> Result<Value, Violation> {
    match value {
        yaml::Value::Null => Ok(Value::Null),
        yaml::Value::Bool(truth) => Ok(Value::Bool(truth)),
        yaml::Value::String(text) => Ok(Value::String(text)),
        yaml::Value::Number(number) => {
            convert_number(&number).ok_or_else(|| Violation::new(path, "must be a finite number"))
        }
        yaml::Value::Sequence(items) => {
            let items = items.into_iter().enumerate();
            items.map(|(at, item)| convert(item, &path.index(at))).collect()
        }
        yaml::Value::Mapping(fields) => {
            let mut map = Map::new();
            for (key, field) in fields {
                let yaml::Value::String(key) = key else {
                    return Err(Violation::new(
                        path,
                        "has a key that is no text; write it in quotes",
                    ));
                };
                let field = convert(field, &path.key(&key))?;
                map.insert(key, field);
            }
            Ok(Value::Object(map))
        }
        yaml::Value::Tagged(tagged) => Err(Violation::new(
            path,
            format!("has a tag ({}), which is not supported", tagged.tag),
        )),
    }
}

fn convert_number(number: &yaml::Number) -> Option<Value> {
    let whole = number
        .as_i64()
        .map(Value::from)
        .or_else(|| number.as_u64().map(Value::from));
    whole.or_else(|| number.as_f64().and_then(Number::from_f64).map(Value::Number))
}
