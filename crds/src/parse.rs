//! Reading a resource from a file.

mod line;
mod yaml;

use crate::path::FieldPath;
use crate::schema::{check, without_nulls};
use crate::{BigTix, SetError, Violation, crd, set};
use serde_json::Value;
use std::fmt;

pub use line::line_of;
pub use yaml::to_value;

/// A violation and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1; absent for what the file does not say itself.
    pub line: Option<usize>,
    /// What is wrong.
    pub violation: Violation,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        self.violation.fmt(f)
    }
}

/// Why a file holds no resource.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// It is not YAML, or not one document.
    #[error("{0}")]
    Yaml(String),
    /// A field that was to be set cannot be.
    #[error(transparent)]
    Set(#[from] SetError),
    /// It is YAML but not a BigTix.
    #[error("{}", listed(.0))]
    Invalid(Vec<Problem>),
}

fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Reads a resource from YAML. What is checked here is that it is one: known fields only, each of its type.
/// Whether it makes sense is for [`crate::validate`] to say.
///
/// # Errors
/// Names every field at fault, with its line.
pub fn parse(text: &str) -> Result<BigTix, ParseError> {
    parse_with(text, &[])
}

/// Reads a resource from YAML after setting fields of it, each a path and a value as [`crate::set`] takes them.
///
/// # Errors
/// As [`parse`], and when a field cannot be set.
pub fn parse_with(text: &str, sets: &[(String, String)]) -> Result<BigTix, ParseError> {
    let mut document = to_value(text)?;
    for (path, value) in sets {
        set(&mut document, path, value)?;
    }
    from_value(document).map_err(|violations| {
        let locate = |violation: Violation| {
            let was_set = sets
                .iter()
                .any(|(path, _)| violation.path.starts_with(path.as_str()));
            let line = if was_set {
                None
            } else {
                line_of(text, &violation.path)
            };
            Problem { line, violation }
        };
        ParseError::Invalid(violations.into_iter().map(locate).collect())
    })
}

/// Reads a resource from plain data. An explicit null means the same as leaving the field out.
///
/// # Errors
/// Every unknown field, with the known one that is nearest, every missing one, and every one of another type.
pub fn from_value(document: Value) -> Result<BigTix, Vec<Violation>> {
    let document = without_nulls(document);
    let findings = check(crd::schema(), &document);
    let blocked = findings.iter().any(|finding| finding.blocking);
    let mut violations: Vec<_> = findings
        .into_iter()
        .map(|finding| Violation::new(finding.path, finding.message))
        .collect();
    if blocked {
        return Err(violations);
    }
    serde_json::from_value(document).map_err(|error| {
        if violations.is_empty() {
            violations.push(Violation::new(FieldPath::default(), error.to_string()));
        }
        violations
    })
}
