//! What is behind the edge: a service that is a task of this process, or its instances as processes of their own.

mod door;
mod instances;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Bytes;
use hyper::{Method, Request, Response, StatusCode};
use tower::ServiceExt;

pub use instances::Instances;

/// A service as the edge reaches it.
#[derive(Clone)]
pub enum Upstream {
    /// A task of this process, called without a connection.
    InProcess(Router),
    /// Processes, called over HTTP.
    Instances(Instances),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpstreamError {
    /// The request reached nobody.
    Unreachable,
    /// The request was sent, and then nothing was heard.
    Unknown,
    /// What was heard is not HTTP.
    Garbled,
    /// The service lets no more in, and was not asked.
    PastCapacity,
}

impl Upstream {
    /// Asks, and waits for the head of the answer at most `patience`.
    pub(super) async fn call(
        &self,
        request: Request<Bytes>,
        patience: Duration,
    ) -> Result<Response<Body>, UpstreamError> {
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
        let outcome = match self {
            Self::InProcess(router) => {
                let answer = tokio::time::timeout(patience, in_process(router.clone(), request)).await;
                answer.map_err(|_| UpstreamError::Unknown)
            }
            Self::Instances(instances) => instances.call(request, patience).await,
        };
        match outcome {
            // Nothing can have happened where nothing was to happen.
            Err(UpstreamError::Unknown) if is_safe => Err(UpstreamError::Unreachable),
            outcome => outcome,
        }
    }

    /// Whether it says that it is ready.
    pub(super) async fn is_ready(&self) -> bool {
        match self {
            Self::InProcess(router) => {
                let mut request = Request::new(Bytes::new());
                *request.uri_mut() = hyper::Uri::from_static("/readyz");
                let answer =
                    tokio::time::timeout(Duration::from_secs(2), in_process(router.clone(), request)).await;
                answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
            }
            Self::Instances(instances) => instances.is_any_ready(),
        }
    }
}

async fn in_process(router: Router, request: Request<Bytes>) -> Response<Body> {
    let mut request = request.map(Body::from);
    // The service sees what it would see over a connection: a proxy on this machine.
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
