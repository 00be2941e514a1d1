//! Whoever is woken or reads a condition finds a page about it: what the operator can say is compared with what is written.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bigtix_testkit::golden::workspace_root;

const CONDITIONS: &str = "docs/runbooks/conditions.md";
const RUNBOOKS: &str = "docs/runbooks";
const GOLDEN: &str = "operator/tests/golden/production.yaml";

/// Words in the form of a reason that are none.
const NO_REASONS: [&str; 2] = ["True", "False"];

#[test]
fn every_alert_has_the_runbook_that_it_names() {
    let alerts = alerts();
    assert!(!alerts.is_empty(), "{GOLDEN} has no alerts");
    for (alert, runbook) in &alerts {
        assert_eq!(*runbook, format!("{RUNBOOKS}/{alert}.md"));
        let text = fs::read_to_string(workspace_root().join(runbook)).unwrap_or_default();
        assert!(
            text.starts_with(&format!("# {alert}\n")),
            "{runbook} has to begin with `# {alert}`: what it means, how to look, what to do"
        );
    }
}

#[test]
fn every_runbook_of_an_alert_has_an_alert() {
    let alerts: BTreeSet<String> = alerts().into_iter().map(|(alert, _)| alert).collect();
    for path in files_in(&workspace_root().join(RUNBOOKS)) {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let is_of_alert = name.starts_with("BigTix");
        assert!(!is_of_alert || alerts.contains(name), "there is no alert {name}");
    }
}

#[test]
fn every_reason_that_is_written_is_explained() {
    let explained = explained();
    let missing: Vec<_> = written().difference(&explained).cloned().collect();
    assert!(
        missing.is_empty(),
        "{CONDITIONS} has neither a heading nor a row that begins with {missing:?}"
    );
}

#[test]
fn every_reason_that_is_explained_is_written() {
    let written = written();
    let stale: Vec<_> = explained().difference(&written).cloned().collect();
    assert!(
        stale.is_empty(),
        "{CONDITIONS} explains what the operator does not say: {stale:?}"
    );
}

#[test]
fn reasons_are_found_however_they_are_written() {
    let source = r#"
        Gate::waiting(
            "OnTheNextLine", format!("no Reason"));
        Reason { predicate: "Named", message };
        const STEP: &str = "Step";
        gates([("InATuple", &gate)]);
        let is = kind == "Compared";
        #[cfg(test)]
        mod tests { let test = waiting("InATest"); }
    "#;
    let found: Vec<_> = reasons(source, is_said).into_iter().collect();
    assert_eq!(found, ["InATuple", "Named", "OnTheNextLine", "Step"]);
}

fn read(place: &str) -> String {
    read_file(&workspace_root().join(place))
}

fn read_file(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else {
            files.push(path);
        }
    }
    files
}

/// Each alert with its runbook, from the golden file.
fn alerts() -> Vec<(String, String)> {
    let golden = read(GOLDEN);
    let values = |key: &str| -> Vec<String> {
        golden
            .lines()
            .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix(key))
            .map(str::to_owned)
            .collect()
    };
    let (alerts, runbooks) = (values("alert: "), values("runbook: "));
    assert_eq!(alerts.len(), runbooks.len(), "an alert without a runbook");
    alerts.into_iter().zip(runbooks).collect()
}

/// Conditions, their reasons, gates, events and steps, as the sources have them.
fn written() -> BTreeSet<String> {
    let all = |_: &str| true;
    let mut written = reasons(&read("operator/src/status/conditions.rs"), all);
    for path in files_in(&workspace_root().join("operator/src/status/conditions")) {
        written.extend(reasons(&read_file(&path), all));
    }
    written.extend(reasons(&read("operator/src/status.rs"), all));
    for file in ["verdict", "take", "restore"] {
        written.extend(reasons(
            &read(&format!("operator/src/backups/{file}.rs")),
            is_said,
        ));
    }
    written.extend(reasons(&read("operator/src/next.rs"), is_said));
    for path in files_in(&workspace_root().join("operator/src/next")) {
        let is_test = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "tests.rs");
        if !is_test {
            written.extend(reasons(&read_file(&path), is_said));
        }
    }
    assert!(written.len() > 20, "the sources are read wrongly: {written:?}");
    written
}

/// Texts in the form of a reason, where `counts` says so of what stands before them. Tests within the source are left out.
fn reasons(source: &str, counts: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    // A quote that neither begins nor ends a text would turn texts and code round.
    let source = source.replace("\\\"", "").replace("'\"'", "");
    let mut found = BTreeSet::new();
    let mut before = String::new();
    for (index, part) in source.split('"').enumerate() {
        if index % 2 == 1 && is_reason(part) && counts(before.trim_end()) {
            found.insert(part.to_owned());
        }
        part.clone_into(&mut before);
    }
    found
}

/// Arguments, the first of a tuple, predicates, reasons of events, constants.
fn is_said(before: &str) -> bool {
    ["(", "predicate:", "reason:", "&str ="]
        .iter()
        .any(|end| before.ends_with(end))
}

fn is_reason(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric())
        && text.contains(|letter: char| letter.is_ascii_lowercase())
        && !NO_REASONS.contains(&text)
}

/// What the page has a heading or a row of a table for.
fn explained() -> BTreeSet<String> {
    let page = read(CONDITIONS);
    let words = page.lines().filter_map(|line| {
        let rest = line.trim_start_matches('#').trim_start_matches('|').trim_start();
        let is_marked = line.starts_with('#') || line.starts_with('|');
        let word = rest.strip_prefix('`')?.split('`').next()?;
        (is_marked && is_reason(word)).then(|| word.to_owned())
    });
    words.collect()
}
