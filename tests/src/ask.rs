//! One request, without any client's help. Whom the shop refuses because it is past its capacity comes again.

use std::fmt::Write as _;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::LazyLock;

use bigtix_client::Token;
use bigtix_contracts::{ErrorCode, ErrorItem, Problem};
use bigtix_testkit::{is_past_capacity, let_in};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// One pool of connections for everybody, as the edge would see it from a proxy in front.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // The client under test chooses the same provider.
    let _ = bigtix_client::Client::new("http://localhost");
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(60))
        .build()
        .expect("a client without proxies")
});

/// A request that is sent when it is awaited.
#[derive(Debug, Clone)]
#[must_use = "a request is sent when it is awaited"]
pub struct Ask {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    problems: bool,
}

impl Ask {
    /// A request without body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: None,
            problems: true,
        }
    }

    /// With this header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    /// On behalf of this token's user.
    pub fn by(self, who: impl AsRef<Token>) -> Self {
        let bearer = format!("Bearer {}", who.as_ref().expose());
        self.header("authorization", &bearer)
    }

    /// On behalf of this token's user, as a browser says so.
    pub fn by_cookie(self, who: impl AsRef<Token>) -> Self {
        let cookie = format!("session={}", who.as_ref().cookie());
        self.header("cookie", &cookie)
    }

    /// With this JSON body.
    pub fn json(self, body: Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With this body.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self.header("content-type", content_type)
    }

    /// With an idempotency key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// Refusals need not look like the shop's: somebody else answers.
    pub fn elsewhere(mut self) -> Self {
        self.problems = false;
        self
    }

    /// Sends it, and again while the shop is past its capacity.
    ///
    /// # Panics
    /// When no answer comes, or one that the contract allows nobody to give: an error without a well-formed problem, or
    /// anything without a request id.
    pub async fn send(self) -> Answer {
        let_in(
            || self.clone().send_once(),
            |answer| is_past_capacity(answer.status, &answer.json),
        )
        .await
    }

    async fn send_once(self) -> Answer {
        let Self {
            method,
            url,
            headers,
            body,
            problems,
        } = self;
        let mut request = HTTP.request(method.clone(), &url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let asked = format!("{method} {url}");
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => panic!("{asked}: no answer: {error:?}"),
        };
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = match response.bytes().await {
            Ok(body) => body.to_vec(),
            Err(error) => panic!("{asked}: {status}, and the body broke off: {error:?}"),
        };
        let json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answer = Answer {
            asked,
            status,
            headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            json,
        };
        if problems {
            answer.keeps_the_common_rules();
        }
        answer
    }
}

impl IntoFuture for Ask {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    asked: String,
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Answer {
    fn keeps_the_common_rules(&self) {
        assert!(
            !self.header("x-request-id").unwrap_or_default().is_empty(),
            "no x-request-id in {self}"
        );
        if self.status < 400 {
            return;
        }
        let content_type = self.header("content-type").unwrap_or_default();
        assert!(
            content_type.starts_with("application/json"),
            "a problem as {content_type:?} in {self}"
        );
        let problem = self.problem();
        let first = problem
            .errors
            .first()
            .unwrap_or_else(|| panic!("no errors in {self}"));
        let expected = match problem.code {
            ErrorCode::ValidationFailed => "Request validation failed",
            _ => first.message.as_str(),
        };
        assert_eq!(problem.message, expected, "the message of {self}");
        assert!(
            !self.text.contains("Invalid value"),
            "\"Invalid value\" in {self}"
        );
        if matches!(self.status, 429 | 503) {
            assert!(self.header("retry-after").is_some(), "no retry-after in {self}");
        }
    }

    /// The header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Demands this status.
    ///
    /// # Panics
    /// For another one.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the status of {self}");
        self
    }

    /// Demands this status, and that this is among the reasons; returns that reason.
    ///
    /// # Panics
    /// For another status or other reasons.
    #[track_caller]
    pub fn refuses(self, status: u16, message: &str) -> Refusal {
        assert_eq!(
            self.status, status,
            "the status of {self}; expected \"{message}\""
        );
        let problem = self.problem();
        let found = problem.errors.iter().find(|error| error.message == message);
        let item = found
            .cloned()
            .unwrap_or_else(|| panic!("\"{message}\" is not in {self}"));
        Refusal {
            item,
            code: problem.code,
        }
    }

    /// Demands 400 with one reason or more about this field; returns their messages.
    ///
    /// # Panics
    /// For anything else.
    #[track_caller]
    pub fn refuses_field(self, field: &str) -> Vec<String> {
        assert_eq!(self.status, 400, "the status of {self}");
        let problem = self.problem();
        let about = |error: &&ErrorItem| error.field.as_deref() == Some(field);
        let found: Vec<String> = problem
            .errors
            .iter()
            .filter(about)
            .map(|error| error.message.clone())
            .collect();
        assert!(!found.is_empty(), "nothing about {field} in {self}");
        found
    }

    /// Demands that the body is an object with these fields and no other.
    ///
    /// # Panics
    /// For another body.
    #[track_caller]
    pub fn has_exactly(&self, fields: &[&str]) -> &Self {
        let object = self
            .json
            .as_object()
            .unwrap_or_else(|| panic!("no object in {self}"));
        let mut found: Vec<&str> = object.keys().map(String::as_str).collect();
        let mut expected = fields.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "the fields of {self}");
        self
    }

    /// The body's text at a JSON pointer such as `/ticket/id`.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn string(&self, pointer: &str) -> String {
        match self.json.pointer(pointer).and_then(Value::as_str) {
            Some(text) => text.to_owned(),
            None => panic!("no text at {pointer} in {self}"),
        }
    }

    /// The `id` of each element of the array.
    ///
    /// # Panics
    /// When the body is no array of objects with ids.
    #[track_caller]
    pub fn ids(&self) -> Vec<String> {
        let rows = self
            .json
            .as_array()
            .unwrap_or_else(|| panic!("no array in {self}"));
        let id = |row: &Value| row["id"].as_str().map(str::to_owned);
        let ids: Option<Vec<String>> = rows.iter().map(id).collect();
        ids.unwrap_or_else(|| panic!("rows without ids in {self}"))
    }

    /// The problem in the body.
    ///
    /// # Panics
    /// When it has another shape or a code that is not in the list.
    #[track_caller]
    pub fn problem(&self) -> Problem {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no problem ({error}) in {self}"))
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            asked, status, text, ..
        } = self;
        let mut shown: String = text.chars().take(600).collect();
        if shown.len() < text.len() {
            let _ = write!(shown, "... ({} bytes)", text.len());
        }
        write!(f, "{asked} -> {status} {shown}")
    }
}

/// Why a request was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The reason that was looked for.
    pub item: ErrorItem,
    /// The problem's code.
    pub code: ErrorCode,
}

impl Refusal {
    /// Demands that the reason is about this field.
    ///
    /// # Panics
    /// When it is about another one or none.
    #[track_caller]
    pub fn about(self, field: &str) -> Self {
        assert_eq!(self.item.field.as_deref(), Some(field), "the field of {self:?}");
        self
    }

    /// Demands this code.
    ///
    /// # Panics
    /// For another one.
    #[track_caller]
    pub fn with_code(self, code: ErrorCode) -> Self {
        assert_eq!(self.code, code, "the code of {self:?}");
        self
    }
}
