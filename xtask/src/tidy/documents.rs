//! What the documents promise: links that lead somewhere, a reason for each dependency, a page for each error.

use std::collections::BTreeMap;

use proc_macro2::TokenTree;
use syn::Item;

use super::Finding;
use super::manifests::foreign_dependencies;
use super::rust_files::RustFile;
use super::tree::Tree;

const DEPENDENCIES: &str = "docs/dependencies.md";
const ERRORS: &str = "docs/errors";
const PROBLEM: &str = "sdk/contracts/src/problem.rs";

/// Relative links of Markdown files to files that do not exist.
pub(crate) fn dead_links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts(".md") {
        for (line, target) in links(text) {
            let file = target.split(['#', '?']).next().unwrap_or_default();
            let is_elsewhere = file.is_empty() || file.contains(':') || file.starts_with("//");
            if !is_elsewhere && !joined(path, file).is_some_and(|full| tree.holds(&full)) {
                let mend = "correct the path, or add the file; links are relative to the page that has them";
                findings.push(Finding::new(
                    path,
                    line,
                    format!("the link to `{target}` leads nowhere"),
                    mend,
                ));
            }
        }
    }
    findings
}

/// The targets of `[text](target)` and `[name]: target`, with their lines; code is left out.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_fence = !in_fence;
            continue;
        }
        if in_fence {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        let targets = prose
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', ' ']).next());
        found.extend(targets.map(|target| (index + 1, target.trim_matches(['<', '>']).to_owned())));
        if trimmed.starts_with('[')
            && let Some((_, target)) = prose.split_once("]: ")
            && let Some(target) = target.split_whitespace().next()
        {
            found.push((index + 1, target.to_owned()));
        }
    }
    found
}

/// The path from the root of what a page links to; `None` when it leads out of the repository.
fn joined(page: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = if link.starts_with('/') {
        Vec::new()
    } else {
        page.split('/').collect()
    };
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
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
