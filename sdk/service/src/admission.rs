//! Past capacity a request is refused at once, so that those that were let in keep their pace.
//!
//! A service is past capacity when what could run has to wait for a processor. That wait is measured while many requests
//! are under way; while it is long, no more may be under way than the service has been seen to finish in a moment, which
//! by Little's law is how long each of them takes then. The signal is that of DAGOR (Zhou et al., "Overload Control for
//! Scaling WeChat Microservices", 2018), which depends on no route's usual duration.

mod door;
mod entrance;
mod limit;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::door::{LETS_IN, LetsIn, TURNED_AWAY, TurnedAway, begins_something};
use self::entrance::{Entrance, Pace};
pub(crate) use self::limit::Part;
use self::limit::{MOST, PROBE, Seen, Waited};
use crate::http::ApiError;

/// What a service that is past its capacity says with each of its calls.
pub(crate) const PAST_CAPACITY: HeaderName = HeaderName::from_static("bigtix-past-capacity");
/// How often the limit is thought over.
const WINDOW: Duration = Duration::from_millis(50);
/// What the latest window weighs in the pace at which requests are finished.
const LATEST: f64 = 0.25;
/// For so many windows after a bad one a limit stays that does not bind: who was refused comes again.
const ALERT: u32 = 100;

/// Whether a service is past its capacity, for the services that it calls: what they begin, it has to finish.
#[derive(Debug, Clone, Default)]
pub struct Strain(Arc<AtomicBool>);

impl Strain {
    /// Whether it is, now.
    pub(crate) fn is_felt(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, felt: bool) {
        self.0.store(felt, Ordering::Relaxed);
    }
}

/// How many requests are under way in a service, and how many there may be.
#[derive(Debug)]
pub(crate) struct Admission {
    service: &'static str,
    part: Part,
    strain: Strain,
    entrance: Entrance,
    under_way: AtomicUsize,
    limit: AtomicUsize,
    /// Finished in this window.
    finished: AtomicU64,
    /// Refused in this window.
    refused: AtomicU64,
    crowded: Notify,
}

impl Admission {
    /// `strain` is told to others.
    pub(crate) fn new(service: &'static str, part: Part, strain: Strain) -> Self {
        Self {
            service,
            part,
            strain,
            entrance: Entrance::default(),
            under_way: AtomicUsize::new(0),
            limit: AtomicUsize::new(MOST),
            finished: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            crowded: Notify::new(),
        }
    }

    /// Lets a request in until the answer is dropped, or not.
    fn enter(self: &Arc<Self>, method: &Method) -> Option<UnderWay> {
        let number = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        let is_too_many = number > self.limit.load(Ordering::Relaxed);
        if is_too_many || !self.entrance.admits(method) {
            self.under_way.fetch_sub(1, Ordering::Relaxed);
            self.refused.fetch_add(u64::from(is_too_many), Ordering::Relaxed);
            return None;
        }
        if number == self.part.least() {
            self.crowded.notify_one();
        }
        Some(UnderWay(Arc::clone(self)))
    }

    /// The edge has turned others away, as this service would have done.
    fn hear_of(&self, turned_away: TurnedAway) {
        let TurnedAway { was_full, was_fast } = turned_away;
        self.refused.fetch_add(u64::from(was_full), Ordering::Relaxed);
        if was_fast {
            self.entrance.note_refused();
        }
    }

    /// What the edge is told; nothing while everything is let in.
    fn lets_in(&self) -> Option<LetsIn> {
        let (at_once, pace) = (self.limit.load(Ordering::Relaxed), self.entrance.pace());
        (at_once < MOST || pace.is_some()).then_some(LetsIn { at_once, pace })
    }

