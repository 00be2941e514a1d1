//! One call: a request that is being put together, and how it is made.

use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use bigtix_contracts::Problem;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Client, ClientError, Forwarded, retry};

const REQUEST_ID: &str = "x-request-id";

/// A call that is made when it is awaited.
///
/// ```no_run
/// # async fn example(client: bigtix_client::Client, order: bigtix_contracts::OrderId) -> Result<(), bigtix_client::ClientError> {
/// let payment = client.pay(order, "tok_visa").idempotency_key("attempt-1").request_id("page-42").await?;
/// # Ok(()) }
/// ```
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct Call<T> {
    client: Client,
    method: Method,
    url: String,
    body: Option<Vec<u8>>,
    idempotency_key: Option<String>,
    request_id: Option<String>,
    read: fn(Answer) -> Result<T, String>,
    answers: PhantomData<fn() -> T>,
}

/// What came back with a 2xx.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Reads a JSON body.
pub(crate) fn json<T: DeserializeOwned>(answer: Answer) -> Result<T, String> {
    serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
}

/// Reads a body that says nothing.
pub(crate) fn nothing(_: Answer) -> Result<(), String> {
    Ok(())
}

impl<T> Call<T> {
    pub(crate) fn new(
        client: &Client,
        method: Method,
        url: String,
        read: fn(Answer) -> Result<T, String>,
    ) -> Self {
        Self {
            client: client.clone(),
            method,
            url,
            body: None,
            idempotency_key: None,
            request_id: client.request_id.as_deref().map(str::to_owned),
            read,
            answers: PhantomData,
        }
    }

    pub(crate) fn body(mut self, body: &impl Serialize) -> Self {
        self.body = Some(serde_json::to_vec(body).expect("a draft is plain data"));
        self
    }

    /// Makes the call have its effect once, however often it is made with this key: 1 to 255 printable characters.
    /// Only a POST of somebody who is signed in heeds it.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// The id under which the shop's logs shall know this request.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Makes the call, several times if need be.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn send(self) -> Result<T, ClientError> {
        let repeatable =
            self.method == Method::GET || (self.method == Method::POST && self.idempotency_key.is_some());
        let mut attempt = 1;
        loop {
            let failure = match self.attempt().await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match retry::wait(repeatable, attempt, &failure, rand::random()) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure),
            }
            attempt += 1;
        }
    }

    async fn attempt(&self) -> Result<T, ClientError> {
        let mut request = self.client.http.request(self.method.clone(), &self.url);
        if let Some(token) = &self.client.token {
            request = request.bearer_auth(token.expose());
        }
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(id) = &self.request_id {
            request = request.header(REQUEST_ID, id);
        }
        if let Some(traceparent) = self.client.traceparent.as_deref() {
            request = request.header("traceparent", traceparent);
        }
        if let Some(forwarded) = self.client.forwarded.as_deref() {
            let Forwarded { addresses, protocol } = forwarded;
            request = request
                .header("x-forwarded-for", addresses)
                .header("x-forwarded-proto", protocol);
        }
        if let Some(body) = &self.body {
            request = request
                .header("content-type", "application/json")
                .body(body.clone());
        }
        let network = |source| ClientError::Network { source };
        let response = request.send().await.map_err(network)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(network)?.to_vec();
        if !status.is_success() {
            return Err(refusal(status, &headers, &body));
        }
        let request_id = text(&headers, REQUEST_ID);
        (self.read)(Answer { headers, body }).map_err(|what| ClientError::Decode {
            status: status.as_u16(),
            what,
            request_id,
        })
    }
}

fn refusal(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ClientError {
    let (status, request_id) = (status.as_u16(), text(headers, REQUEST_ID));
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => ClientError::Problem {
            status,
            problem: Box::new(problem),
            retry_after: headers
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .map(Duration::from_secs),
            request_id,
        },
        Err(error) => ClientError::Decode {
            status,
            what: error.to_string(),
            request_id,
        },
    }
}

pub(crate) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

impl<T: 'static> IntoFuture for Call<T> {
    type Output = Result<T, ClientError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
