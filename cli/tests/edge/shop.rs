//! A tiny service behind an edge.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use bigtix::edge::{Docs, Edge, EdgeConfig, Instances, Limits, Upstream};
use bigtix_service::{Listen, Running, Service};
use futures::StreamExt;
use futures::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    InProcess,
    Http,
}

pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    pub(crate) edge: Edge,
    signal: Arc<Notify>,
    is_ready: Arc<AtomicBool>,
    _service: Running,
}

/// Limits that are reached soon.
pub(crate) fn tight() -> Limits {
    Limits {
        body: Duration::from_millis(200),
        upstream: Duration::from_millis(200),
        ..Limits::default()
    }
}

impl Shop {
    pub(crate) async fn open(form: Form, limits: Limits) -> Self {
        Self::with(form, limits, &[]).await
    }

    pub(crate) async fn open_behind(form: Form, trusted: &[&str]) -> Self {
        Self::with(form, Limits::default(), trusted).await
    }

    async fn with(form: Form, limits: Limits, trusted: &[&str]) -> Self {
        let (signal, is_ready) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(true)));
        let service = start(any_port(), Arc::clone(&signal), Arc::clone(&is_ready)).await;
        let upstream = match form {
            Form::InProcess => Upstream::InProcess(service.router.clone()),
            Form::Http => Upstream::Instances(Instances::new([authority(service.public_addr)])),
        };
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let (edge, address) = open_edge(upstream, limits, trusted).await;
        Self {
            address,
            edge,
            signal,
            is_ready,
            _service: service,
        }
    }

    pub(crate) fn go_on(&self) {
        self.signal.notify_one();
    }

    pub(crate) fn signal(&self) -> Arc<Notify> {
        Arc::clone(&self.signal)
    }

    pub(crate) fn be_unready(&self) {
        self.is_ready.store(false, Ordering::SeqCst);
    }
}

pub(crate) async fn open_edge(
    upstream: Upstream,
    limits: Limits,
    trusted_proxies: Vec<bigtix_contracts::network::Network>,
) -> (Edge, SocketAddr) {
    let listener = TcpListener::bind(any_port()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = EdgeConfig {
        upstreams: BTreeMap::from([(bigtix_crds::Service::Tickets, upstream)]),
        docs: Docs::new(&[("tickets", json!({"openapi": "3.1.0"}))]),
        trusted_proxies,
        limits,
    };
    (Edge::start(config, vec![listener]), address)
}

pub(crate) fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

pub(crate) fn authority(address: SocketAddr) -> hyper::http::uri::Authority {
    address.to_string().parse().unwrap()
}

pub(crate) async fn start(address: SocketAddr, signal: Arc<Notify>, is_ready: Arc<AtomicBool>) -> Running {
    let listen = Listen {
        public: address,
        internal: None,
    };
    Service::new("tickets", r#"{"version": "1.0.0"}"#)
        .public(routes(signal))
        .ready_when("told", move || {
            let is_ready = is_ready.load(Ordering::SeqCst);
            async move { is_ready }
        })
        .start(listen)
        .await
        .unwrap()
}

fn routes(signal: Arc<Notify>) -> Router {
    let count = Arc::new(AtomicU64::new(0));
    Router::new()
        .route("/api/tickets", get(seen).post(seen))
        .route(
            "/api/tickets/length",
            post(async |body: Bytes| body.len().to_string()),
        )
        .route(
            "/api/tickets/never",
            get(std::future::pending::<()>).post(std::future::pending::<()>),
        )
        .route("/api/tickets/stream", get(move || halves(Arc::clone(&signal))))
        .route(
            "/api/tickets/events",
            get(async || {
                let endless = stream::iter([Ok::<_, std::io::Error>("data: 1\n\n")]).chain(stream::pending());
                (
                    [("content-type", "text/event-stream")],
                    Body::from_stream(endless),
                )
            }),
        )
        .route(
            "/api/tickets/count",
            get(async move || (count.fetch_add(1, Ordering::SeqCst) + 1).to_string()),
        )
}

async fn seen(headers: HeaderMap) -> Json<Value> {
    let pairs = headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").into()));
    Json(Value::Object(pairs.collect()))
}

async fn halves(signal: Arc<Notify>) -> Body {
    let second = async move {
        signal.notified().await;
        Ok::<_, std::io::Error>("second half")
    };
    Body::from_stream(stream::select(
        stream::iter([Ok("first half")]),
        stream::once(second),
    ))
}
