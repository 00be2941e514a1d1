//! The server: sockets, tasks, and what they share. Everything that decides lies elsewhere.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::account::Account;
use super::{control, http, webhook};
use crate::eventually::elapse;

/// What every task of one double shares.
pub(crate) struct Shared {
    account: Mutex<Account>,
    /// Deliveries are queued.
    pub(crate) news: Notify,
    /// The sequence of the newest event that was delivered.
    pub(crate) delivered: watch::Sender<u64>,
    pub(crate) stop: CancellationToken,
    pub(crate) secret_key: String,
    pub(crate) publishable_key: String,
}

impl Shared {
    pub(crate) fn new(account: Account, secret_key: String, publishable_key: String) -> Self {
        Self {
            account: Mutex::new(account),
            news: Notify::new(),
            delivered: watch::Sender::new(0),
            stop: CancellationToken::new(),
            secret_key,
            publishable_key,
        }
    }

    /// The account. Never held across an await.
    pub(crate) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a task until it ends or the double stops.
    pub(crate) fn spawn(
        &self,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> tokio::task::JoinHandle<()> {
        let stop = self.stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        })
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Marks an answer that is never sent: the connection is dropped instead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp;

/// The connection is to be dropped without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped without an answer")]
struct HungUp;

/// Starts to answer on `listener`, and to deliver webhooks.
pub(crate) fn start(shared: &Arc<Shared>, listener: TcpListener) -> [tokio::task::JoinHandle<()>; 2] {
    let router = control::router()
        .fallback(http::serve)
        .with_state(Arc::clone(shared));
    let server = shared.spawn(accept(Arc::clone(shared), listener, router));
    let courier = shared.spawn(webhook::deliver_all(Arc::clone(shared)));
    [server, courier]
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                shared.spawn(connection(Arc::clone(&shared), stream, router.clone()));
            }
            // Out of descriptors, or a peer that left at once: the next one may fare better.
            Err(_) => elapse(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(shared: Arc<Shared>, stream: TcpStream, router: Router) {
    // Answers are small and awaited one by one; waiting to fill packets would only slow them down.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        answer(Arc::clone(&shared), router.clone(), request)
    });
    // A peer that leaves early is no error of ours.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Answers in a task of its own: like at Stripe, a client that leaves does not undo what it asked for.
async fn answer(
    shared: Arc<Shared>,
    router: Router,
    request: hyper::Request<Incoming>,
) -> Result<Response, HungUp> {
    let (send, receive) = tokio::sync::oneshot::channel();
    shared.spawn(async move {
        let answered: Result<Response, Infallible> = router.oneshot(request).await;
        let Ok(response) = answered;
        // Nobody may be listening any more.
        let _ = send.send(response);
    });
    match receive.await {
        Ok(response) if response.extensions().get::<HangUp>().is_none() => Ok(response),
        Ok(_) | Err(_) => Err(HungUp),
    }
}
