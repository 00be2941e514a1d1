//! Holds the layering and the layout of the tree. Each rule is a pure function over paths and texts, and each
//! finding says how to mend it.

mod contents;
mod documents;
mod layers;
mod manifests;
mod mentions;
mod menu;
mod modules;
mod rust_files;
mod tree;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

pub(crate) use tree::Tree;

/// Something in the tree that a rule refuses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// Counted from 1.
    line: usize,
    what: String,
    mend: String,
}

impl Finding {
    fn new(path: &str, line: usize, what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            what: what.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}: {}\n    mend: {}",
            self.path, self.line, self.what, self.mend
        )
    }
}

/// Prints what is wrong with the repository; a failure if anything is.
pub(crate) fn run(root: &Path) -> Result<ExitCode> {
    let tree = Tree::of_repository(root)?;
    let findings = inspect(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: {} files, nothing to mend", tree.len());
            Ok(ExitCode::SUCCESS)
        }
        count => {
            println!("tidy: {count} to mend");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Everything that the rules refuse, in the order of paths and lines.
fn inspect(tree: &Tree) -> Vec<Finding> {
    let (sources, mut findings) = rust_files::parse_all(tree);
    for source in &sources {
        findings.extend(layers::inspect(source));
        findings.extend(contents::size(source));
        findings.extend(contents::serde_shapes(source));
        findings.extend(contents::sleeping_tests(source));
    }
    findings.extend(manifests::inspect(tree));
    findings.extend(modules::forbidden_names(tree, &sources));
    findings.extend(modules::unreachable_files(tree, &sources));
    findings.extend(documents::dead_links(tree));
    findings.extend(documents::unlisted_pages(tree));
    findings.extend(documents::dependencies(tree));
    findings.extend(documents::error_pages(tree));
    findings.extend(contents::places(tree));
    findings.extend(menu::inspect(tree));
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let tree = Tree::of_repository(&crate::repository_root()).unwrap();
        let findings: Vec<String> = inspect(&tree).iter().map(ToString::to_string).collect();
        assert!(
            findings.is_empty(),
            "{} to mend\n{}",
            findings.len(),
            findings.join("\n")
        );
    }
}
