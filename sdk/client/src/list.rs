//! Lists, which come in pages.

use futures::Stream;
use futures::stream::{self, StreamExt, TryStreamExt};
use reqwest::Method;
use serde::de::DeserializeOwned;

use crate::call::{Answer, Call, text};
use crate::{Client, ClientError};

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// The cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// A list that is being asked for.
///
/// ```no_run
/// # async fn example(client: bigtix_client::Client) -> Result<(), bigtix_client::ClientError> {
/// use futures::TryStreamExt;
///
/// let first = client.orders().limit(10).page().await?;
/// let all: Vec<_> = client.orders().all().try_collect().await?;
/// # Ok(()) }
/// ```
#[must_use = "a list is asked for by `page` or `all`"]
#[derive(Debug)]
pub struct List<T> {
    client: Client,
    url: String,
    query: Vec<(&'static str, String)>,
    rows: std::marker::PhantomData<fn() -> T>,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            url: self.url.clone(),
            query: self.query.clone(),
            rows: self.rows,
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> List<T> {
    pub(crate) fn new(client: &Client, url: String) -> Self {
        Self {
            client: client.clone(),
            url,
            query: Vec::new(),
            rows: std::marker::PhantomData,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.retain(|(known, _)| *known != name);
        self.query.push((name, value.into()));
        self
    }

    /// How many rows a page has: 1 to 200, by default 50.
    pub fn limit(self, rows: usize) -> Self {
        self.with("limit", rows.to_string())
    }

    /// Begins after the page that this cursor came with.
    pub fn after(self, cursor: &str) -> Self {
        self.with("cursor", cursor)
    }

    /// One page.
    pub fn page(self) -> Call<Page<T>> {
        let url = match self.query.is_empty() {
            true => self.url,
            false => format!("{}?{}", self.url, encode(&self.query)),
        };
        Call::new(&self.client, Method::GET, url, read_page)
    }

    /// Every row from here on, page by page.
    pub fn all(self) -> impl Stream<Item = Result<T, ClientError>> + Send {
        let pages = stream::try_unfold(Some(self), |list| async move {
            let Some(list) = list else { return Ok(None) };
            let page = list.clone().page().await?;
            let rest = page.next.map(|cursor| list.after(&cursor));
            Ok(Some((stream::iter(page.items).map(Ok), rest)))
        });
        pages.try_flatten()
    }
}

fn read_page<T: DeserializeOwned>(answer: Answer) -> Result<Page<T>, String> {
    let next = text(&answer.headers, "x-next-cursor");
    crate::call::json(answer).map(|items| Page { items, next })
}

fn encode(pairs: &[(&'static str, String)]) -> String {
    let encoded = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", escape(value)));
    encoded.collect::<Vec<_>>().join("&")
}

/// Percent-encodes all but the characters that stand for themselves everywhere in a URL.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte))
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_a_url_is_escaped() {
        assert_eq!(escape("Row F & é/ü?"), "Row%20F%20%26%20%C3%A9%2F%C3%BC%3F");
        assert_eq!(escape("a-b_c.d~9"), "a-b_c.d~9");
    }
}
