//! What is run of a page, in order. Pure.

use super::page::{Block, Kind, Marker};

/// Something that is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it begins on the page.
    pub line: usize,
    /// What is run.
    pub command: String,
    /// What it has to say; `None` when the page does not tell.
    pub shown: Option<String>,
    /// Whether it may end with a failure, because the page looks at its exit code next.
    pub may_fail: bool,
}

/// The steps of a page: what has no marker.
///
/// # Errors
/// When a session does not begin with a command.
pub fn steps(blocks: &[Block]) -> Result<Vec<Step>, String> {
    let mut found: Vec<Step> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        match block.kind {
            Kind::Commands(None) | Kind::Hidden => found.push(Step {
                line: block.line,
                command: block.text.clone(),
                shown: blocks
                    .get(index + 1)
                    .filter(|next| next.kind == Kind::Output && next.follows)
                    .map(|next| next.text.clone()),
                may_fail: false,
            }),
            Kind::Session(None) => found.extend(session(block)?),
            Kind::Commands(Some(_)) | Kind::Session(Some(_)) | Kind::Output | Kind::Other => {}
        }
    }
    let looked_at: Vec<bool> = found
        .iter()
        .skip(1)
        .map(|next| next.command.trim() == "echo $?")
        .collect();
    for (step, may_fail) in found.iter_mut().zip(looked_at) {
        step.may_fail = may_fail;
    }
    Ok(found)
}

/// What is written of commands on a page, run or not, with the reason for not running it.
///
/// # Errors
/// As [`steps`].
pub fn written(blocks: &[Block]) -> Result<Vec<(usize, Option<Marker>, String)>, String> {
    let mut found = Vec::new();
    for block in blocks {
        match block.kind {
            Kind::Commands(marker) => found.push((block.line, marker, block.text.clone())),
            Kind::Hidden => found.push((block.line, None, block.text.clone())),
            Kind::Session(marker) => {
                let steps = session(block)?.into_iter();
                found.extend(steps.map(|step| (step.line, marker, step.command)));
            }
            Kind::Output | Kind::Other => {}
        }
    }
    Ok(found)
}

fn session(block: &Block) -> Result<Vec<Step>, String> {
    let mut found: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (number, line) in block.text.lines().enumerate() {
        if let Some(command) = line.strip_prefix("$ ") {
            found.push(Step {
                line: block.line + 1 + number,
                command: format!("{command}\n"),
                shown: Some(String::new()),
                may_fail: false,
            });
        } else if let Some(step) = found.last_mut() {
            let part = if goes_on {
                &mut step.command
            } else {
                step.shown.get_or_insert_default()
            };
            part.push_str(line);
            part.push('\n');
        } else {
            return Err(format!(
                "line {}: a session begins with `$ ` and a command",
                block.line
            ));
        }
        goes_on = found
            .last()
            .is_some_and(|step| step.shown.as_deref() == Some("") && line.ends_with('\\'));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::book::page::blocks;

    fn of(page: &str) -> Vec<Step> {
        steps(&blocks(page).expect("a page")).expect("steps")
    }

    #[test]
    fn commands_are_steps_with_what_they_say() {
        let found = of(
            "```sh\na\nb\n```\n\n```text\nsaid\n```\n\n```sh cluster\nc\n```\n<!-- sh\nd\n-->\nx\n\n```text\ny\n```\n",
        );
        let seen: Vec<_> = found
            .iter()
            .map(|step| (step.line, step.command.as_str(), step.shown.as_deref()))
            .collect();
        assert_eq!(seen, [(1, "a\nb\n", Some("said\n")), (13, "d\n", None)]);
    }

    #[test]
    fn a_session_is_a_step_for_each_command() {
        let found = of("```console\n$ a \\\n    b\none\n\ntwo\n$ c\n$ false\n$ echo $?\n1\n```\n");
        let seen: Vec<_> = found
            .iter()
            .map(|step| {
                (
                    step.line,
                    step.command.as_str(),
                    step.shown.as_deref(),
                    step.may_fail,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                (2, "a \\\n    b\n", Some("one\n\ntwo\n"), false),
                (7, "c\n", Some(""), false),
                (8, "false\n", Some(""), true),
                (9, "echo $?\n", Some("1\n"), false),
            ]
        );
    }
}
