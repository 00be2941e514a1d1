//! Short questions to processes on this machine.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(2);

/// The JSON that is answered with 200, if anything is.
pub(crate) async fn get(url: &str) -> Option<Value> {
    let (status, body) = answer(url).await?;
    (status == StatusCode::OK).then_some(body)
}

/// The JSON that is answered and with which status, if anything is.
pub(crate) async fn answer(url: &str) -> Option<(StatusCode, Value)> {
    let question = async {
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.get(url.parse().ok()?).await.ok()?;
        let status = answer.status();
        let text = answer.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&text).ok()?))
    };
    tokio::time::timeout(PATIENCE, question).await.ok().flatten()
}
