//! The examples, accepted and refused.

use crate::definition::rules;
use crate::files::{read, yaml_files_in};
use bigtix_crds::{ParseError, Violation, parse, validate, validate_update};
use std::collections::BTreeSet;

#[test]
fn every_example_is_accepted() {
    let examples = yaml_files_in("examples");
    for name in ["minimal.yaml", "production.yaml", "staged-rollout.yaml"] {
        assert!(examples.iter().any(|(file, _)| file == name), "{name} is missing");
    }
    for (name, text) in examples {
        let bigtix = parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        validate(&bigtix).unwrap_or_else(|violations| panic!("{name}: {violations:?}"));
    }
}

/// What the first lines of a file say: `# refused: <path>: <message>`, one line for each violation.
fn expected(text: &str) -> Vec<String> {
    text.lines()
        .map_while(|line| line.strip_prefix("# refused: "))
        .map(str::to_owned)
        .collect()
}

/// What is said about a file. With two documents the first one is there already and the second takes its place.
fn refusals(text: &str) -> Vec<String> {
    let documents: Vec<_> = text.split("\n---\n").collect();
    let outcome = match documents.as_slice() {
        [only] => read_one(only).and_then(|bigtix| validate(&bigtix)),
        [old, new] => read_one(old).and_then(|old| {
            validate(&old).expect("the first document is accepted");
            validate_update(&old, &read_one(new)?)
        }),
        _ => panic!("one document, or two"),
    };
    outcome
        .err()
        .into_iter()
        .flatten()
        .map(|violation| violation.to_string())
        .collect()
}

fn read_one(text: &str) -> Result<bigtix_crds::BigTix, Vec<Violation>> {
    parse(text).map_err(|error| match error {
        ParseError::Invalid(problems) => problems.into_iter().map(|problem| problem.violation).collect(),
        other => panic!("{other}"),
    })
}

#[test]
fn every_invalid_example_is_refused_for_the_reason_it_states() {
    for (name, text) in yaml_files_in("examples/invalid") {
        let expected = expected(&text);
        assert!(!expected.is_empty(), "{name} does not begin with `# refused: `");
        assert_eq!(refusals(&text), expected, "{name}");
    }
}

#[test]
fn every_rule_of_the_definition_has_an_example_that_breaks_it() {
    let stated: BTreeSet<String> = yaml_files_in("examples/invalid")
        .iter()
        .flat_map(|(_, text)| expected(text))
        .collect();
    let is_stated = |message: &str| stated.iter().any(|line| line.ends_with(message));
    let missing: Vec<_> = rules()
        .into_iter()
        .filter(|(_, _, message)| !is_stated(message))
        .collect();
    assert!(
        missing.is_empty(),
        "no example in examples/invalid breaks {missing:#?}"
    );
}

#[test]
fn every_rule_about_one_field_alone_has_an_example_at_that_field() {
    let stated: BTreeSet<String> = yaml_files_in("examples/invalid")
        .iter()
        .flat_map(|(_, text)| expected(text))
        .collect();
    for (path, rule, message) in rules() {
        if path.starts_with("spec.") && rule.contains("Production") {
            assert!(
                stated.contains(&format!("{path}: {message}")),
                "{path}: {message}"
            );
        }
    }
}

#[test]
fn what_is_refused_is_found_on_its_line() {
    let text = read("examples/production.yaml").replace("maxReplicas", "maxReplica");
    let error = parse(&text).expect_err("an unknown field").to_string();
    assert_eq!(
        error,
        "line 14: spec.services.orders.autoscaling.maxReplica: unknown field; did you mean maxReplicas?\n\
         line 12: spec.services.orders.autoscaling.maxReplicas: Required value"
    );
}

#[test]
fn the_examples_of_requests_are_read_as_what_they_are() {
    for (name, text) in yaml_files_in("examples/backups") {
        let read: Result<(), _> = match name.as_str() {
            "backup.yaml" => serde_yaml_ng::from_str::<bigtix_crds::BigTixBackup>(&text).map(drop),
            "restore.yaml" => serde_yaml_ng::from_str::<bigtix_crds::BigTixRestore>(&text).map(drop),
            other => panic!("{other}: of which kind?"),
        };
        read.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
