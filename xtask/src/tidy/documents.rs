//! What the documents promise: links that lead somewhere, a place in the book for each page, a reason for each dependency, a page for each error.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenTree;
use syn::Item;

use super::Finding;
use super::manifests::foreign_dependencies;
use super::rust_files::RustFile;
use super::tree::{Tree, line_of};
use crate::markdown;

const DEPENDENCIES: &str = "docs/dependencies.md";
const SUMMARY: &str = "docs/SUMMARY.md";
const ERRORS: &str = "docs/errors";
const PROBLEM: &str = "sdk/contracts/src/problem.rs";

/// Relative links of Markdown files to files that do not exist.
pub(crate) fn dead_links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".md") {
        for range in markdown::targets(text) {
            let target = &text[range.clone()];
            let Some((file, _)) = markdown::path_and_fragment(target) else {
                continue;
            };
            if !markdown::joined(path, file).is_some_and(|full| tree.holds(&full)) {
                let mend = "correct the path, or add the file; links are relative to the page that has them";
                findings.push(Finding::new(
                    path,
                    line_of(text, range.start),
                    format!("the link to `{target}` leads nowhere"),
                    mend,
                ));
            }
        }
    }
    findings
}

/// Pages of the book that its table of contents does not name: nobody finds them there.
pub(crate) fn unlisted_pages(tree: &Tree) -> Vec<Finding> {
    let Some(summary) = tree.text(SUMMARY) else {
        return Vec::new();
    };
    let listed: BTreeSet<String> = markdown::targets(summary)
        .into_iter()
        .filter_map(|target| markdown::joined(SUMMARY, &summary[target]))
        .collect();
    tree.texts(".md")
        .map(|(path, _)| path)
        .filter(|path| path.starts_with("docs/") && *path != SUMMARY && !listed.contains(*path))
        .map(|path| {
            Finding::new(
                path,
                1,
                "the book does not have this page",
                format!("add a line for it to {SUMMARY}, where its kind of page is"),
            )
        })
        .collect()
}

/// Dependencies of the workspace without a row in the table of reasons, and rows without a dependency.
pub(crate) fn dependencies(tree: &Tree) -> Vec<Finding> {
    let Some(manifest) = tree.text("Cargo.toml") else {
        return Vec::new();
    };
    let reasons = tree.text(DEPENDENCIES).unwrap_or_default();
    let rows: BTreeMap<&str, usize> = reasons
        .lines()
        .enumerate()
        .filter_map(|(index, line)| Some((line.strip_prefix("| `")?.split_once("` |")?.0, index + 1)))
        .collect();
    let declared = foreign_dependencies(manifest);
    let unexplained = declared
        .iter()
        .filter(|(name, _)| !rows.contains_key(name.as_str()))
        .map(|(name, line)| {
            let mend =
                format!("add the row \"| `{name}` | why it is here |\" to {DEPENDENCIES}, or do without it");
            Finding::new(
                "Cargo.toml",
                *line,
                format!("nothing says why {name} is here"),
                mend,
            )
        });
    let stray = rows
        .iter()
        .filter(|(row, _)| !declared.iter().any(|(name, _)| name == *row))
        .map(|(row, line)| {
            Finding::new(
                DEPENDENCIES,
                *line,
                format!("the workspace does not depend on {row}"),
                "remove the row",
            )
        });
    unexplained.chain(stray).collect()
}

/// Error codes without a page, and pages without a code.
pub(crate) fn error_pages(tree: &Tree) -> Vec<Finding> {
    let Some(Ok(problem)) = tree.text(PROBLEM).map(|text| RustFile::parse(PROBLEM, text)) else {
        return Vec::new();
    };
    let codes = codes(&problem);
    if codes.is_empty() {
        let mend = "keep the list in `error_codes! { Variant = \"word\", … }`";
        return vec![Finding::new(PROBLEM, 1, "no error code was found", mend)];
    }
    let missing = codes
        .iter()
        .filter(|(word, _)| !tree.holds(&format!("{ERRORS}/{word}.md")))
        .map(|(word, line)| {
            let mend = format!("add {ERRORS}/{word}.md: when it comes, and what the caller does about it");
            Finding::new(PROBLEM, *line, format!("the code `{word}` has no page"), mend)
        });
    let stray = tree.paths().filter_map(|path| {
        let page = path
            .strip_prefix(ERRORS)?
            .strip_prefix('/')?
            .strip_suffix(".md")?;
        let expected = codes.contains_key(page) || page == "README";
        (!expected).then(|| {
            Finding::new(
                path,
                1,
                format!("there is no error code `{page}`"),
                "remove the page",
            )
        })
    });
    missing.chain(stray).collect()
}

