//! Changelogs in the form of Keep a Changelog: what a person writes under Unreleased becomes the section of a version.

use std::fmt;
use std::mem;

use jiff::civil::Date;
use semver::Version;
use serde::Serialize;

/// Of each service in its folder, and of the whole in the root.
pub(super) const CHANGELOG: &str = "CHANGELOG.md";
const UNRELEASED: &str = "Unreleased";

/// A changelog. What it says is kept to the letter, but for the section that something is moved to.
#[derive(Debug)]
pub(super) struct Changelog {
    /// What stands before the first section.
    head: String,
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    /// The line, such as `## 1.0.0 - 2026-11-22`.
    heading: String,
    body: String,
}

/// Entries of one kind, such as `### Added`.
#[derive(Debug)]
struct Group<'a> {
    /// The line; none of what stands before the first.
    heading: Option<&'a str>,
    text: String,
}

/// What a changelog has for a version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Whether the version has a section with an entry.
    pub(super) has_section: bool,
    /// Entries under Unreleased.
    pub(super) unreleased: usize,
}

/// What has to be done to a changelog before its version is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Due {
    Nothing,
    /// What is under Unreleased moves to the section of the version.
    Section,
    /// Somebody has to write what is new.
    Entries,
}

impl Told {
    /// What is under Unreleased once a version is published and has its section is about the version after it.
    pub(super) fn due(self, is_published: bool) -> Due {
        let Self {
            has_section,
            unreleased,
        } = self;
        match (has_section, unreleased) {
            (true, _) if is_published => Due::Nothing,
            (_, 1..) => Due::Section,
            (true, 0) => Due::Nothing,
            (false, 0) => Due::Entries,
        }
    }
}

impl Changelog {
    pub(super) fn parse(text: &str) -> Self {
        let mut changelog = Self {
            head: String::new(),
            sections: Vec::new(),
        };
        for line in text.split_inclusive('\n') {
            match changelog.sections.last_mut() {
                _ if line.starts_with("## ") => changelog.sections.push(Section {
                    heading: line.to_owned(),
                    body: String::new(),
                }),
                Some(section) => section.body.push_str(line),
                None => changelog.head.push_str(line),
            }
        }
        changelog
    }

    pub(super) fn told(&self, version: &Version) -> Told {
        let entries = |title: &str| self.section(title).map_or(0, |at| self.sections[at].entries());
        Told {
            has_section: entries(&version.to_string()) > 0,
            unreleased: entries(UNRELEASED),
        }
    }

    /// Moves what is under Unreleased to the section of a version, which is made if there is none, and dates it.
    pub(super) fn release(&mut self, version: &Version, date: Date) {
        let Some(unreleased) = self.section(UNRELEASED) else {
            return;
        };
        let news = mem::replace(&mut self.sections[unreleased].body, "\n".to_owned());
        let heading = format!("## {version} - {date}\n");
        match self.section(&version.to_string()) {
            Some(at) => {
                let section = &mut self.sections[at];
                section.heading = heading;
                section.body = merged(&section.body, &news);
            }
            None => {
                let body = news;
                self.sections.insert(unreleased + 1, Section { heading, body });
            }
        }
    }

    fn section(&self, title: &str) -> Option<usize> {
        self.sections.iter().position(|section| section.title() == title)
    }
}

impl fmt::Display for Changelog {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.head)?;
        for Section { heading, body } in &self.sections {
            write!(formatter, "{heading}{body}")?;
        }
        Ok(())
    }
}

impl Section {
    /// The heading without its date, and without the brackets of a link.
    fn title(&self) -> &str {
        let word = self.heading.split_whitespace().nth(1).unwrap_or_default();
        word.trim_start_matches('[').trim_end_matches(']')
    }

    fn entries(&self) -> usize {
        let is_entry = |line: &&str| line.starts_with("- ") || line.starts_with("* ");
        self.body.lines().filter(is_entry).count()
    }
}

/// A section's body with news at the end of the groups that they belong to.
fn merged(body: &str, news: &str) -> String {
    let mut all = groups(body);
    for Group { heading, text } in groups(news) {
        match all.iter_mut().find(|known| known.heading == heading) {
            Some(known) if !known.text.is_empty() => known.text = format!("{}\n{text}", known.text),
            Some(known) => known.text = text,
            None => all.push(Group { heading, text }),
        }
    }
    let mut merged = String::new();
    for Group { heading, text } in all {
        for part in heading.into_iter().chain([text.as_str()]) {
            if !part.is_empty() {
                merged.push('\n');
                merged.push_str(part);
                merged.push('\n');
            }
        }
    }
    // Where another section follows.
    if body.ends_with("\n\n") {
        merged.push('\n');
    }
    merged
}

