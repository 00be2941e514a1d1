//! Whether a command said what the page shows. Ids, times, durations and numbers of processes are others on each run; a
//! line of `...` on the page stands for any lines. Pure.

use jiff::Timestamp;

/// Compares what the page shows with what was said.
///
/// # Errors
/// With both, when they differ.
pub fn compare(shown: &str, said: &str) -> Result<(), String> {
    let lines = |text: &str| -> Vec<String> { text.trim_end().lines().map(typical).collect() };
    if matches(&lines(shown), &lines(said)) {
        return Ok(());
    }
    Err(format!("the page shows\n{shown}\nand it said\n{said}"))
}

fn matches(shown: &[String], said: &[String]) -> bool {
    match shown {
        [] => said.is_empty(),
        [gap, rest @ ..] if gap.trim() == "..." => {
            (0..=said.len()).any(|skipped| matches(rest, &said[skipped..]))
        }
        [line, rest @ ..] => said
            .split_first()
            .is_some_and(|(first, others)| first == line && matches(rest, others)),
    }
}

/// A line with words for what is another one on each run.
fn typical(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.trim_end();
    while let Some(begin) = rest.find(is_of_word) {
        text.push_str(&rest[..begin]);
        let length = rest[begin..]
            .find(|character| !is_of_word(character))
            .unwrap_or(rest.len() - begin);
        let (word, after) = rest[begin..].split_at(length);
        text.push_str(class(word, &text, after).unwrap_or(word));
        rest = after;
    }
    text.push_str(rest);
    text
}

fn is_of_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | ':' | '.')
}

fn class(word: &str, before: &str, after: &str) -> Option<&'static str> {
    let is_id = word.len() == 24 && word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_duration =
        is_number(word.trim_end_matches(':')) && (after.starts_with(" s") || after.starts_with(" ms"));
    if is_id {
        Some("<id>")
    } else if word.parse::<Timestamp>().is_ok() {
        Some("<time>")
    } else if is_duration {
        Some("<duration>")
    } else if before.ends_with("pid ") && is_number(word) {
        Some("<process>")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_another_one_each_time_is_no_difference() {
        for (shown, said) in [
            (
                "{\"id\":\"6b018dc9fe700d1718748992\"}",
                "{\"id\":\"0a018dc9fe700d1718748992\"}",
            ),
            (
                "until \"2026-11-21T12:40:46.341Z\"",
                "until \"2027-01-02T01:02:03Z\"",
            ),
            ("ready after 1.4 s: http://a", "ready after 12.0 s: http://a"),
            ("mongodb  1/1  pid 5008", "mongodb  1/1  pid 12"),
            ("a\n...\nz", "a\nb\nc\nz"),
            ("a\n...", "a"),
            ("a\n\n", "a"),
        ] {
            assert_eq!(compare(shown, said), Ok(()));
        }
    }

    #[test]
    fn everything_else_is_one() {
        for (shown, said) in [
            ("a", "b"),
            ("a", "a\nb"),
            ("a\nb", "a"),
            ("", "a"),
            ("1/1", "0/1"),
            ("a\n...\nz", "a\nb"),
            ("price 19.99", "price 19.98"),
            ("{\"id\":\"6b018dc9fe700d1718748992\"}", "{\"id\":\"6b018dc9\"}"),
        ] {
            assert!(compare(shown, said).is_err(), "{shown:?} {said:?}");
        }
    }
}
