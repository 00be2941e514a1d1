//! The Rust files of the tree, parsed once for all rules.

use proc_macro2::TokenStream;

use super::Finding;
use super::tree::Tree;

/// A Rust file.
pub(crate) struct RustFile {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    pub(crate) tokens: TokenStream,
}

impl RustFile {
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, Finding> {
        let refused = |line: usize, error: &dyn std::fmt::Display| {
            Finding::new(
                path,
                line,
                format!("does not parse: {error}"),
                "make it compile first",
            )
        };
        let syntax = syn::parse_file(text).map_err(|error| refused(error.span().start().line, &error))?;
        let tokens = text
            .parse()
            .map_err(|error: proc_macro2::LexError| refused(error.span().start().line, &error))?;
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            syntax,
            tokens,
        })
    }

    /// The path below the package's `src/`, split into folders and the file.
    pub(crate) fn below_src(&self) -> Vec<&str> {
        match self.path.split_once("src/") {
            Some((_, rest)) => rest.split('/').collect(),
            None => Vec::new(),
        }
    }

    /// Where the file's module stands in its crate: `src/domain/order.rs` is `["domain", "order"]`.
    pub(crate) fn module(&self) -> Vec<String> {
        let mut module: Vec<String> = self
            .below_src()
            .iter()
            .map(|part| part.trim_end_matches(".rs").to_owned())
            .collect();
        if let [only] = &module[..]
            && matches!(only.as_str(), "lib" | "main")
        {
            module.clear();
        }
        module
    }

    /// A file that holds tests and nothing else: below a package's `tests/`, or `tests.rs` in `src/`.
    pub(crate) fn is_test_code(&self) -> bool {
        let folders: Vec<&str> = self.path.split('/').collect();
        let below_src = self.below_src();
        match folders.iter().position(|folder| *folder == "src") {
            Some(_) => below_src.iter().any(|part| matches!(*part, "tests" | "tests.rs")),
            // The package named `tests` keeps its own tests in `tests/tests/`.
            None => folders.contains(&"tests"),
        }
    }
}

/// Parses what can be parsed; the rest are findings.
pub(crate) fn parse_all(tree: &Tree) -> (Vec<RustFile>, Vec<Finding>) {
    let mut files = Vec::new();
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".rs") {
        match RustFile::parse(path, text) {
            Ok(file) => files.push(file),
            Err(finding) => findings.push(finding),
        }
    }
    (files, findings)
}

#[cfg(test)]
pub(crate) fn planted(path: &str, text: &str) -> RustFile {
    RustFile::parse(path, text).unwrap_or_else(|finding| panic!("{finding}"))
}
