//! What all objects have in common: name, namespace, labels, owner.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use sha2::{Digest, Sha256};

use super::Shop;
use crate::names::{self, Component, DOMAIN};

/// The label that says which version runs. It is no part of a selector.
pub const VERSION_LABEL: &str = "app.kubernetes.io/version";
/// How long a label's value may be.
const LONGEST_LABEL: usize = 63;
/// How many hexadecimal digits of a digest are kept: enough to tell two configurations apart.
const DIGEST_LENGTH: usize = 16;

/// Of a component's own object, named after it.
#[must_use]
pub fn component(shop: Shop<'_>, component: Component) -> ObjectMeta {
    named(shop, component, component.object_name(shop.platform))
}

/// Of a component's further object.
#[must_use]
pub fn named(shop: Shop<'_>, component: Component, name: String) -> ObjectMeta {
    owned(shop, name, names::component_labels(shop.platform, component))
}

/// Of an object that belongs to the shop as a whole.
#[must_use]
pub fn shared(shop: Shop<'_>, name: String) -> ObjectMeta {
    owned(shop, name, names::instance_labels(shop.platform))
}

/// Of a component's pods; whoever makes them names them.
#[must_use]
pub fn pods(
    shop: Shop<'_>,
    component: Component,
    version: &str,
    annotations: BTreeMap<String, String>,
) -> ObjectMeta {
    let mut labels = names::component_labels(shop.platform, component);
    labels.insert(VERSION_LABEL.to_owned(), label_value(version));
    ObjectMeta {
        labels: Some(labels),
        annotations: (!annotations.is_empty()).then_some(annotations),
        ..ObjectMeta::default()
    }
}

/// Selects a component's pods.
#[must_use]
pub fn selector(shop: Shop<'_>, component: Component) -> LabelSelector {
    LabelSelector {
        match_labels: Some(names::selector(shop.platform, component)),
        ..LabelSelector::default()
    }
}

/// The annotation on pods that makes them start anew when `what` changes.
#[must_use]
pub fn digest_annotation(what: &str, digest: impl Into<String>) -> (String, String) {
    (format!("{DOMAIN}/{what}-digest"), digest.into())
}

/// What tells one text from another, without repeating it.
#[must_use]
pub fn digest(text: &str) -> String {
    let bytes = Sha256::digest(text.as_bytes());
    let mut hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    hexadecimal.truncate(DIGEST_LENGTH);
    hexadecimal
}

fn owned(shop: Shop<'_>, name: String, labels: BTreeMap<String, String>) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(shop.namespace.to_owned()),
        labels: Some(labels),
        owner_references: Some(vec![shop.owner.clone()]),
        ..ObjectMeta::default()
    }
}

/// A version as a label can hold it: `+` is not allowed there, and the end has to be a letter or digit.
fn label_value(version: &str) -> String {
    let text = version.replace('+', "_");
    let cut: String = text.chars().take(LONGEST_LABEL).collect();
    cut.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_version_fits_into_a_label() {
        assert_eq!(label_value("1.0.0"), "1.0.0");
        assert_eq!(label_value("1.0.0+build.7"), "1.0.0_build.7");
        let long = format!("1.0.0-{}.x", "a".repeat(56));
        assert_eq!(label_value(&long), format!("1.0.0-{}", "a".repeat(56)));
    }

    #[test]
    fn digests_are_short_and_differ() {
        assert_eq!(digest("a").len(), DIGEST_LENGTH);
        assert_ne!(digest("a"), digest("b"));
    }
}
