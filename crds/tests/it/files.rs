//! The committed files that the tests compare with.

use bigtix_crds::BigTix;
use serde_json::{Value, json};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The committed file at `place` is what is generated; `BIGTIX_BLESS=1` writes it.
pub(crate) fn is_current(place: &str, generated: &str) {
    let path = root().join(place);
    if env::var_os("BIGTIX_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, generated).expect("the file can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = committed
        .lines()
        .zip(generated.lines())
        .position(|(ours, new)| ours != new);
    assert!(
        committed == generated,
        "{place} is stale (first difference on line {}); run BIGTIX_BLESS=1 cargo test -p bigtix-crds",
        differs.unwrap_or_else(|| committed.lines().count().min(generated.lines().count())) + 1
    );
}

/// Every YAML file in the folder, by name, in order.
pub(crate) fn yaml_files_in(folder: &str) -> Vec<(String, String)> {
    let entries = fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let names = entries.map(|entry| entry.expect("a readable folder").file_name().into_string());
    let mut names: Vec<_> = names.map(|name| name.expect("names are plain")).collect();
    names.retain(|name| name.ends_with(".yaml"));
    names.sort();
    names
        .into_iter()
        .map(|name| (name.clone(), read(&format!("{folder}/{name}"))))
        .collect()
}

/// A resource with that spec, the version added.
pub(crate) fn shop(mut spec: Value) -> Value {
    if spec.get("version").is_none() {
        spec["version"] = json!("1.0.0");
    }
    json!({
        "apiVersion": "bigtix.dev/v1alpha1",
        "kind": "BigTix",
        "metadata": {"name": "shop"},
        "spec": spec,
    })
}

pub(crate) fn bigtix(spec: Value) -> BigTix {
    bigtix_crds::from_value(shop(spec)).expect("a resource")
}
