//! The BigTix resource: what a user writes, what it means, and which requests go where.
//!
//! - [`v1alpha1`] holds the resource's types; [`crd`] the definition that an API server gets.
//! - [`parse`] reads a file, [`set`] changes one field of it, [`validate`] turns it into a [`Platform`].
//! - [`Catalog`] maps a release of the platform to one version per service.
//! - [`routes`] is the one table that both the Ingress and the local edge are built from.
//!
//! Everything here is pure: no file is read, no clock is asked, no server is called.

pub mod crd;
mod one_machine;
mod parse;
mod path;
pub mod platform;
mod release;
pub mod routes;
mod schema;
mod service;
mod set;
#[allow(
    unreachable_pub,
    reason = "the derived schema repeats each struct inside a function"
)]
pub mod v1alpha1;
mod validate;
mod violation;

pub use one_machine::ignored_on_one_machine;
pub use parse::{ParseError, Problem, from_value, line_of, parse, parse_with, to_value};
pub use path::{FieldPath, PathError};
pub use platform::Platform;
pub use release::{Catalog, CatalogError, Contraction, Contractions, Release};
pub use semver::Version;
pub use service::{Service, UnknownService};
pub use set::{SetError, set};
pub use v1alpha1::{BigTix, BigTixBackup, BigTixRestore, BigTixSpec, BigTixStatus};
pub use validate::{validate, validate_against, validate_update};
pub use violation::Violation;
