//! The one door of a shop on one machine: takes every request, refuses what is not to be let in, and hands the rest
//! to the service that the route table names. The same table makes the Ingress in a cluster.
//!
//! Behind it the services are tasks of this process or processes of their own; what a client sees is the same.

mod answer;
mod connection;
mod connections;
mod docs;
mod forwarded;
mod gate;
mod inspect;
mod own;
mod target;
mod upstream;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bigtix_contracts::network::Network;
use bigtix_crds::Service;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use self::docs::Docs;
pub use self::upstream::{Instances, Upstream};

use self::connection::Inspected;
use self::connections::Connections;
use self::gate::Gate;

/// Between two tries to accept a connection after the system had no room for one.
const NO_ROOM: Duration = Duration::from_millis(20);

/// Bounds of what the edge lets in and waits for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections that are open at once.
    pub connections: usize,
    /// Of which so many come from one address, unless that is a trusted proxy or this machine.
    pub connections_per_address: usize,
    /// Largest body of a request, in bytes.
    pub body_bytes: usize,
    /// All bodies that are held at once, in bytes.
    pub bodies_bytes: usize,
    /// How long the head of a request may take to arrive, the wait for it on an open connection included.
    pub head: Duration,
    /// How long the body of a request may take to arrive.
    pub body: Duration,
    /// How long a service may take to begin its answer.
    pub upstream: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 256,
            body_bytes: 1024 * 1024,
            bodies_bytes: 64 * 1024 * 1024,
            head: Duration::from_secs(30),
            body: Duration::from_secs(30),
            upstream: Duration::from_secs(60),
        }
    }
}

/// What the edge is to serve.
pub struct EdgeConfig {
    /// Each service that is there; requests for others are answered 404.
    pub upstreams: BTreeMap<Service, Upstream>,
    /// The pages of the API.
    pub docs: Docs,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<Network>,
    /// Bounds.
    pub limits: Limits,
}

/// A running edge. Dropping it lets connections end by themselves.
pub struct Edge {
    stop: CancellationToken,
    accepting: Vec<JoinHandle<GracefulShutdown>>,
}

impl Edge {
    /// Serves on all of these listeners.
    pub fn start(config: EdgeConfig, listeners: Vec<TcpListener>) -> Self {
        let stop = CancellationToken::new();
        let proxies = config.trusted_proxies.clone();
        let open = Arc::new(Connections::new(&config.limits, proxies));
        let gate = Arc::new(Gate::new(config, stop.clone()));
        let accepting = listeners
            .into_iter()
            .map(|listener| {
                let (gate, open) = (Arc::clone(&gate), Arc::clone(&open));
                tokio::spawn(accept(listener, gate, open, stop.clone()))
            })
            .collect();
        Self { stop, accepting }
    }

    /// Takes no more connections, ends the idle ones, and gives the requests under way `grace` to end. Says whether
    /// all of them did.
    pub async fn stop(self, grace: Duration) -> bool {
        self.stop.cancel();
        let drained = async {
            for accepting in self.accepting {
                if let Ok(connections) = accepting.await {
                    connections.shutdown().await;
                }
            }
        };
        tokio::time::timeout(grace, drained).await.is_ok()
    }
}

async fn accept(
    listener: TcpListener,
    gate: Arc<Gate>,
    open: Arc<Connections>,
    stop: CancellationToken,
) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return connections,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, or a connection that is gone already; neither lasts.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(NO_ROOM).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let place = match open.open(peer.ip()) {
            Ok(place) => place,
            Err(why) => {
                let open = Arc::clone(&open);
                tokio::spawn(async move { open.refuse(stream, why).await });
                continue;
            }
        };
        let (stream, verdicts) = Inspected::new(stream);
        let gate_here = Arc::clone(&gate);
        let count = AtomicU64::new(0);
        let service = service_fn(move |request| {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            let (gate, bad_head) = (Arc::clone(&gate_here), verdicts.of(number));
            async move { Ok::<_, Infallible>(gate.answer(request, peer, bad_head).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(gate.limits().head)
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _place = place;
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection ended early");
            }
        });
    }
}

/// The address that browsers use for one that is listened on.
pub fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
