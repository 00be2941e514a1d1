//! The instances of one service, taken in turn.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bigtix_service::admission::{LetsIn, TURNED_AWAY};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::UpstreamError;
use super::door::{Door, Passage};

const CONNECT: Duration = Duration::from_secs(1);
/// Shorter than the time after which a service might close an idle connection by itself.
const IDLE: Duration = Duration::from_secs(15);
/// How often each instance is asked whether it is ready. An instance that stops says "not ready" for longer than
/// that before it stops answering.
const PROBE: Duration = Duration::from_millis(200);
const PROBE_PATIENCE: Duration = Duration::from_secs(1);
/// How long a request waits for an instance to come back when all refuse connections.
const COMES_BACK: Duration = Duration::from_secs(3);
const LOOK_AGAIN: Duration = Duration::from_millis(25);

type Http = Client<HttpConnector, Full<Bytes>>;

/// The instances of one service.
#[derive(Clone)]
pub struct Instances(Arc<Shared>);

struct Shared {
    http: Http,
    instances: Vec<Arc<Instance>>,
    turn: AtomicUsize,
    probes: Vec<AbortHandle>,
}

struct Instance {
    authority: Authority,
    is_ready: AtomicBool,
    door: Door,
}

impl Drop for Shared {
    fn drop(&mut self) {
        for probe in &self.probes {
            probe.abort();
        }
    }
}

/// What became of one attempt.
enum Attempt {
    Answered(Response<Body>),
    NeverSent,
    Failed(UpstreamError),
}

impl Instances {
    /// Instances at these addresses, `host:port` each; begins to ask them whether they are ready. Must be called
    /// within a runtime.
    pub fn new(addresses: impl IntoIterator<Item = Authority>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let http: Http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let instances: Vec<_> = addresses
            .into_iter()
            .map(|authority| {
                Arc::new(Instance {
                    authority,
                    is_ready: AtomicBool::new(true),
                    door: Door::new(Instant::now()),
                })
            })
            .collect();
        let probes = instances
            .iter()
            .map(|instance| tokio::spawn(probe(http.clone(), Arc::clone(instance))).abort_handle())
            .collect();
        Self(Arc::new(Shared {
            http,
            instances,
            turn: AtomicUsize::new(0),
            probes,
        }))
    }

    pub(super) fn is_any_ready(&self) -> bool {
        self.0
            .instances
            .iter()
            .any(|instance| instance.is_ready.load(Ordering::Relaxed))
    }

    /// The instances in the order in which they are to be tried: those that are ready first, each of them as often
    /// first as any other.
    fn in_turn(&self) -> impl Iterator<Item = &Arc<Instance>> {
        let all = &self.0.instances;
        let first = self.0.turn.fetch_add(1, Ordering::Relaxed) % all.len().max(1);
        let rotated = || all[first..].iter().chain(&all[..first]);
        let is_ready = |instance: &&Arc<Instance>| instance.is_ready.load(Ordering::Relaxed);
        rotated()
            .filter(is_ready)
            .chain(rotated().filter(move |instance| !is_ready(instance)))
    }

    /// Sends the request to an instance, and to another one only if the first cannot have seen it, or if seeing it
    /// twice does no harm.
    pub(super) async fn call(
        &self,
        request: Request<Bytes>,
        patience: Duration,
    ) -> Result<Response<Body>, UpstreamError> {
        let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
        let deadline = Instant::now() + patience;
        let comes_back = Instant::now() + COMES_BACK.min(patience);
        loop {
            let mut last = UpstreamError::Unreachable;
            let mut is_past_capacity = false;
            for instance in self.in_turn() {
                let Some(passage) = instance.door.pass(request.method(), Instant::now()) else {
                    is_past_capacity = true;
                    continue;
                };
                match self.attempt(instance, passage, &request, deadline).await {
                    Attempt::Answered(answer) => return Ok(answer),
                    Attempt::NeverSent => instance.is_ready.store(false, Ordering::Relaxed),
                    Attempt::Failed(UpstreamError::Unknown) if is_safe && Instant::now() < deadline => {
                        last = UpstreamError::Unknown;
                    }
                    Attempt::Failed(error) => return Err(error),
                }
            }
            if is_past_capacity {
                return Err(UpstreamError::PastCapacity);
            }
            if Instant::now() >= comes_back {
                return Err(last);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn attempt(
        &self,
        instance: &Instance,
        passage: Passage<'_>,
        request: &Request<Bytes>,
        deadline: Instant,
    ) -> Attempt {
        let mut copy = request.clone().map(Full::new);
        *copy.uri_mut() = address(&instance.authority, request.uri());
        copy.headers_mut()
            .insert(TURNED_AWAY, passage.turned_away.to_value());
        match tokio::time::timeout_at(deadline, self.0.http.request(copy)).await {
            Ok(Ok(answer)) => {
                instance.door.hear(LetsIn::read(answer.headers()), Instant::now());
                Attempt::Answered(answer.map(Body::new))
            }
            Ok(Err(error)) => fate(&error),
            Err(_) => Attempt::Failed(UpstreamError::Unknown),
        }
    }
}

/// Whether a failed request can have been seen.
fn fate(error: &Error) -> Attempt {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<hyper::Error>());
    match cause {
        _ if error.is_connect() => Attempt::NeverSent,
        // The library says so only of a request of which it wrote nothing.
        Some(cause) if cause.is_canceled() => Attempt::NeverSent,
        Some(cause) if cause.is_parse() => Attempt::Failed(UpstreamError::Garbled),
        _ => Attempt::Failed(UpstreamError::Unknown),
    }
}

fn address(authority: &Authority, uri: &Uri) -> Uri {
    let mut parts = hyper::http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority = Some(authority.clone());
    parts.path_and_query = uri
        .path_and_query()
        .cloned()
        .or(Some(PathAndQuery::from_static("/")));
    Uri::from_parts(parts).expect("scheme, authority and path make an address")
}

async fn probe(http: Http, instance: Arc<Instance>) {
    let uri = address(&instance.authority, &Uri::from_static("/readyz"));
    loop {
        let answer = tokio::time::timeout(PROBE_PATIENCE, http.get(uri.clone())).await;
        let is_ready = matches!(answer, Ok(Ok(answer)) if answer.status() == StatusCode::OK);
        instance.is_ready.store(is_ready, Ordering::Relaxed);
        tokio::time::sleep(PROBE).await;
    }
}
