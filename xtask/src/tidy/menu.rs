//! The Makefile is a menu: `make help` shows every target.

use super::Finding;
use super::tree::Tree;

const MAKEFILE: &str = "Makefile";

/// Targets that `make help` does not show, because they say nothing about themselves.
pub(crate) fn inspect(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(MAKEFILE) else {
        return Vec::new();
    };
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let target = target_of(line)?;
            let is_shown = line
                .split_once(" ## ")
                .is_some_and(|(_, words)| !words.trim().is_empty());
            (!is_shown).then(|| {
                let mend = format!("write the line as `{target}: ## what it does`");
                Finding::new(
                    MAKEFILE,
                    index + 1,
                    format!("`make help` does not show `{target}`"),
                    mend,
                )
            })
        })
        .collect()
}

/// The target that a line of a Makefile begins, special ones and assignments left out.
fn target_of(line: &str) -> Option<&str> {
    let (target, rest) = line.split_once(':')?;
    let is_name = !target.is_empty()
        && target
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    (is_name && !rest.starts_with(['=', ':'])).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_on_the_menu() {
        let text = ".PHONY: help a b\nX := 1\nhelp: ## This list\n\t@grep x: y\na: b ## Does a\n\ttrue\nb:\n\ttrue\n";
        let findings = inspect(&Tree::planted(&[(MAKEFILE, text)]));
        assert_eq!(
            findings.iter().map(|finding| finding.line).collect::<Vec<_>>(),
            [7]
        );
    }
}
