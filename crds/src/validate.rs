//! From a resource to a [`Platform`], or to everything that is wrong with it.

mod quantity;
mod resolve;

use crate::platform::Platform;
use crate::{BigTix, Catalog, Violation, crd, schema};
use kube::core::cel::{CompiledSchema, ErrorKind, ValidationError, Validator, compile_schema};
pub use quantity::{is_less, same_quantity};
use serde_json::Value;
use std::sync::OnceLock;

/// Checks a new resource against the schema and its rules, and against the releases that this program knows.
///
/// # Errors
/// Everything that is wrong, in the order of the fields' paths.
pub fn validate(bigtix: &BigTix) -> Result<Platform, Vec<Violation>> {
    validate_against(bigtix, None, &Catalog::embedded())
}

/// As [`validate`], for a resource that takes the place of `old`: what must not change is checked too.
///
/// # Errors
/// Everything that is wrong, in the order of the fields' paths.
pub fn validate_update(old: &BigTix, new: &BigTix) -> Result<Platform, Vec<Violation>> {
    validate_against(new, Some(old), &Catalog::embedded())
}

/// As [`validate`] or [`validate_update`], with a catalog of releases that may know more than this program.
///
/// # Errors
/// Everything that is wrong, in the order of the fields' paths.
pub fn validate_against(
    bigtix: &BigTix,
    old: Option<&BigTix>,
    catalog: &Catalog,
) -> Result<Platform, Vec<Violation>> {
    let mut violations = refused_by_schema(bigtix);
    violations.extend(broken_rules(bigtix, old));
    let resolved = resolve::resolve(bigtix, catalog);
    match resolved {
        Ok(platform) if violations.is_empty() => return Ok(platform),
        Ok(_) => {}
        Err(further) => violations.extend(further),
    }
    violations.sort();
    violations.dedup();
    Err(violations)
}

fn refused_by_schema(bigtix: &BigTix) -> Vec<Violation> {
    let findings = schema::check(crd::schema(), &plain(bigtix));
    findings
        .into_iter()
        .map(|finding| Violation::new(finding.path, finding.message))
        .collect()
}

fn broken_rules(bigtix: &BigTix, old: Option<&BigTix>) -> Vec<Violation> {
    static RULES: OnceLock<CompiledSchema> = OnceLock::new();
    let rules = RULES.get_or_init(|| compile_schema(crd::schema()));
    let outcome = Validator::new().validate_compiled(rules, &plain(bigtix), old.map(plain).as_ref());
    let errors = outcome
        .err()
        .map(kube::core::cel::ValidationErrors::into_vec)
        .unwrap_or_default();
    errors.into_iter().map(in_our_words).collect()
}

fn in_our_words(error: ValidationError) -> Violation {
    match error.kind {
        ErrorKind::ValidationFailure => Violation::new(error.field_path, error.message),
        _ => Violation::new(error.field_path, format!("cannot be checked: {}", error.message)),
    }
}

fn plain(bigtix: &BigTix) -> Value {
    serde_json::to_value(bigtix).expect("a resource is plain data")
}
