//! Names of modules, and that every file belongs to a crate.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, ItemMod};
use toml::{Table, Value};

use super::Finding;
use super::rust_files::RustFile;
use super::tree::Tree;

const NAMELESS: [&str; 6] = ["util", "utils", "common", "helper", "helpers", "misc"];

/// `mod.rs`, and modules whose name says nothing.
pub(crate) fn forbidden_names(tree: &Tree, files: &[RustFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in tree.paths().filter(|path| path.ends_with(".rs")) {
        if path.ends_with("/mod.rs") {
            let mend = "rename `foo/mod.rs` to `foo.rs` beside the folder `foo`";
            findings.push(Finding::new(path, 1, "a file named mod.rs", mend));
        }
        let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        if let Some(name) = parts.iter().find(|part| NAMELESS.contains(part)) {
            findings.push(nameless(path, 1, name));
        }
    }
    for file in files {
        for module in inline_modules(&file.syntax.items) {
            let name = module.ident.to_string();
            if NAMELESS.contains(&name.as_str()) {
                findings.push(nameless(&file.path, module.ident.span().start().line, &name));
            }
        }
    }
    findings
}

fn nameless(path: &str, line: usize, name: &str) -> Finding {
    let mend = "name it after what it holds, or move each part to where it is used";
    Finding::new(
        path,
        line,
        format!("`{name}` says nothing about what is in it"),
        mend,
    )
}

/// Modules with a body, at any depth.
fn inline_modules(items: &[Item]) -> Vec<&ItemMod> {
    let mut modules = Vec::new();
    for item in items {
        if let Item::Mod(module) = item
            && let Some((_, inner)) = &module.content
        {
            modules.push(module);
            modules.extend(inline_modules(inner));
        }
    }
    modules
}

/// Files that no `mod` declaration leads to, so that no compiler ever sees them.
pub(crate) fn unreachable_files(tree: &Tree, files: &[RustFile]) -> Vec<Finding> {
    let by_path: BTreeMap<&str, &RustFile> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let roots = crate_roots(tree);
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<String> = by_path
        .keys()
        .filter(|path| roots.contains(**path))
        .map(|p| (*p).to_owned())
        .collect();
    while let Some(path) = open.pop() {
        let Some(file) = by_path.get(path.as_str()) else {
            continue;
        };
        if reached.insert(path.clone()) {
            declared_files(
                &file.syntax.items,
                &folder_of_children(&path, roots.contains(&path)),
                &mut open,
            );
        }
    }
    by_path
        .keys()
        .filter(|path| !reached.contains(**path))
        .map(|path| {
            let mend = "declare it with `mod` in the module above it, or delete it";
            Finding::new(path, 1, "no `mod` declaration leads to this file", mend)
        })
        .collect()
}

/// The files that cargo starts from: the usual ones of each package, and those that its manifest names.
fn crate_roots(tree: &Tree) -> BTreeSet<String> {
    let mut roots = BTreeSet::new();
    for (path, text) in tree.texts("Cargo.toml") {
        let table = text.parse::<Table>().unwrap_or_default();
        if !table.contains_key("package") {
            continue;
        }
        let folder = path.trim_end_matches("Cargo.toml");
        roots.extend(["src/lib.rs", "src/main.rs", "build.rs"].map(|root| format!("{folder}{root}")));
        roots.extend(paths_in(&table).map(|root| format!("{folder}{root}")));
        for several in ["src/bin/", "tests/", "benches/", "examples/"] {
            let prefix = format!("{folder}{several}");
            roots.extend(
                tree.paths()
                    .filter(|path| {
                        path.strip_prefix(&prefix).is_some_and(|rest| {
                            rest.ends_with(".rs")
                                && (!rest.contains('/')
                                    || rest.split_once('/').is_some_and(|(_, f)| f == "main.rs"))
                        })
                    })
                    .map(str::to_owned),
            );
        }
    }
    roots
}

/// What `[lib]`, `[[bin]]` and the like say in `path`, and `package.build`.
fn paths_in(manifest: &Table) -> impl Iterator<Item = &str> {
    let lib = manifest.get("lib").and_then(|lib| lib.get("path"));
    let build = manifest.get("package").and_then(|package| package.get("build"));
    let targets = ["bin", "test", "bench", "example"]
        .into_iter()
        .filter_map(|kind| manifest.get(kind)?.as_array())
        .flatten()
        .filter_map(|target| target.get("path"));
    lib.into_iter()
        .chain(build)
        .chain(targets)
        .filter_map(Value::as_str)
}

fn folder_of_children(path: &str, is_root: bool) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if is_root || name == "mod.rs" {
        folder.to_owned()
    } else {
        path.trim_end_matches(".rs").to_owned()
    }
}

