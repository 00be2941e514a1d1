//! The text format of Prometheus, as far as counters go.

use std::collections::BTreeMap;

/// One line: the value of one series.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sample<'a> {
    pub(super) name: &'a str,
    pub(super) labels: BTreeMap<&'a str, String>,
    pub(super) value: u64,
}

/// Every counter in the text. Comments, other numbers, and lines that are cut off are left out.
pub(super) fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    text.lines().filter_map(sample)
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let line = line.trim_start();
    let (name, rest) = line.split_at(line.find(['{', ' ', '\t'])?);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.split_whitespace().next()?;
    let is_name = !name.is_empty() && !name.starts_with('#');
    is_name.then_some(Sample {
        name,
        labels,
        value: count(value)?,
    })
}

/// What stands between braces, and what follows.
fn labels(mut text: &str) -> Option<(BTreeMap<&str, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        text = text.trim_start_matches([',', ' ']);
        if let Some(rest) = text.strip_prefix('}') {
            return Some((labels, rest));
        }
        let (name, rest) = text.split_once("=\"")?;
        let (value, rest) = quoted(rest)?;
        labels.insert(name, value);
        text = rest;
    }
}

/// What stands before the closing quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[place + 1..])),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                escaped => value.push(escaped),
            },
            letter => value.push(letter),
        }
    }
    None
}

/// Counters are whole numbers, which some write as `1e+06`.
fn count(text: &str) -> Option<u64> {
    let number: f64 = text.parse().ok()?;
    let is_count = number.is_finite() && (0.0..=MOST).contains(&number) && number.fract() == 0.0;
    is_count.then_some(number as u64)
}

/// Up to here every whole number is a different one.
const MOST: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn only(line: &str) -> Option<Sample<'_>> {
        let mut found = samples(line);
        let first = found.next();
        assert_eq!(found.next(), None);
        first
    }

    #[test]
    fn a_label_may_hold_what_ends_labels() {
        let line = r#"hits{route="/api/orders/{id}",why="a \"b\", c=\\d\n"} 1e+06 1700000000000"#;
        let expected = Sample {
            name: "hits",
            labels: [("route", "/api/orders/{id}"), ("why", "a \"b\", c=\\d\n")]
                .map(|(name, value)| (name, value.to_owned()))
                .into(),
            value: 1_000_000,
        };
        assert_eq!(only(line), Some(expected));
    }

    #[test]
    fn what_is_no_counter_is_left_out() {
        for line in [
            "# TYPE hits counter",
            "",
            "hits",
            "hits{",
            "hits{a=\"b",
            "hits{a=\"b\"}",
            "hits{a=\"b\"} NaN",
            "hits -1",
            "hits 0.5",
            "hits 1e300",
        ] {
            assert_eq!(only(line), None, "{line:?}");
        }
        assert_eq!(only("hits 7").map(|sample| sample.value), Some(7));
    }
}