/// The words of `error_codes! { Variant = "word", … }`, with their lines.
fn codes(problem: &RustFile) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    for item in &problem.syntax.items {
        let Item::Macro(list) = item else { continue };
        if !list.mac.path.is_ident("error_codes") {
            continue;
        }
        let tokens: Vec<TokenTree> = list.mac.tokens.clone().into_iter().collect();
        for three in tokens.windows(3) {
            if let [
                TokenTree::Ident(_),
                TokenTree::Punct(equals),
                TokenTree::Literal(word),
            ] = three
                && equals.as_char() == '='
            {
                codes.insert(
                    word.to_string().trim_matches('"').to_owned(),
                    word.span().start().line,
                );
            }
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(text: &str) -> Vec<String> {
        let tree = Tree::planted(&[
            ("docs/a.md", text),
            ("docs/b.md", ""),
            ("README.md", ""),
            ("charts/x/y.yaml", ""),
        ]);
        dead_links(&tree)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn relative_links_lead_somewhere() {
        assert_eq!(dead("see [c](c.md)").len(), 1);
        assert_eq!(dead("see [c](b.md) and [d](../gone/)").len(), 1);
        assert_eq!(dead("see [c](../../outside.md)").len(), 1);
        assert_eq!(dead("[c]: gone.md").len(), 1);
        let fine = "[b](b.md#part) [r](../README.md) [c](/charts/x) [h](https://example.org/x) [s](#part) `[x](gone)`";
        assert!(dead(fine).is_empty());
        assert!(dead("```\n[x](gone.md)\n```").is_empty());
    }

    #[test]
    fn every_page_is_in_the_book() {
        let tree = Tree::planted(&[
            (SUMMARY, "- [A](a.md)\n- [Architecture](../ARCHITECTURE.md)\n"),
            ("ARCHITECTURE.md", ""),
            ("README.md", ""),
            ("docs/a.md", ""),
            ("docs/deep/b.md", ""),
        ]);
        let findings = unlisted_pages(&tree);
        let found: Vec<&str> = findings.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(found, ["docs/deep/b.md"]);
    }

    #[test]
    fn every_dependency_has_a_reason_and_every_reason_a_dependency() {
        let manifest = "[workspace.dependencies]\nbigtix-auth = { path = \"services/auth\" }\nserde = \"1\"\nurl = \"2\"\n";
        let reasons = "| crate | why |\n| `serde` | wire |\n| `gone` | nothing |\n";
        let findings = dependencies(&Tree::planted(&[
            ("Cargo.toml", manifest),
            (DEPENDENCIES, reasons),
        ]));
        let found: Vec<(&str, usize)> = findings.iter().map(|f| (f.path.as_str(), f.line)).collect();
        assert_eq!(found, [("Cargo.toml", 4), (DEPENDENCIES, 3)]);
        assert_eq!(dependencies(&Tree::planted(&[("Cargo.toml", manifest)])).len(), 2);
    }

    #[test]
    fn every_error_code_has_a_page_and_every_page_a_code() {
        let problem = "error_codes! {\n/// A.\nSoldOut = \"sold_out\",\n/// B.\nNotFound = \"not_found\",\n}";
        let tree = Tree::planted(&[
            (PROBLEM, problem),
            ("docs/errors/sold_out.md", ""),
            ("docs/errors/gone.md", ""),
            ("docs/errors/README.md", ""),
        ]);
        let findings = error_pages(&tree);
        let found: Vec<(&str, usize)> = findings.iter().map(|f| (f.path.as_str(), f.line)).collect();
        assert_eq!(found, [(PROBLEM, 5), ("docs/errors/gone.md", 1)]);
        assert_eq!(
            error_pages(&Tree::planted(&[(PROBLEM, "enum Other {}")])).len(),
            1
        );
    }
}
