//! Links that lead out of the folder of pages. In the book a page of the repository's root lies beside the others, and
//! what is no page is at the forge.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::markdown;
use crate::tidy::Tree;

/// The folder with the book's pages, with the `/`.
const PAGES: &str = "docs/";
/// What the paths of chapters are relative to.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Where each page of the book is: from its path in the repository to its path in the book.
type Places = BTreeMap<String, String>;

/// Moves the pages from outside into the book, and has every link lead to where its target is seen from there.
pub(crate) fn correct(book: &mut Value, tree: &Tree) -> Result<()> {
    let forge = forge(tree).context("the root manifest names no repository")?;
    let mut places = Places::new();
    each_chapter(book, &mut |path, _| {
        if let Some(source) = markdown::joined(SUMMARY, path) {
            places.insert(source.clone(), place(&source));
        }
    });
    each_chapter(book, &mut |path, content| {
        let Some(source) = markdown::joined(SUMMARY, path) else {
            return;
        };
        *content = corrected(content, &source, &places, tree, &forge);
        *path = within(&source);
    });
    Ok(())
}

/// Calls with path and content of each chapter that has a page.
fn each_chapter(value: &mut Value, call: &mut impl FnMut(&mut String, &mut String)) {
    match value {
        Value::Object(fields) => {
            let mut page = ["path", "content"].map(|name| fields.get_mut(name).map(Value::take));
            if let [Some(Value::String(path)), Some(Value::String(content))] = &mut page {
                call(path, content);
            }
            for (name, field) in ["path", "content"].into_iter().zip(page) {
                if let (Some(slot), Some(field)) = (fields.get_mut(name), field) {
                    *slot = field;
                }
            }
            fields.values_mut().for_each(|field| each_chapter(field, call));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_chapter(item, call)),
        _ => {}
    }
}

/// Where a file of the repository is among the book's files.
fn within(source: &str) -> String {
    source.strip_prefix(PAGES).unwrap_or(source).to_owned()
}

/// Where links find a page: mdBook makes each README the index of its folder.
fn place(source: &str) -> String {
    let within = within(source);
    match within.strip_suffix("README.md") {
        Some(folder) if folder.is_empty() || folder.ends_with('/') => format!("{folder}index.md"),
        _ => within,
    }
}

fn corrected(content: &str, source: &str, places: &Places, tree: &Tree, forge: &str) -> String {
    let mut text = String::with_capacity(content.len());
    let mut done = 0;
    for range in markdown::targets(content) {
        let target = &content[range.clone()];
        if let Some((file, fragment)) = markdown::path_and_fragment(target)
            && let Some(wanted) = markdown::joined(source, file)
        {
            text.push_str(&content[done..range.start]);
            text.push_str(&seen_from(source, &wanted, places, tree, forge));
            text.push_str(fragment);
            done = range.end;
        }
    }
    text.push_str(&content[done..]);
    text
}

/// The link from one page to a file of the repository.
fn seen_from(source: &str, wanted: &str, places: &Places, tree: &Tree, forge: &str) -> String {
    // What is no page but lies among them, such as a picture, is copied into the book.
    let is_copied = wanted.starts_with(PAGES) && tree.is_file(wanted) && !wanted.ends_with(".md");
    let here = match places.get(wanted) {
        Some(place) => place.clone(),
        None if is_copied => within(wanted),
        None => {
            let kind = if tree.is_file(wanted) { "blob" } else { "tree" };
            return format!("{forge}/{kind}/main/{wanted}");
        }
    };
    let depth = within(source).matches('/').count();
    format!("{}{here}", "../".repeat(depth))
}

/// The repository's address.
fn forge(tree: &Tree) -> Option<String> {
    let manifest: toml::Table = tree.text("Cargo.toml")?.parse().ok()?;
    let package = manifest.get("workspace")?.get("package")?;
    Some(package.get("repository")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn book() -> Value {
        let chapter = |path: &str, content: &str, below: Value| json!({"Chapter": {"name": "x", "content": content, "path": path, "source_path": path, "sub_items": below}});
        let inner =
            "[up](../a.md#part) [root](../../ARCHITECTURE.md) [code](../../cli/src/main.rs) [all](../../cli)";
        let outer =
            "[a](docs/a.md) [why](docs/adr/README.md) ![p](docs/pictures/p.png) [there](https://example.org)";
        json!({"items": [
            {"PartTitle": "Tutorials"},
            chapter("../ARCHITECTURE.md", outer, json!([])),
            chapter("a.md", "[why](adr/README.md) `[x](../cli)`", json!([])),
            chapter("adr/README.md", "", json!([chapter("adr/0001.md", inner, json!([]))])),
        ]})
    }

    fn tree() -> Tree {
        Tree::planted(&[
            (
                "Cargo.toml",
                "[workspace.package]\nrepository = \"https://forge.example/b\"\n",
            ),
            ("cli/src/main.rs", ""),
            ("docs/pictures/p.png", ""),
        ])
    }

    #[test]
    fn links_lead_to_pages_of_the_book_or_to_the_forge() {
        let mut book = book();
        correct(&mut book, &tree()).unwrap();
        let chapter = |at: &str| book.pointer(at).unwrap().clone();
        assert_eq!(chapter("/items/1/Chapter/path"), "ARCHITECTURE.md");
        assert_eq!(
            chapter("/items/1/Chapter/content"),
            "[a](a.md) [why](adr/index.md) ![p](pictures/p.png) [there](https://example.org)"
        );
        assert_eq!(
            chapter("/items/2/Chapter/content"),
            "[why](adr/index.md) `[x](../cli)`"
        );
        assert_eq!(chapter("/items/3/Chapter/path"), "adr/README.md");
        assert_eq!(
            chapter("/items/3/Chapter/sub_items/0/Chapter/content"),
            "[up](../a.md#part) [root](../ARCHITECTURE.md) [code](https://forge.example/b/blob/main/cli/src/main.rs) \
             [all](https://forge.example/b/tree/main/cli)"
        );
    }
}
