//! What is wrong with a resource, in words for its author.

use std::fmt;

/// One broken rule. Displays as `spec.mongodb.managed.replicas: must be odd so that an election can succeed`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The field, as `spec.services.web.env[0].name`; empty when the resource as a whole is meant.
    pub path: String,
    /// What the field must be or must not be.
    pub message: String,
}

impl Violation {
    pub(crate) fn new(path: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            path: path.to_string(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}
