//! The release that this program is of: the newest that is built into it.

use std::sync::LazyLock;

use bigtix_crds::Catalog;

static NEWEST: LazyLock<String> = LazyLock::new(|| {
    let catalog = Catalog::embedded();
    let newest = catalog.newest().expect("at least one release is built in");
    newest.version.to_string()
});

/// Such as `1.0.0`.
pub(crate) fn version() -> &'static str {
    &NEWEST
}
