//! Stripe's form encoding: `a=1&b[c]=2&d[]=3&d[]=4&e[0][f]=5`.

use std::collections::BTreeMap;

use url::form_urlencoded;

/// Parameters by their path: `b[c]` is `["b", "c"]`, the second `d[]` is `["d", "1"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(BTreeMap<Vec<String>, String>);

impl Params {
    /// Parses a query or a body; the last of two equal keys counts.
    ///
    /// # Errors
    /// The first key whose brackets do not match.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, String> {
        let mut params = BTreeMap::new();
        let mut lengths: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for (key, value) in form_urlencoded::parse(encoded) {
            let mut path = Vec::new();
            for segment in segments(&key).ok_or_else(|| key.to_string())? {
                if segment.is_empty() {
                    let length = lengths.entry(path.clone()).or_default();
                    path.push(length.to_string());
                    *length += 1;
                } else {
                    path.push(segment.to_owned());
                }
            }
            params.insert(path, value.into_owned());
        }
        Ok(Self(params))
    }

    /// The value at exactly this path.
    pub(crate) fn get(&self, path: &[&str]) -> Option<&str> {
        let path: Vec<String> = path.iter().map(|&segment| segment.to_owned()).collect();
        self.0.get(&path).map(String::as_str)
    }

    /// The value, which is not among the parameters any more.
    pub(crate) fn take(&mut self, path: &[&str]) -> Option<String> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        self.0.remove(&path)
    }

    /// Whether anything is at or below this path.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        self.0.keys().any(|key| starts(key, path))
    }

    /// The last segments and values right below this path, in order.
    pub(crate) fn children(&self, path: &[&str]) -> Vec<(&str, &str)> {
        let below = self
            .0
            .iter()
            .filter(|(key, _)| key.len() == path.len() + 1 && starts(key, path));
        let mut children: Vec<_> = below
            .map(|(key, value)| (key[path.len()].as_str(), value.as_str()))
            .collect();
        // Places in a list are numbers: the tenth comes after the ninth. The sort is stable, names stay in order.
        children.sort_by_key(|(name, _)| name.parse::<usize>().unwrap_or(usize::MAX));
        children
    }

    /// The first top-level name that is not among `known`.
    pub(crate) fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.0
            .keys()
            .map(|key| key[0].as_str())
            .find(|name| !known.contains(name))
    }
}

fn starts(key: &[String], path: &[&str]) -> bool {
    key.len() >= path.len() && key.iter().zip(path).all(|(key, segment)| key == segment)
}

/// `a[b][]` is `a`, `b`, ``; `None` when the brackets do not match.
fn segments(key: &str) -> Option<Vec<&str>> {
    let (head, mut rest) = match key.find('[') {
        Some(at) => key.split_at(at),
        None => (key, ""),
    };
    if head.is_empty() || head.contains(']') {
        return None;
    }
    let mut segments = vec![head];
    while !rest.is_empty() {
        let (segment, after) = rest.strip_prefix('[')?.split_once(']')?;
        if segment.contains('[') {
            return None;
        }
        segments.push(segment);
        rest = after;
    }
    Some(segments)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(encoded: &str) -> Params {
        Params::parse(encoded.as_bytes()).expect("well-formed")
    }

    #[test]
    fn brackets_nest_and_lists_keep_their_order() {
        let params =
            parse("amount=100&metadata[order]=7&metadata%5Bpayment%5D=a+b&expand[]=x&expand[]=y&a[0][b]=1");
        assert_eq!(params.get(&["amount"]), Some("100"));
        assert_eq!(
            params.children(&["metadata"]),
            [("order", "7"), ("payment", "a b")]
        );
        assert_eq!(params.children(&["expand"]), [("0", "x"), ("1", "y")]);
        assert_eq!(params.get(&["a", "0", "b"]), Some("1"));
        assert!(params.has(&["a"]) && !params.has(&["b"]));
    }

    #[test]
    fn the_order_of_parameters_makes_no_difference() {
        assert_eq!(parse("a=1&b[c]=2&b[d]=3"), parse("b[d]=3&a=1&b[c]=2"));
        assert_eq!(parse("a[]=1&a[]=2"), parse("a[0]=1&a[1]=2"));
        assert_ne!(parse("a[]=1&a[]=2"), parse("a[]=2&a[]=1"));
    }

    #[test]
    fn a_long_list_keeps_its_order() {
        let encoded: Vec<String> = (0..12).map(|place| format!("a[]={place}")).collect();
        let params = parse(&encoded.join("&"));
        let values: Vec<_> = params
            .children(&["a"])
            .into_iter()
            .map(|(_, value)| value.to_owned())
            .collect();
        assert_eq!(values, (0..12).map(|place| place.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn a_name_that_nobody_knows_is_found() {
        assert_eq!(
            parse("amount=1&colour[a]=red").unknown(&["amount"]),
            Some("colour")
        );
        assert_eq!(parse("amount=1").unknown(&["amount"]), None);
    }

    #[test]
    fn brackets_that_do_not_match_are_refused() {
        for key in ["a[b", "a]b", "[a]", "a[b]c", "a[[b]]", "=1"] {
            assert!(Params::parse(key.as_bytes()).is_err(), "{key}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail_badly(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Params::parse(&bytes);
        }
    }
}
