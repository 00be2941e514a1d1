//! The paths that a file's code mentions: in `use` declarations, expressions, types and inside macros, but not in
//! comments and strings. Groups are spread out, `self` and `super` are resolved.

use std::ops::Range;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use super::rust_files::RustFile;

/// One path, as `["crate", "domain", "Order"]`; a name alone is a path of one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// Below `#[cfg(test)]` or `#[test]`.
    pub(crate) in_test: bool,
    /// Followed by arguments.
    pub(crate) called: bool,
    /// Directly after `use` or `extern crate`.
    pub(crate) imported: bool,
}

impl Mention {
    /// Whether the path begins with this one, such as `std::time::Instant` or `crate::app`. A crate's name alone
    /// counts only where it is imported: elsewhere it may be a variable.
    pub(crate) fn is_below(&self, prefix: &str) -> bool {
        let prefix: Vec<&str> = prefix.split("::").collect();
        let long_enough = self.path.len() > 1 || self.imported;
        long_enough && self.path.len() >= prefix.len() && self.path.iter().zip(&prefix).all(|(a, b)| a == b)
    }

    /// Whether these names stand side by side in the path.
    pub(crate) fn contains(&self, names: &[&str]) -> bool {
        self.path
            .windows(names.len())
            .any(|part| part.iter().zip(names).all(|(a, b)| a == b))
    }
}

/// Every path in the file.
pub(crate) fn of(file: &RustFile) -> Vec<Mention> {
    let mut walk = Walk {
        mentions: Vec::new(),
        module: file.module(),
    };
    walk.tokens(file.tokens.clone(), file.is_test_code());
    walk.mentions
}

struct Walk {
    mentions: Vec<Mention>,
    module: Vec<String>,
}

impl Walk {
    fn tokens(&mut self, stream: TokenStream, in_test: bool) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        let mut index = 0;
        let mut item_is_test = false;
        while index < tokens.len() {
            match &tokens[index] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    if let Some(TokenTree::Group(group)) = tokens.get(index + 1) {
                        item_is_test |= marks_test(group);
                    }
                    index += 1;
                }
                TokenTree::Punct(punct) => {
                    item_is_test &= punct.as_char() != ';';
                    index += 1;
                }
                TokenTree::Group(group) => {
                    self.group(group, inline_module(&tokens[..index]), in_test || item_is_test);
                    item_is_test &= group.delimiter() != Delimiter::Brace;
                    index += 1;
                }
                TokenTree::Ident(ident) => {
                    let imported = index > 0 && is_import(&tokens[..index]);
                    let end = self.path(
                        &tokens,
                        index..tokens.len(),
                        &[],
                        in_test || item_is_test,
                        imported,
                    );
                    // A `use` of a group has no name of its own, so an item can end only behind the path.
                    debug_assert!(end > index, "{ident} is a path of one at least");
                    index = end;
                }
                TokenTree::Literal(_) => index += 1,
            }
        }
    }

    fn group(&mut self, group: &Group, module: Option<String>, in_test: bool) {
        let depth = self.module.len();
        self.module.extend(module);
        self.tokens(group.stream(), in_test);
        self.module.truncate(depth);
    }

    /// Takes the path that begins at `range.start`, and says where the tokens after it begin.
    fn path(
        &mut self,
        tokens: &[TokenTree],
        range: Range<usize>,
        prefix: &[String],
        in_test: bool,
        imported: bool,
    ) -> usize {
        let mut path = prefix.to_vec();
        let mut index = range.start;
        let line = tokens[index].span().start().line;
        loop {
            match tokens.get(index) {
                Some(TokenTree::Ident(ident)) => path.push(name_of(ident)),
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => path.push("*".into()),
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    self.spread(group, &path, in_test);
                    return index + 1;
                }
                _ => break,
            }
            index += 1;
            if !(is_colon(tokens.get(index))
                && is_colon(tokens.get(index + 1))
                && continues(tokens.get(index + 2)))
            {
                break;
            }
            index += 2;
        }
        let called = matches!(tokens.get(index), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
        self.mentions.push(Mention {
            path: self.resolved(path),
            line,
            in_test,
            called,
            imported,
        });
        index
    }

    /// The parts of `prefix::{a, b::c}`.
    fn spread(&mut self, group: &Group, prefix: &[String], in_test: bool) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        let mut index = 0;
        while index < tokens.len() {
            if matches!(&tokens[index], TokenTree::Punct(punct) if punct.as_char() != '*') {
                index += 1;
                continue;
            }
            index = self
                .path(&tokens, index..tokens.len(), prefix, in_test, true)
                .max(index + 1);
            // What follows up to the comma is `as name`.
            while index < tokens.len()
                && !matches!(&tokens[index], TokenTree::Punct(comma) if comma.as_char() == ',')
            {
                index += 1;
            }
        }
    }

    fn resolved(&self, path: Vec<String>) -> Vec<String> {
        if path.len() < 2 || !matches!(path[0].as_str(), "self" | "super") {
            return path;
        }
        let mut module = self.module.clone();
        let mut rest = &path[..];
        while let [first, others @ ..] = rest {
            match first.as_str() {
                "self" => {}
                "super" => {
                    module.pop();
                }
                _ => break,
            }
            rest = others;
        }
        [vec!["crate".to_owned()], module, rest.to_vec()].concat()
    }
}

