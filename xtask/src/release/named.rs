//! Files that people write and that name the release: of these `cargo xtask release` writes the number alone.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use semver::Version;

use super::Generated;

/// Each file, and how the lines begin after which the number stands.
pub(super) const PLACES: [(&str, &[&str]); 6] = [
    ("charts/bigtix/Chart.yaml", &["appVersion: "]),
    ("examples/minimal.yaml", &[SPEC]),
    ("examples/production.yaml", &[SPEC]),
    ("examples/staged-rollout.yaml", &[SPEC, "    approvedVersion: "]),
    ("skaffold/shop.yaml", &[SPEC]),
    ("tests/cluster/shop.yaml", &[SPEC]),
];
/// `spec.version`: that of a store stands deeper.
const SPEC: &str = "  version: ";

/// Those that the tree has, as they have to be.
pub(super) fn generate(root: &Path, release: &Version) -> Result<Vec<Generated>> {
    let mut found = Vec::new();
    for (place, beginnings) in PLACES {
        let path = root.join(place);
        if path.is_file() {
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {place}"))?;
            let text = naming(&text, beginnings, release).context(place)?;
            found.push(Generated { path, text });
        }
    }
    Ok(found)
}

/// The text, with that release after each of the beginnings.
fn naming(text: &str, beginnings: &[&str], release: &Version) -> Result<String> {
    for beginning in beginnings {
        let lines = text.lines().filter(|line| line.starts_with(beginning)).count();
        ensure!(
            lines == 1,
            "{lines} lines begin with {beginning:?}, and one has to, which names the release"
        );
    }
    let named = text.lines().map(|line| {
        let beginning = beginnings.iter().find(|beginning| line.starts_with(*beginning));
        beginning.map_or_else(
            || format!("{line}\n"),
            |beginning| format!("{beginning}{release}\n"),
        )
    });
    Ok(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_written_and_nothing_else() {
        let text = "# A shop.\nspec:\n  version: 1.0.0\n  mongodb:\n    version: \"6.0\"\n  upgrade:\n    approvedVersion: 1.0.0\n";
        let release = Version::new(1, 1, 0);
        let named = naming(text, &[SPEC, "    approvedVersion: "], &release).unwrap();
        assert_eq!(named, text.replace("1.0.0", "1.1.0"));
        assert_eq!(naming(&named, &[SPEC], &release).unwrap(), named);
    }

    #[test]
    fn a_file_that_does_not_name_it_in_one_place_is_refused() {
        for text in ["spec:\n", "  version: 1.0.0\n  version: 1.0.0\n"] {
            let refused = naming(text, &[SPEC], &Version::new(1, 0, 0)).unwrap_err();
            assert!(refused.to_string().contains("names the release"), "{refused}");
        }
    }
}
