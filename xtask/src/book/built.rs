//! The book as a browser gets it: whether each link leads somewhere, to the fragment too, and whether it does without the
//! network.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::markdown::{joined, path_and_fragment};

/// Pages that mdBook makes of the others: what is wrong in them is wrong there.
const MADE_OF_OTHERS: [&str; 3] = ["print.html", "toc.html", "404.html"];

/// The files of a built book, with the texts of its pages.
#[derive(Debug, Default)]
pub(crate) struct Site {
    files: BTreeSet<String>,
    pages: BTreeMap<String, String>,
}

/// Something that a reader would stumble over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    page: String,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.page, self.what)
    }
}

impl Site {
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut site = Self::default();
        site.add(folder, "")?;
        Ok(site)
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                self.add(&entry.path(), &format!("{path}/"))?;
                continue;
            }
            if path.ends_with(".html") && !MADE_OF_OTHERS.contains(&path.as_str()) {
                let text = fs::read_to_string(entry.path()).with_context(|| path.clone())?;
                self.pages.insert(path.clone(), text);
            }
            self.files.insert(path);
        }
        Ok(())
    }

    /// How many pages there are.
    pub(crate) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Links that lead nowhere, and what would be loaded from elsewhere.
    pub(crate) fn inspect(&self) -> Vec<Finding> {
        let anchors: BTreeMap<&str, BTreeSet<&str>> = self
            .pages
            .iter()
            .map(|(path, text)| (path.as_str(), attributes(text, "id").collect()))
            .collect();
        let mut findings = Vec::new();
        for (page, text) in &self.pages {
            let mut say = |what| {
                findings.push(Finding {
                    page: page.clone(),
                    what,
                });
            };
            for link in attributes(text, "href").chain(attributes(text, "src")) {
                if let Some(what) = dead(page, link, &self.files, &anchors) {
                    say(what);
                }
            }
            for source in attributes(text, "src").filter(|source| source.contains("//")) {
                say(format!("`{source}` is loaded from elsewhere"));
            }
        }
        findings
    }
}

fn dead(
    page: &str,
    link: &str,
    files: &BTreeSet<String>,
    anchors: &BTreeMap<&str, BTreeSet<&str>>,
) -> Option<String> {
    let (file, fragment) = match link.strip_prefix('#') {
        Some(fragment) => (page.to_owned(), fragment),
        None => {
            let (path, fragment) = path_and_fragment(link)?;
            let file = joined(page, path).filter(|file| files.contains(file));
            let Some(file) = file else {
                return Some(format!("the link to `{link}` leads nowhere"));
            };
            (file, fragment.strip_prefix('#').unwrap_or_default())
        }
    };
    let is_there = anchors
        .get(file.as_str())
        .is_none_or(|anchors| anchors.contains(fragment));
    (!fragment.is_empty() && !is_there).then(|| format!("{file} has no part `{fragment}`"))
}

/// The values of an attribute. In the text of a page quotation marks are written as entities, so only tags have these.
fn attributes<'a>(html: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let opening = format!(" {name}=\"");
    let mut rest = html;
    std::iter::from_fn(move || {
        let begin = rest.find(&opening)? + opening.len();
        let (value, after) = rest[begin..].split_once('"')?;
        rest = after;
        Some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let other = "<h2 id=\"part\">Part</h2>";
        let pages =
            [("a.html", page), ("deep/b.html", other)].map(|(path, text)| (path.to_owned(), text.to_owned()));
        let site = Site {
            files: ["a.html", "deep/b.html", "pictures/p.png"]
                .map(str::to_owned)
                .into(),
            pages: pages.into(),
        };
        site.inspect().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_lead_to_pages_and_their_parts() {
        let fine = "<i id=\"x\"></i><a href=\"#x\"></a><a href=\"deep/b.html#part\"></a><img src=\"pictures/p.png\">\
                    <a href=\"https://example.org/y#z\"></a>";
        assert!(found(fine).is_empty(), "{:?}", found(fine));
        assert_eq!(
            found("<a href=\"gone.html\">"),
            ["a.html: the link to `gone.html` leads nowhere"]
        );
        assert_eq!(
            found("<a href=\"deep/b.html#gone\">"),
            ["a.html: deep/b.html has no part `gone`"]
        );
        assert_eq!(found("<a href=\"#gone\">"), ["a.html: a.html has no part `gone`"]);
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let loaded = found("<script src=\"https://example.org/s.js\"></script>");
        assert_eq!(
            loaded,
            ["a.html: `https://example.org/s.js` is loaded from elsewhere"]
        );
    }
}
