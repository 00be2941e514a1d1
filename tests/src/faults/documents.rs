//! The statuses that the OpenAPI documents allow.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use bigtix_testkit::golden::workspace_root;
use serde_json::Value;

/// What the edge itself may answer for any service: none of its instances could be reached, or none in time.
const EDGE: [u16; 2] = [502, 503];

/// Statuses by method and path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Documents(BTreeMap<(String, String), BTreeSet<u16>>);

impl Documents {
    /// The committed documents, which a test of theirs compares with what the services serve.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn committed() -> Result<Self> {
        let folder = workspace_root().join("sdk/openapi");
        let mut documents = Self::default();
        for service in ["auth", "tickets", "orders", "payments"] {
            let path = folder.join(format!("{service}.json"));
            let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
            documents.add(&serde_json::from_slice(&text)?);
        }
        Ok(documents)
    }

    fn add(&mut self, document: &Value) {
        let paths = document["paths"].as_object().into_iter().flatten();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let responses = operation["responses"].as_object().into_iter().flatten();
                let statuses = responses.filter_map(|(status, _)| status.parse::<u16>().ok());
                let key = (method.clone(), path.clone());
                self.0.entry(key).or_default().extend(statuses);
            }
        }
    }

    /// Whether this may be answered there.
    #[must_use]
    pub fn allow(&self, method: &str, path: &str, status: u16) -> bool {
        let of_service = self.0.get(&(method.to_owned(), path.to_owned()));
        EDGE.contains(&status) || of_service.is_some_and(|statuses| statuses.contains(&status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_undocumented_status_is_not_allowed() {
        let documents = Documents::committed().unwrap();
        assert!(documents.allow("post", "/api/orders", 201));
        assert!(documents.allow("post", "/api/orders", 502));
        assert!(!documents.allow("post", "/api/orders", 418));
        assert!(!documents.allow("post", "/api/nowhere", 200));
    }
}
