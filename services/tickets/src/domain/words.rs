//! The words that a search looks at: lower-cased runs of letters and digits.

use std::collections::BTreeSet;

/// More words than this in a query narrow nothing down any further.
const MOST_QUERY_WORDS: usize = 16;

/// The words of several texts, each once.
pub(crate) fn words<'t>(texts: impl IntoIterator<Item = &'t str>) -> BTreeSet<String> {
    texts.into_iter().flat_map(split).collect()
}

/// The words of a query.
pub(crate) fn query_words(query: &str) -> Vec<String> {
    let words: BTreeSet<String> = split(query).collect();
    words.into_iter().take(MOST_QUERY_WORDS).collect()
}

fn split(text: &str) -> impl Iterator<Item = String> {
    let lowered = text.to_lowercase();
    let words: Vec<String> = lowered
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    words.into_iter()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_lower_case_and_counted_once() {
        let found = words(["Rock & Roll: ROCK", "Zürich, 2030"]);
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["2030", "rock", "roll", "zürich"]
        );
    }

    proptest! {
        #[test]
        fn a_word_of_a_query_is_safe_inside_a_regular_expression(query in "\\PC*") {
            for word in query_words(&query) {
                prop_assert!(!word.is_empty() && word.chars().all(char::is_alphanumeric));
            }
        }

        #[test]
        fn a_text_is_found_by_its_own_words(text in "\\PC{0,80}") {
            let stored = words([text.as_str()]);
            prop_assert!(query_words(&text).iter().all(|word| stored.contains(word)));
        }
    }
}