    /// Moves the limit and the pace of the entrance until `stop`. Costs nothing while few requests are under way.
    pub(crate) async fn govern(self: Arc<Self>, stop: CancellationToken) {
        let limits = metrics::gauge!("bigtix_requests_limit", "service" => self.service);
        let paces = metrics::gauge!("bigtix_entrance_rate", "service" => self.service);
        let mut pace = Pace::default();
        let mut alert = 0;
        let mut finished = 0.0;
        loop {
            let limit = self.limit.load(Ordering::Relaxed);
            limits.set(limit as f64);
            paces.set(pace.rate());
            if limit == MOST && pace.is_free() && self.under_way.load(Ordering::Relaxed) < self.part.least() {
                self.strain.set(false);
                let something = async {
                    tokio::select! {
                        () = self.crowded.notified() => {}
                        () = self.entrance.pressed() => {}
                    }
                };
                if stop.run_until_cancelled(something).await.is_none() {
                    return;
                }
            }
            let Some(seen) = stop.run_until_cancelled(self.look(&mut pace)).await else {
                return;
            };
            finished += LATEST * (seen.finished - finished);
            let is_strained = self.part.is_strained(&seen);
            self.strain.set(is_strained);
            alert = if is_strained {
                ALERT
            } else {
                u32::saturating_sub(alert, 1)
            };
            let next = self.part.next_limit(limit, Seen { finished, ..seen }, alert > 0);
            if next < limit {
                tracing::debug!(service = self.service, limit = next, ?seen, "past capacity");
            }
            self.limit.store(next, Ordering::Relaxed);
        }
    }

    /// Goes on as usual for a window, which is longer where processors are short.
    async fn look(&self, pace: &mut Pace) -> Seen {
        let began = Instant::now();
        let mut waited = Waited::default();
        let mut last = began;
        while began.elapsed() < WINDOW {
            let due = Instant::now() + PROBE;
            tokio::time::sleep_until(due).await;
            waited.add(due.elapsed());
            pace.refill(&self.entrance, last.elapsed());
            last = Instant::now();
        }
        let elapsed = began.elapsed();
        pace.think_over(&self.entrance, elapsed);
        Seen {
            wait: waited.mean(),
            finished: self.finished.swap(0, Ordering::Relaxed) as f64 / elapsed.as_secs_f64(),
            refused: self.refused.swap(0, Ordering::Relaxed) > 0,
        }
    }
}

/// A request that was let in.
#[derive(Debug)]
struct UnderWay(Arc<Admission>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
        self.0.finished.fetch_add(1, Ordering::Relaxed);
    }
}

/// The middleware around a service's own routes.
pub(crate) async fn admit(State(admission): State<Arc<Admission>>, request: Request, next: Next) -> Response {
    let turned_away = TurnedAway::read(request.headers());
    if let Some(turned_away) = turned_away {
        admission.hear_of(turned_away);
    }
    let mut response = match admission.enter(request.method()) {
        Some(_under_way) => next.run(request).await,
        None => {
            metrics::counter!("bigtix_requests_refused_total", "service" => admission.service).increment(1);
            ApiError::overloaded().into_response()
        }
    };
    if let Some(lets_in) = turned_away.and_then(|_| admission.lets_in()) {
        response.headers_mut().insert(LETS_IN, lets_in.to_value());
    }
    response
}