fn name_of(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

fn is_colon(token: Option<&TokenTree>) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':')
}

/// Whether a path goes on with this token after `::`; `<` begins a turbofish and ends it.
fn continues(token: Option<&TokenTree>) -> bool {
    match token {
        Some(TokenTree::Ident(_)) => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == '*',
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}

fn is_import(before: &[TokenTree]) -> bool {
    let keyword = before.iter().rev().find(|token| !is_colon(Some(*token)));
    matches!(keyword, Some(TokenTree::Ident(ident)) if ident == "use" || ident == "crate")
}

/// The name, where the tokens end with `mod name`.
fn inline_module(before: &[TokenTree]) -> Option<String> {
    match before {
        [.., TokenTree::Ident(keyword), TokenTree::Ident(name)] if keyword == "mod" => Some(name_of(name)),
        _ => None,
    }
}

/// `[cfg(test)]`, `[test]`, `[tokio::test(…)]`.
fn marks_test(attribute: &Group) -> bool {
    let names = names_in(attribute.stream());
    match names.first().map(String::as_str) {
        Some("cfg") => names.iter().any(|name| name == "test") && !names.iter().any(|name| name == "not"),
        Some("cfg_attr") => false,
        Some(_) => names.iter().any(|name| name == "test"),
        None => false,
    }
}

/// Every name in the tokens, at any depth.
pub(crate) fn names_in(stream: TokenStream) -> Vec<String> {
    let mut names = Vec::new();
    for token in stream {
        match token {
            TokenTree::Ident(ident) => names.push(name_of(&ident)),
            TokenTree::Group(group) => names.extend(names_in(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::rust_files::planted;
    use super::*;

    fn paths(path: &str, text: &str) -> Vec<String> {
        of(&planted(path, text))
            .into_iter()
            .map(|mention| mention.path.join("::"))
            .collect()
    }

    #[test]
    fn groups_are_spread_out() {
        let found = paths(
            "a/src/lib.rs",
            "use crate::{app::{self, Order}, http::*, events as bus};",
        );
        for path in [
            "crate::app::self",
            "crate::app::Order",
            "crate::http::*",
            "crate::events",
        ] {
            assert!(found.contains(&path.to_owned()), "{path} is not in {found:?}");
        }
    }

    #[test]
    fn relative_paths_are_resolved() {
        let text = "fn f() { super::super::http::g(); } mod inner { use super::sibling; }";
        let found = paths("a/src/app/place.rs", text);
        assert!(found.contains(&"crate::http::g".to_owned()), "{found:?}");
        assert!(
            found.contains(&"crate::app::place::sibling".to_owned()),
            "{found:?}"
        );
    }

    #[test]
    fn macros_are_looked_into_and_strings_are_not() {
        let found = paths(
            "a/src/lib.rs",
            "fn f() { println!(\"axum::x\", tokio::y()); /* axum::x */ }",
        );
        assert!(found.contains(&"tokio::y".to_owned()), "{found:?}");
        assert!(!found.iter().any(|path| path.starts_with("axum")), "{found:?}");
    }

    #[test]
    fn test_code_is_told_from_the_rest() {
        let text = "#[cfg(test)] use a::a; fn f() { b::b(); } #[cfg(test)] mod tests { fn g() { c::c(); } } \
                    #[tokio::test] async fn t() { d::d(); } #[cfg(not(test))] fn n() { e::e(); }";
        let in_test: Vec<(String, bool)> = of(&planted("a/src/lib.rs", text))
            .into_iter()
            .filter(|mention| mention.path.len() == 2 && mention.path[0] == mention.path[1])
            .map(|mention| (mention.path[0].clone(), mention.in_test))
            .collect();
        let expected = [("a", true), ("b", false), ("c", true), ("d", true), ("e", false)];
        assert_eq!(in_test, expected.map(|(name, test)| (name.to_owned(), test)));
    }

    #[test]
    fn a_name_alone_counts_only_where_it_is_imported() {
        let mentions = of(&planted(
            "a/src/lib.rs",
            "use tokio as runtime; fn f(tokio: u8) { g(tokio) }",
        ));
        assert_eq!(
            mentions
                .iter()
                .filter(|mention| mention.is_below("tokio"))
                .count(),
            1
        );
    }
}