fn groups(body: &str) -> Vec<Group<'_>> {
    let mut groups = vec![Group {
        heading: None,
        text: String::new(),
    }];
    for line in body.lines() {
        if line.starts_with("### ") {
            groups.push(Group {
                heading: Some(line),
                text: String::new(),
            });
        } else if let Some(group) = groups.last_mut() {
            group.text.push_str(line);
            group.text.push('\n');
        }
    }
    for group in &mut groups {
        group.text = group.text.trim_matches('\n').to_owned();
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# Changelog\n\nIts form.\n\n## Unreleased\n\n### Added\n\n- Refunds,\n  in part.\n- Search.\n\n\
        ### Fixed\n\n- A leak.\n\n## [1.0.0] - 2026-01-02\n\n### Added\n\n- Everything.\n";

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    fn released(text: &str, number: &str) -> String {
        let mut changelog = Changelog::parse(text);
        changelog.release(&version(number), jiff::civil::date(2026, 3, 4));
        changelog.to_string()
    }

    #[test]
    fn what_is_not_moved_is_kept_to_the_letter() {
        for text in [
            "",
            "# Changelog",
            "## Unreleased",
            BEFORE,
            "\n\n## 1.0.0\n\n\n- a\n\n\n",
        ] {
            assert_eq!(Changelog::parse(text).to_string(), text);
        }
    }

    #[test]
    fn it_is_told_apart_what_a_version_has() {
        let told = |text: &str, number: &str| {
            let Told {
                has_section,
                unreleased,
            } = Changelog::parse(text).told(&version(number));
            (has_section, unreleased)
        };
        assert_eq!(told(BEFORE, "1.0.0"), (true, 3));
        assert_eq!(told(BEFORE, "1.1.0"), (false, 3));
        assert_eq!(told("", "1.0.0"), (false, 0));
        assert_eq!(
            told("## Unreleased\n\n### Added\n\n## 1.0.0\n\nSoon.\n", "1.0.0"),
            (false, 0)
        );
    }

    #[test]
    fn what_is_unreleased_becomes_the_section_of_the_version() {
        let expected = "# Changelog\n\nIts form.\n\n## Unreleased\n\n## 1.1.0 - 2026-03-04\n\n### Added\n\n- Refunds,\n  in part.\n\
            - Search.\n\n### Fixed\n\n- A leak.\n\n## [1.0.0] - 2026-01-02\n\n### Added\n\n- Everything.\n";
        assert_eq!(released(BEFORE, "1.1.0"), expected);
    }

    #[test]
    fn a_section_that_is_there_takes_it_in_by_kind() {
        let expected = "# Changelog\n\nIts form.\n\n## Unreleased\n\n## 1.0.0 - 2026-03-04\n\n### Added\n\n- Everything.\n\
            - Refunds,\n  in part.\n- Search.\n\n### Fixed\n\n- A leak.\n";
        assert_eq!(released(BEFORE, "1.0.0"), expected);
        let followed = "## Unreleased\n\n- b\n\n## 1.1.0 - 2026-03-01\n\n- a\n\n## 1.0.0\n";
        let expected = "## Unreleased\n\n## 1.1.0 - 2026-03-04\n\n- a\n- b\n\n## 1.0.0\n";
        assert_eq!(released(followed, "1.1.0"), expected);
    }

    #[test]
    fn what_is_due_depends_on_what_is_written_and_published() {
        let due = |has_section, unreleased, is_published| {
            let told = Told {
                has_section,
                unreleased,
            };
            told.due(is_published)
        };
        assert_eq!(due(false, 0, false), Due::Entries);
        assert_eq!(due(false, 0, true), Due::Entries);
        assert_eq!(due(false, 2, false), Due::Section);
        assert_eq!(due(false, 2, true), Due::Section);
        assert_eq!(due(true, 0, false), Due::Nothing);
        assert_eq!(due(true, 2, false), Due::Section);
        // They are about the next version.
        assert_eq!(due(true, 2, true), Due::Nothing);
    }
}
