//! The links of a Markdown page, and where they lead.

use std::ops::Range;

/// The targets of `[text](target)` and `[name]: target`, as ranges of the text; code is left out.
pub(crate) fn targets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut in_fence = false;
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            in_fence = !in_fence;
        } else if !in_fence {
            found.extend(
                of_line(line)
                    .into_iter()
                    .map(|at| begin + at.start..begin + at.end),
            );
        }
        begin += line.len();
    }
    found
}

fn of_line(line: &str) -> Vec<Range<usize>> {
    let is_code = |at: usize| line[..at].matches('`').count() % 2 == 1;
    let mut found: Vec<Range<usize>> = line
        .match_indices("](")
        .filter(|(at, _)| !is_code(*at))
        .filter_map(|(at, opening)| {
            let begin = at + opening.len();
            let length = line[begin..].find([')', ' '])?;
            Some(begin..begin + length)
        })
        .collect();
    if line.trim_start().starts_with('[')
        && let Some((name, target)) = line.split_once("]: ")
        && !is_code(name.len())
        && let Some(word) = target.split_whitespace().next()
    {
        let begin = name.len() + "]: ".len() + (target.len() - target.trim_start().len());
        found.push(begin..begin + word.len());
    }
    found
}

/// The path of a link within its site, and its fragment with the `#`; `None` for links that lead elsewhere or stay on the page.
pub(crate) fn path_and_fragment(target: &str) -> Option<(&str, &str)> {
    let target = target.trim_matches(['<', '>']);
    let (path, fragment) = target.split_at(target.find(['#', '?']).unwrap_or(target.len()));
    let is_elsewhere = path.is_empty() || path.contains(':') || path.starts_with("//");
    (!is_elsewhere).then_some((path, fragment))
}

/// The path from the root of what a page links to; `None` when it leads out of the root.
pub(crate) fn joined(page: &str, link: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        targets(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn links_are_found_outside_of_code() {
        assert_eq!(
            found("see [a](a.md) and\n[b](b.md#x \"title\")\n"),
            ["a.md", "b.md#x"]
        );
        assert_eq!(found("[name]: c.md\n"), ["c.md"]);
        assert_eq!(found("`[x](gone)` [y](there) `z`"), ["there"]);
        assert!(found("```\n[x](gone.md)\n```\n").is_empty());
    }

    #[test]
    fn links_elsewhere_have_no_path_here() {
        assert_eq!(path_and_fragment("a/b.md#part"), Some(("a/b.md", "#part")));
        for elsewhere in ["https://example.org/x", "//example.org", "mailto:a@b.c", "#part"] {
            assert_eq!(path_and_fragment(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn links_are_relative_to_the_page_that_has_them() {
        assert_eq!(joined("docs/a.md", "../README.md").as_deref(), Some("README.md"));
        assert_eq!(
            joined("docs/adr/a.md", "./b.md").as_deref(),
            Some("docs/adr/b.md")
        );
        assert_eq!(joined("docs/a.md", "/charts/x/").as_deref(), Some("charts/x"));
        assert_eq!(joined("docs/a.md", "../../outside.md"), None);
    }
}
