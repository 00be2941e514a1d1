//! The page that lists every field for people, written from the definition.

use crate::definition::{rules_of, schemas};
use crate::files::is_current;
use serde_json::Value;

const PLACE: &str = "docs/reference.md";

const INTRODUCTION: &str = "\
# Reference

Every field of the BigTix resource, and after it of BigTixBackup and BigTixRestore ([page](backups.md#in-a-cluster)). Generated from the
definitions in [crds](../crds/bigtix.yaml); `make gen` writes it again. Do not edit it.

The columns say what may be written, what it is when it is left out, what is refused, and what it means. A struct that is left out means
the same as `{}`, so objects have no default of their own. The definition describes some things that the operator does not carry out
yet; [operator.md](operator.md#what-is-not-there-yet) lists them.

`kubectl explain bigtix.spec.upgrade` says the same of a cluster that has the definition.

";

/// An object with fields, and every place where it stands.
struct Section {
    paths: Vec<String>,
    schema: Value,
}

#[test]
fn generated_reference_is_current() {
    is_current(PLACE, &page());
}

fn page() -> String {
    let (mut sections, mut rules) = (Vec::new(), Vec::new());
    for (prefix, schema) in ["", "BigTixBackup.", "BigTixRestore."].iter().zip(schemas()) {
        for part in ["spec", "status"] {
            collect(
                &schema["properties"][part],
                &format!("{prefix}{part}"),
                &mut sections,
            );
        }
        let prefixed = |(path, rule, message)| (format!("{prefix}{path}"), rule, message);
        rules.extend(rules_of(&schema).into_iter().map(prefixed));
    }
    let of_resource = rules
        .iter()
        .filter(|(path, ..)| path.is_empty())
        .map(|(_, _, message)| format!("Rule: {message}.\n\n"));
    let mut page = INTRODUCTION.to_owned();
    page.extend(of_resource);
    for section in &sections {
        page.push_str(&described(section, &sections, &rules));
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// Every object below, each once, whatever the number of places where it stands.
fn collect(schema: &Value, path: &str, sections: &mut Vec<Section>) {
    for (inner, suffix) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[inner].is_object() {
            collect(&schema[inner], &format!("{path}{suffix}"), sections);
        }
    }
    let Some(fields) = schema["properties"].as_object() else {
        return;
    };
    let is_same = |section: &&mut Section| {
        ["properties", "required", "x-kubernetes-validations"]
            .iter()
            .all(|part| section.schema[part] == schema[part])
    };
    if let Some(known) = sections.iter_mut().find(is_same) {
        known.paths.push(path.to_owned());
        return;
    }
    sections.push(Section {
        paths: vec![path.to_owned()],
        schema: schema.clone(),
    });
    for (name, field) in fields {
        collect(field, &format!("{path}.{name}"), sections);
    }
}

fn described(section: &Section, sections: &[Section], rules: &[(String, String, String)]) -> String {
    let (first, others) = section.paths.split_first().expect("it stands somewhere");
    let level = if first.contains('.') { "###" } else { "##" };
    let mut text = format!("{level} `{first}`\n\n");
    if !others.is_empty() {
        let others: Vec<_> = others.iter().map(|path| format!("`{path}`")).collect();
        text.push_str(&format!("The same: {}.\n\n", others.join(", ")));
    }
    text.push_str("| field | type | left out | refused unless | meaning |\n|---|---|---|---|---|\n");
    for (name, field) in section.schema["properties"].as_object().into_iter().flatten() {
        let refusals = refusals(section, name, field, rules);
        let cells = [
            format!("`{name}`"),
            linked(section, name, field, sections),
            left_out(section, name, field),
            or_dash(refusals.join("; ")),
            field["description"].as_str().unwrap_or_default().to_owned(),
        ];
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    text.push('\n');
    text
}

/// The type, and where its own fields are described.
fn linked(section: &Section, name: &str, field: &Value, sections: &[Section]) -> String {
    let path = format!("{}.{name}", section.paths[0]);
    let is_described = |section: &&Section| {
        section
            .paths
            .iter()
            .any(|known| known.trim_end_matches(['[', ']', '{', '}']) == path)
    };
    let kind = kind(field);
    match sections.iter().find(is_described) {
        Some(target) => format!("[{kind}](#{})", anchor(&target.paths[0])),
        None => kind,
    }
}

/// As the pages' host makes it from a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(char::is_ascii_alphanumeric);
    kept.collect::<String>().to_lowercase()
}

fn kind(field: &Value) -> String {
    if field["x-kubernetes-int-or-string"] == true {
        return "quantity".to_owned();
    }
    match field["type"].as_str().unwrap_or_default() {
        "array" => format!("list of {}", kind(&field["items"])),
        "object" if field["additionalProperties"].is_object() => {
            format!("map to {}", kind(&field["additionalProperties"]))
        }
        "string" if field["format"] == "date-time" => "time".to_owned(),
        other => other.to_owned(),
    }
}

fn left_out(section: &Section, name: &str, field: &Value) -> String {
    let required = section.schema["required"].as_array().into_iter().flatten();
    if required.into_iter().any(|required| required == name) {
        return "must be given".to_owned();
    }
    match &field["default"] {
        Value::Null | Value::Object(_) => "-".to_owned(),
        default => format!("`{default}`"),
    }
}

/// Bounds of the schema, and the messages of the rules that speak of the field.
fn refusals(section: &Section, name: &str, field: &Value, rules: &[(String, String, String)]) -> Vec<String> {
    let mut refusals = bounds(field);
    for (suffix, prefix) in [("", ""), ("[]", "each "), ("{}", "each ")] {
        let path = |place: &String| format!("{place}.{name}{suffix}");
        for (_, _, message) in rules {
            let places: Vec<_> = section
                .paths
                .iter()
                .filter(|place| {
                    rules
                        .iter()
                        .any(|(at, _, said)| *at == path(place) && said == message)
                })
                .map(|place| format!("`{place}`"))
                .collect();
            let refusal = if places.len() == section.paths.len() {
                format!("{prefix}{message}")
            } else {
                format!("{prefix}{message} (in {})", places.join(", "))
            };
            if !places.is_empty() && !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
    }
    refusals
}

fn bounds(field: &Value) -> Vec<String> {
    let mut bounds = Vec::new();
    let number = |bound: &str| field[bound].as_f64();
    if let Some(words) = field["enum"].as_array() {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        bounds.push(format!("one of `{}`", words.join("`, `")));
    }
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => bounds.push(format!("{least} to {most}")),
        (Some(least), None) => bounds.push(format!("{least} or more")),
        (None, Some(most)) => bounds.push(format!("{most} or less")),
        (None, None) => {}
    }
    for (bound, what) in [
        ("maxLength", "characters"),
        ("maxItems", "items"),
        ("maxProperties", "entries"),
    ] {
        bounds.extend(number(bound).map(|most| format!("at most {most} {what}")));
    }
    bounds.extend(field["pattern"].as_str().map(|pattern| format!("`{pattern}`")));
    if field["x-kubernetes-list-type"] == "set" {
        bounds.push("no item twice".to_owned());
    }
    let keys = field["x-kubernetes-list-map-keys"]
        .as_array()
        .into_iter()
        .flatten();
    let keys = keys.filter_map(Value::as_str);
    bounds.extend(keys.map(|key| format!("one item for each `{key}`")));
    if field["items"].is_object() {
        let each = self::bounds(&field["items"]);
        bounds.extend(each.into_iter().map(|bound| format!("each {bound}")));
    }
    bounds
}

fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}