fn declared_files(items: &[Item], folder: &str, into: &mut Vec<String>) {
    for item in items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let name = name.trim_start_matches("r#");
        match &module.content {
            Some((_, inner)) => declared_files(inner, &format!("{folder}/{name}"), into),
            None => into.extend([format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rust_files::parse_all;
    use super::*;

    fn tree_with(files: &[(&'static str, &'static str)]) -> Tree {
        let manifest = (
            "a/Cargo.toml",
            "[package]\nname = \"a\"\n[[bin]]\nname = \"odd\"\npath = \"src/odd/start.rs\"",
        );
        Tree::planted(&[&[manifest], files].concat())
    }

    fn refused_names(files: &[(&'static str, &'static str)]) -> Vec<String> {
        let tree = tree_with(files);
        forbidden_names(&tree, &parse_all(&tree).0)
            .into_iter()
            .map(|finding| finding.path)
            .collect()
    }

    fn unreached(files: &[(&'static str, &'static str)]) -> Vec<String> {
        let tree = tree_with(files);
        unreachable_files(&tree, &parse_all(&tree).0)
            .into_iter()
            .map(|finding| finding.path)
            .collect()
    }

    #[test]
    fn no_file_is_named_mod_rs() {
        assert_eq!(refused_names(&[("a/src/b/mod.rs", "")]), ["a/src/b/mod.rs"]);
        assert!(refused_names(&[("a/src/b.rs", "")]).is_empty());
    }

    #[test]
    fn modules_say_what_they_hold() {
        assert_eq!(refused_names(&[("a/src/utils.rs", "")]).len(), 1);
        assert_eq!(refused_names(&[("a/tests/common/server.rs", "")]).len(), 1);
        assert_eq!(
            refused_names(&[("a/src/lib.rs", "mod outer { mod helpers { } }")]).len(),
            1
        );
        assert!(refused_names(&[("a/src/commonwealth.rs", "")]).is_empty());
    }

    #[test]
    fn every_file_belongs_to_a_crate() {
        let lib = ("a/src/lib.rs", "mod b; mod inline { mod d; }");
        assert_eq!(
            unreached(&[lib, ("a/src/b.rs", "mod c;"), ("a/src/c.rs", "")]),
            ["a/src/c.rs"]
        );
        let all = [
            lib,
            ("a/src/b.rs", "mod c;"),
            ("a/src/b/c.rs", ""),
            ("a/src/inline/d.rs", ""),
        ];
        assert!(unreached(&all).is_empty());
        assert_eq!(
            unreached(&[("a/tests/e2e/orders.rs", "")]),
            ["a/tests/e2e/orders.rs"]
        );
    }

    #[test]
    fn cargo_starts_from_more_than_lib_and_main() {
        let roots = [
            ("a/build.rs", ""),
            ("a/src/bin/one.rs", ""),
            ("a/src/bin/two/main.rs", "mod part;"),
            ("a/src/bin/two/part.rs", ""),
            ("a/tests/e2e.rs", ""),
            ("a/tests/faults/main.rs", "mod power;"),
            ("a/tests/faults/power.rs", ""),
            ("a/src/odd/start.rs", ""),
        ];
        assert!(unreached(&roots).is_empty());
    }
}
