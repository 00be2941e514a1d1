//! What files hold: how much, which shapes for serde, how tests wait, and places that exist on one machine only.

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

use super::Finding;
use super::mentions;
use super::rust_files::RustFile;
use super::tree::{Tree, line_of};

const LINES_OF_A_FILE: usize = 450;
const LINES_OF_A_FUNCTION: usize = 80;

/// Files and functions that are too long to read in one go. What is generated is not read.
pub(crate) fn size(file: &RustFile) -> Vec<Finding> {
    if is_generated(&file.text) {
        return Vec::new();
    }
    let mut functions = Functions {
        path: &file.path,
        findings: Vec::new(),
    };
    functions.visit_file(&file.syntax);
    let mut findings = functions.findings;
    let lines = file.text.lines().count();
    if lines > LINES_OF_A_FILE {
        let what = format!("{lines} lines; {LINES_OF_A_FILE} are the most");
        findings.push(Finding::new(
            &file.path,
            1,
            what,
            "split it along what it does: `foo.rs` and `foo/part.rs`",
        ));
    }
    findings
}

fn is_generated(text: &str) -> bool {
    let mark = concat!("@", "generated");
    text.lines().take(5).any(|line| line.contains(mark))
}

struct Functions<'a> {
    path: &'a str,
    findings: Vec<Finding>,
}

