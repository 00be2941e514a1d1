//! Asking pods for their metrics. A pod that does not answer in time is left out: it says nothing about its release.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bigtix_contracts::operations::METRICS;
use futures::{StreamExt, stream};
use k8s_openapi::api::core::v1::Pod;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};

use crate::build::service::PUBLIC;
use crate::traffic::Traffic;

/// For one pod.
const TIMEOUT: Duration = Duration::from_secs(2);
/// For all of them: a pass has more to do.
const TIMEOUT_OF_ALL: Duration = Duration::from_secs(10);
/// Pods that are asked at once.
const AT_ONCE: usize = 16;
/// Bytes. A service with all its routes has less than a tenth of it.
const LARGEST: usize = 4 << 20;

/// Why a pod's metrics are not known.
#[derive(Debug, thiserror::Error)]
enum ScrapeError {
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("the answer has more than {LARGEST} bytes")]
    TooLarge,
}

/// Asks pods how they answer.
#[derive(Clone, Debug)]
pub struct Scraper {
    client: Client,
}

impl Scraper {
    /// Pods are asked at their own addresses, so no proxy and no redirection has a part in it.
    ///
    /// # Errors
    /// When this process has no TLS, which the client wants whether it uses it or not.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { client })
    }

    /// What each pod says of its requests, by its name; those that do not answer are left out.
    pub(super) async fn traffic(&self, pods: &[&Pod]) -> BTreeMap<String, Traffic> {
        let addresses = pods.iter().filter_map(|pod| {
            let ip: IpAddr = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
            Some((pod.metadata.name.clone()?, SocketAddr::new(ip, PUBLIC.number)))
        });
        self.ask(addresses.collect()).await
    }

    async fn ask(&self, pods: Vec<(String, SocketAddr)>) -> BTreeMap<String, Traffic> {
        let ask = async |(name, address): (String, SocketAddr)| match self.metrics(address).await {
            Ok(text) => Some((name, Traffic::read(&text))),
            Err(error) => {
                tracing::info!(pod = name, %error, "metrics cannot be read");
                None
            }
        };
        stream::iter(pods)
            .map(ask)
            .buffer_unordered(AT_ONCE)
            .take_until(tokio::time::sleep(TIMEOUT_OF_ALL))
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    async fn metrics(&self, address: SocketAddr) -> Result<String, ScrapeError> {
        let url = format!("http://{address}{METRICS}");
        let mut answer = self.client.get(url).send().await?;
        if answer.status() != StatusCode::OK {
            return Err(ScrapeError::Status(answer.status()));
        }
        let mut text = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if text.len() + chunk.len() > LARGEST {
                return Err(ScrapeError::TooLarge);
            }
            text.extend_from_slice(&chunk);
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    /// A pod that serves that at `/metrics`, until the test ends.
    async fn pod(metrics: Router) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, metrics).await });
        address
    }

    #[tokio::test]
    async fn pods_that_do_not_answer_as_they_should_are_left_out() {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let at = |handler| Router::new().route(METRICS, handler);
        let fine = "http_requests_total{route=\"/api/orders\",status=\"500\"} 3\n";
        let answers: [(&str, Router); 5] = [
            ("fine", at(get(async move || fine))),
            (
                "failing",
                at(get(async move || (StatusCode::INTERNAL_SERVER_ERROR, fine))),
            ),
            ("silent", at(get(std::future::pending::<&'static str>))),
            ("endless", at(get(async || "x".repeat(LARGEST + 1)))),
            (
                "elsewhere",
                at(get(async || (StatusCode::FOUND, [("location", "/other")], ""))),
            ),
        ];
        let mut pods = Vec::new();
        for (name, metrics) in answers {
            pods.push((name.to_owned(), pod(metrics).await));
        }
        let gone = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        pods.push(("gone".to_owned(), gone.local_addr().expect("bound")));
        drop(gone);

        let found = Scraper::new().expect("a client").ask(pods).await;
        let expected = Traffic {
            requests: 3,
            errors: 3,
            within: BTreeMap::new(),
        };
        assert_eq!(found, BTreeMap::from([("fine".to_owned(), expected)]));
    }
}
