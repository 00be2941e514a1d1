//! localstripe, a Stripe double that is a program of its own, as a child.

use std::io;
use std::path::Path;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::child::ChildSpec;
use super::secrets::{private_folder, write_private};
use super::{Folder, GRACE, wire};

/// Starts localstripe where only this machine reaches it; as it comes, it listens on every address and keeps its
/// data in one fixed file for everybody.
const LAUNCHER: &str = include_str!("localstripe.py");

pub(super) fn spec(folder: &Folder<'_>, python: &Path, port: u16) -> io::Result<ChildSpec> {
    let data = folder.dir.join("stripe");
    private_folder(&data)?;
    let launcher = data.join("launcher.py");
    write_private(&launcher, LAUNCHER.as_bytes())?;
    Ok(ChildSpec {
        name: "stripe".into(),
        program: python.into(),
        args: vec![launcher.into(), port.to_string().into(), data.into()],
        env: vec![
            ("PYTHONDONTWRITEBYTECODE".into(), "1".into()),
            ("PYTHONUNBUFFERED".into(), "1".into()),
        ],
        log: folder.log("stripe"),
        grace: GRACE,
    })
}

/// Whether it answers: without a key it refuses, and a refusal is an answer.
pub(super) async fn answers(port: u16) -> bool {
    let ask = "GET /v1/customers HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    wire::says(port, ask, " 401 ").await
}

/// Tells it where to send its webhooks, and how to sign them. It forgets that when it is started again.
pub(super) async fn register_webhook(port: u16, url: &str, secret: &str) -> io::Result<()> {
    let body = serde_json::json!({ "url": url, "secret": secret }).to_string();
    let request = Request::post(format!("http://127.0.0.1:{port}/_config/webhooks/bigtix"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(io::Error::other)?;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request).await.map_err(io::Error::other)?;
    let status = answer.status();
    let text = answer
        .into_body()
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    if status == StatusCode::OK {
        Ok(())
    } else {
        Err(io::Error::other(format!(
            "localstripe refused the webhook: {status} {}",
            String::from_utf8_lossy(&text)
        )))
    }
}