/// The middleware around the routes for other services: hears whether one of them is past its capacity.
pub(crate) async fn hear(State(admission): State<Arc<Admission>>, request: Request, next: Next) -> Response {
    let is_strained = request.headers().contains_key(PAST_CAPACITY);
    let response = next.run(request).await;
    // Only who may call at all is believed.
    if is_strained && response.status() != StatusCode::UNAUTHORIZED {
        admission.entrance.press();
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use axum::{Json, Router};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;
    use tower::ServiceExt as _;

    use super::*;
    use crate::Secret;
    use crate::http::keys::KeyRing;
    use crate::internal::{Peer, guarded};

    #[test]
    fn nobody_is_let_in_beyond_the_limit_and_everybody_counts_until_answered() {
        let admission = Arc::new(Admission::new("test", Part::Begins, Strain::default()));
        let mut inside: Vec<UnderWay> = (0..MOST).filter_map(|_| admission.enter(&Method::GET)).collect();
        assert_eq!(inside.len(), MOST);
        assert!(admission.enter(&Method::GET).is_none() && admission.enter(&Method::GET).is_none());
        inside.pop();
        assert!(admission.enter(&Method::GET).is_some());
        drop(inside);
        assert_eq!(admission.under_way.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn who_is_refused_is_told_to_come_again_in_the_words_that_tests_know() {
        let admission = Arc::new(Admission::new("test", Part::Begins, Strain::default()));
        let inside: Vec<UnderWay> = (0..MOST).filter_map(|_| admission.enter(&Method::GET)).collect();
        let routes = Router::new().route("/", post(async || Json(())));
        let routes = routes.layer(from_fn_with_state(admission.clone(), admit));
        let ask = || Request::post("/").body(axum::body::Body::empty()).unwrap();
        let refusal = routes.clone().oneshot(ask()).await.unwrap();
        let status = refusal.status().as_u16();
        let body = axum::body::to_bytes(refusal.into_body(), 1024).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap();
        assert!(bigtix_testkit::is_past_capacity(status, &body), "{status} {body}");
        drop(inside);
        assert_eq!(routes.oneshot(ask()).await.unwrap().status(), StatusCode::OK);
    }

    /// A runtime whose only thread is busy is past its capacity, whatever the machine does.
    #[tokio::test]
    async fn a_busy_thread_is_noticed_and_so_is_an_idle_one() {
        let admission = Arc::new(Admission::new("test", Part::Begins, Strain::default()));
        let stop = CancellationToken::new();
        let governing = tokio::spawn(Arc::clone(&admission).govern(stop.clone()));
        let least = Part::Begins.least();
        let inside: Vec<UnderWay> = (0..100).filter_map(|_| admission.enter(&Method::GET)).collect();
        while admission.limit.load(Ordering::Relaxed) > least {
            let began = Instant::now();
            while began.elapsed() < 2 * Part::Begins.longest_wait() {
                std::hint::spin_loop();
            }
            tokio::task::yield_now().await;
        }
        assert!(admission.enter(&Method::GET).is_none());
        drop(inside);
        bigtix_testkit::eventually("the limit to be out of the way", async || {
            (admission.limit.load(Ordering::Relaxed) == MOST).then_some(())
        })
        .await;
        stop.cancel();
        governing.await.unwrap();
    }

    /// Two services, of which one calls the other.
    #[tokio::test]
    async fn who_is_told_begins_less_and_only_callers_are_believed() {
        const KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let keys = |text: &str| KeyRing::parse(&Secret::new(text)).unwrap();
        let admission = Arc::new(Admission::new("test", Part::Begins, Strain::default()));
        let routes = Router::new().route("/finish", post(async || Json(())));
        let routes = guarded(routes, keys(KEYS)).layer(from_fn_with_state(admission.clone(), hear));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let mut running = JoinSet::new();
        running.spawn(Arc::clone(&admission).govern(stop.clone()));
        let stopped = stop.clone().cancelled_owned();
        running.spawn(async move {
            let serving = axum::serve(listener, routes).with_graceful_shutdown(stopped);
            serving.await.unwrap();
        });

        let strain = Strain::default();
        let call = async |keys: KeyRing| {
            let peer = Peer::new("caller", "test", vec![base.clone()], keys).telling(strain.clone());
            peer.call::<_, ()>("/finish", &()).await
        };
        let is_narrow = || admission.entrance.pace().is_some();
        call(keys(KEYS)).await.unwrap();
        strain.set(true);
        call(keys(&KEYS.replace("AAEC", "AQEC"))).await.unwrap_err();
        assert!(!admission.entrance.is_pressed());
        call(keys(KEYS)).await.unwrap();
        bigtix_testkit::eventually("the entrance to be narrow", async || is_narrow().then_some(())).await;
        bigtix_testkit::eventually("the entrance to be wide", async || (!is_narrow()).then_some(())).await;
        stop.cancel();
        running.join_all().await;
    }
}
