//! Asking a service as a client does, and reading what it answers.

use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;

use crate::eventually::{is_past_capacity, let_in};

/// What a service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; a string where it is no JSON, and null where there is none.
    pub body: Value,
}

impl Answer {
    /// The answer to a request, which is repeated for as long as the service is past its capacity.
    ///
    /// # Panics
    /// When there is no answer, or the body is a stream.
    pub async fn to(request: RequestBuilder) -> Self {
        let ask = || async {
            let request = request.try_clone().expect("a body that is no stream");
            let answer = request.send().await.expect("an answer");
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let text = answer.text().await.expect("a body in UTF-8");
            let body = match text.as_str() {
                "" => Value::Null,
                text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
            };
            Self {
                status,
                headers,
                body,
            }
        };
        let_in(ask, |answer| is_past_capacity(answer.status, &answer.body)).await
    }

    /// The status, and each error's field and message.
    ///
    /// # Panics
    /// When an error has no message.
    pub fn errors(&self) -> (u16, Vec<(&str, &str)>) {
        let errors = self.body["errors"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert!(
            errors.iter().all(|error| error["message"].is_string()),
            "{}",
            self.body
        );
        let pairs = errors.iter().map(|error| {
            (
                error["field"].as_str().unwrap_or(""),
                error["message"].as_str().unwrap_or(""),
            )
        });
        (self.status, pairs.collect())
    }

    /// The status and the first error's message.
    pub fn message(&self) -> (u16, &str) {
        (
            self.status,
            self.body["errors"][0]["message"].as_str().unwrap_or_default(),
        )
    }

    /// What a 2xx answered.
    ///
    /// # Panics
    /// When the status is another one.
    pub fn ok(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// One field of each element of the answer.
    ///
    /// # Panics
    /// When it is no list of objects with that text.
    pub fn column(&self, name: &str) -> Vec<&str> {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
            .as_array()
            .expect("a list")
            .iter()
            .map(|row| row[name].as_str().expect("a text"))
            .collect()
    }

    /// The cookies that it sets.
    ///
    /// # Panics
    /// When one is no text.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|value| value.to_str().expect("a text"))
            .collect()
    }

    /// What a browser sends back of the session's cookie.
    ///
    /// # Panics
    /// When there is none.
    pub fn session(&self) -> String {
        let cookies = self.cookies();
        let cookie = cookies
            .iter()
            .find(|cookie| cookie.starts_with("session="))
            .expect("a session");
        let (pair, _) = cookie.split_once(';').unwrap_or((cookie, ""));
        pair.to_owned()
    }
}
