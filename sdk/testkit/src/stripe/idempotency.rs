//! Idempotency keys as Stripe's v1 keeps them: the status and the body of the first answer that was executed.

use std::collections::{HashMap, VecDeque};

use super::form::Params;

/// A finished answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The id of the request that was executed.
    pub(crate) request: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Nothing.
    Fresh,
    /// A request with it is running.
    InFlight,
    /// It has its answer.
    Answered(Answer),
    /// It was used with other parameters.
    OtherParameters,
    /// It was used at another path.
    OtherPath(String),
}

#[derive(Debug)]
struct Entry {
    path: String,
    params: Params,
    answer: Option<Answer>,
}

/// Stripe keeps keys for a day, and a double as many as it has room for.
const KEPT: usize = 10_000;

/// The keys of one account.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    entries: HashMap<String, Entry>,
    /// Those that were begun, the oldest first.
    begun: VecDeque<String>,
}

impl Keys {
    /// What is known of `key` for a request to `path` with `params`.
    pub(crate) fn look(&self, key: &str, path: &str, params: &Params) -> Seen {
        match self.entries.get(key) {
            None => Seen::Fresh,
            Some(entry) if entry.path != path => Seen::OtherPath(entry.path.clone()),
            Some(entry) if entry.params != *params => Seen::OtherParameters,
            Some(Entry {
                answer: Some(answer), ..
            }) => Seen::Answered(answer.clone()),
            Some(Entry { answer: None, .. }) => Seen::InFlight,
        }
    }

    /// The request begins to execute.
    pub(crate) fn begin(&mut self, key: &str, path: &str, params: &Params) {
        let entry = Entry {
            path: path.to_owned(),
            params: params.clone(),
            answer: None,
        };
        self.entries.insert(key.to_owned(), entry);
        self.begun.push_back(key.to_owned());
        if self.begun.len() > KEPT
            && let Some(oldest) = self.begun.pop_front()
        {
            self.entries.remove(&oldest);
        }
    }

    /// It was executed.
    pub(crate) fn finish(&mut self, key: &str, answer: Answer) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.answer = Some(answer);
        }
    }

    /// It was not executed after all.
    pub(crate) fn forget(&mut self, key: &str) {
        self.entries.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(encoded: &str) -> Params {
        Params::parse(encoded.as_bytes()).expect("well-formed")
    }

    #[test]
    fn a_key_goes_from_fresh_to_in_flight_to_answered() {
        let (mut keys, one) = (Keys::default(), params("amount=1"));
        assert_eq!(keys.look("k", "/a", &one), Seen::Fresh);
        keys.begin("k", "/a", &one);
        assert_eq!(keys.look("k", "/a", &one), Seen::InFlight);
        let answer = Answer {
            status: 500,
            body: "{}".into(),
            request: "req_1".into(),
        };
        keys.finish("k", answer.clone());
        assert_eq!(keys.look("k", "/a", &one), Seen::Answered(answer));
    }

    #[test]
    fn a_key_is_bound_to_its_path_and_parameters() {
        let (mut keys, one) = (Keys::default(), params("amount=1"));
        keys.begin("k", "/a", &one);
        assert_eq!(keys.look("k", "/b", &one), Seen::OtherPath("/a".into()));
        assert_eq!(keys.look("k", "/a", &params("amount=2")), Seen::OtherParameters);
    }

    #[test]
    fn the_oldest_keys_are_forgotten_first() {
        let (mut keys, one) = (Keys::default(), params("amount=1"));
        for number in 0..=KEPT {
            keys.begin(&number.to_string(), "/a", &one);
        }
        assert_eq!(keys.look("0", "/a", &one), Seen::Fresh);
        assert_eq!(keys.look("1", "/a", &one), Seen::InFlight);
        assert_eq!(keys.entries.len(), KEPT);
    }

    #[test]
    fn a_request_that_was_not_executed_leaves_no_trace() {
        let (mut keys, one) = (Keys::default(), params("amount=1"));
        keys.begin("k", "/a", &one);
        keys.forget("k");
        assert_eq!(keys.look("k", "/b", &params("amount=2")), Seen::Fresh);
    }
}