impl Functions<'_> {
    fn measure(&mut self, signature: &Signature, block: &Block) {
        let first = signature.span().start().line;
        let lines = block.span().end().line + 1 - first;
        if lines > LINES_OF_A_FUNCTION {
            let what = format!(
                "`{}` has {lines} lines; {LINES_OF_A_FUNCTION} are the most",
                signature.ident
            );
            self.findings.push(Finding::new(
                self.path,
                first,
                what,
                "give its steps names: one function each",
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// `untagged` and `flatten` outside of adapters: both give up on saying where a body is wrong.
pub(crate) fn serde_shapes(file: &RustFile) -> Vec<Finding> {
    if file
        .below_src()
        .first()
        .is_some_and(|layer| layer.trim_end_matches(".rs") == "adapters")
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    serde_words(file.tokens.clone(), false, &mut found);
    found
        .into_iter()
        .map(|(line, word)| {
            let mend = "write the shape out: a tag, or the fields themselves; unknown and wrong fields are then named";
            Finding::new(&file.path, line, format!("serde({word}) outside of adapters"), mend)
        })
        .collect()
}

fn serde_words(stream: TokenStream, in_attribute: bool, found: &mut Vec<(usize, String)>) {
    let mut after_hash = false;
    let mut after_serde = false;
    for token in stream {
        match &token {
            TokenTree::Group(group) if in_attribute && after_serde => {
                let words = group.stream().into_iter().filter_map(|token| match token {
                    TokenTree::Ident(word) if word == "untagged" || word == "flatten" => Some(word),
                    _ => None,
                });
                found.extend(words.map(|word| (word.span().start().line, word.to_string())));
            }
            TokenTree::Group(group) => serde_words(group.stream(), in_attribute || after_hash, found),
            _ => {}
        }
        after_serde = matches!(&token, TokenTree::Ident(ident) if ident == "serde");
        after_hash = matches!(&token, TokenTree::Punct(punct) if matches!(punct.as_char(), '#' | '!'));
    }
}

/// Tests that wait for a duration.
pub(crate) fn sleeping_tests(file: &RustFile) -> Vec<Finding> {
    mentions::of(file)
        .into_iter()
        .filter(|mention| {
            mention.in_test && mention.called && mention.path.last().is_some_and(|name| name == "sleep")
        })
        .map(|mention| {
            let mend =
                "wait for the state that the test is about, with a deadline; the testkit has what it takes";
            Finding::new(&file.path, mention.line, "a test that sleeps", mend)
        })
        .collect()
}

/// Folders of one machine and hosts of registries, which mean nothing to anyone else. In two parts each, so that
/// this file passes.
const PLACES: [(&str, &str); 12] = [
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("index.crates", ".io"),
    ("static.crates", ".io"),
    ("py", "pi.org"),
    ("python", "hosted.org"),
    ("proxy.go", "lang.org"),
    ("sum.go", "lang.org"),
    ("registry.np", "mjs.org"),
    ("deb.deb", "ian.org"),
    ("repo1.ma", "ven.org"),
    ("repo.ma", "ven.apache.org"),
];

/// Lock files name the registry that they were made with, in their own format.
const LOCK_FILES: [&str; 4] = ["Cargo.lock", "package-lock.json", "go.sum", "uv.lock"];

/// Places that exist for one machine or one network only.
pub(crate) fn places(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts("") {
        if LOCK_FILES
            .iter()
            .any(|lock| path.rsplit('/').next() == Some(lock))
        {
            continue;
        }
        for (start, end) in PLACES {
            let place = format!("{start}{end}");
            let stands_alone = |offset: &usize| !place.starts_with('/') || begins_a_path(&text[..*offset]);
            for offset in text
                .match_indices(&place)
                .map(|(offset, _)| offset)
                .filter(stands_alone)
            {
                let mend = "say it by a variable, a relative path or the package's name";
                let what = format!("`{place}` exists on some machines only");
                findings.push(Finding::new(path, line_of(text, offset), what, mend));
            }
        }
    }
    findings
}

/// Whether a slash after this text begins an absolute path, and is no part of a longer one.
fn begins_a_path(before: &str) -> bool {
    !before.ends_with(|last: char| last.is_alphanumeric() || matches!(last, '_' | '-' | '.' | '}' | ')'))
}

#[cfg(test)]
mod tests {
    use super::super::rust_files::planted;
    use super::*;

    #[test]
    fn long_files_are_refused_unless_they_are_generated() {
        let long = "// A line.\n".repeat(LINES_OF_A_FILE + 1);
        assert_eq!(size(&planted("a/src/lib.rs", &long)).len(), 1);
        assert!(size(&planted("a/src/lib.rs", &long[11..])).is_empty());
        let generated = format!("// @{}\n{long}", "generated");
        assert!(size(&planted("a/src/lib.rs", &generated)).is_empty());
    }

    #[test]
    fn long_functions_are_refused_wherever_they_stand() {
        let body = "let _ = 1;\n".repeat(LINES_OF_A_FUNCTION - 1);
        for (before, after) in [
            ("", ""),
            ("impl A {\n", "}"),
            ("trait A {\n", "}"),
            ("mod m {\n", "}"),
        ] {
            let text = format!("{before}fn f() {{\n{body}}}\n{after}");
            assert_eq!(size(&planted("a/src/lib.rs", &text)).len(), 1, "{before}");
        }
        let text = format!(
            "fn f() {{\n{}}}\n",
            "let _ = 1;\n".repeat(LINES_OF_A_FUNCTION - 2)
        );
        assert!(size(&planted("a/src/lib.rs", &text)).is_empty());
    }

    #[test]
    fn loose_shapes_stay_in_adapters() {
        let text = "#[derive(Serialize)]\n#[serde(untagged)]\nenum A { B }\nstruct C { #[cfg_attr(x, serde(default, flatten))] d: D }";
        let lines: Vec<usize> = serde_shapes(&planted("sdk/client/src/lib.rs", text))
            .iter()
            .map(|f| f.line)
            .collect();
        assert_eq!(lines, [2, 4]);
        assert!(serde_shapes(&planted("services/orders/src/adapters/stored.rs", text)).is_empty());
        assert!(serde_shapes(&planted("a/src/lib.rs", "fn f() { x.into_iter().flatten(); }")).is_empty());
    }

    #[test]
    fn tests_do_not_sleep() {
        let sleeps = "async fn f() { tokio::time::sleep(D).await }";
        assert_eq!(sleeping_tests(&planted("tests/tests/e2e.rs", sleeps)).len(), 1);
        assert_eq!(sleeping_tests(&planted("a/tests/e2e/main.rs", sleeps)).len(), 1);
        let inside = "#[cfg(test)] mod tests { fn f() { std::thread::sleep(D); } }";
        assert_eq!(sleeping_tests(&planted("a/src/lib.rs", inside)).len(), 1);
        assert!(sleeping_tests(&planted("a/src/lib.rs", sleeps)).is_empty());
        assert!(sleeping_tests(&planted("tests/src/bin/load.rs", sleeps)).is_empty());
    }

    #[test]
    fn places_of_one_machine_are_refused() {
        for (start, end) in PLACES {
            let text = format!("first\nsee {start}{end}x");
            let findings = places(&Tree::planted(&[("docs/a.md", &text)]));
            assert_eq!(
                findings.iter().map(|finding| finding.line).collect::<Vec<_>>(),
                [2],
                "{text}"
            );
        }
        let inner = format!(
            "target{}{}x and ./a{}{}",
            PLACES[0].0, PLACES[0].1, PLACES[1].0, PLACES[1].1
        );
        assert!(places(&Tree::planted(&[("docs/a.md", &inner)])).is_empty());
        let locked = format!("{}{}", PLACES[8].0, PLACES[8].1);
        assert!(places(&Tree::planted(&[("sdk/client-ts/package-lock.json", &locked)])).is_empty());
    }
}
