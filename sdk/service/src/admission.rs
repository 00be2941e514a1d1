//! Past capacity a request is refused at once, so that those that were let in keep their pace.
//!
//! A service is past capacity when what could run has to wait for a processor. That wait is measured while many requests
//! are under way; while it is long, no more may be under way than the service has been seen to finish in a moment, which
//! by Little's law is how long each of them takes then. The signal is that of DAGOR (Zhou et al., "Overload Control for
//! Scaling WeChat Microservices", 2018), which depends on no route's usual duration.

mod door;
mod entrance;

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
use crate::http::ApiError;

/// What a service that is past its capacity says with each of its calls.
pub(crate) const PAST_CAPACITY: HeaderName = HeaderName::from_static("bigtix-past-capacity");
/// The limit is never higher: every request under way holds memory.
const MOST: usize = 1024;
/// How often the limit is thought over.
const WINDOW: Duration = Duration::from_millis(50);
/// In what time all that is under way ought to be finished.
const MOMENT: Duration = Duration::from_millis(250);
/// How often the wait is measured.
const PROBE: Duration = Duration::from_millis(2);
/// What the latest window weighs in the pace at which requests are finished.
const LATEST: f64 = 0.25;
/// So many windows in a row have to be bad before others are told.
const STRAINED: u32 = 2;
/// For so many windows afterwards one is enough, and a limit stays that does not bind: who was refused comes again.
const ALERT: u32 = 100;

/// How long a request waits for a processor, on average, in a service that is past its capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// What begins something is refused first.
    Usual,
    /// What finishes something that others hold meanwhile, such as paying for a reserved ticket, is refused last.
    Long,
}

impl Patience {
    fn longest_wait(self) -> Duration {
        match self {
            Self::Usual => Duration::from_millis(14),
            Self::Long => Duration::from_millis(25),
        }
    }

    /// The limit is never lower, so that the processors have something to do while the stores are waited for.
    fn least(self) -> usize {
        match self {
            Self::Usual => 64,
            Self::Long => 32,
        }
    }

    /// So many windows in a row have to be bad before anybody is refused. A crowd that comes at once and is served within a
    /// second waits for less than who is told to come again; what finishes something takes longer, and piles up at once.
    fn lasting(self) -> u32 {
        match self {
            Self::Usual => 4,
            Self::Long => 1,
        }
    }
}

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
    patience: Patience,
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

/// What was seen in a window.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// For a processor, on average.
    wait: Duration,
    /// A second.
    finished: f64,
    refused: bool,
}

impl Admission {
    /// `strain` is told to others.
    pub(crate) fn new(service: &'static str, patience: Patience, strain: Strain) -> Self {
        Self {
            service,
            patience,
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
        if number == self.patience.least() {
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
        let (mut bad, mut strained, mut alert) = (0, 0, 0);
        let mut finished = 0.0;
        loop {
            let limit = self.limit.load(Ordering::Relaxed);
            limits.set(limit as f64);
            paces.set(pace.rate());
            if limit == MOST
                && pace.is_free()
                && self.under_way.load(Ordering::Relaxed) < self.patience.least()
            {
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
            pace.think_over(&self.entrance, WINDOW);
            finished += LATEST * (seen.finished - finished);
            bad = counted(bad, seen.wait > self.patience.longest_wait());
            strained = counted(strained, seen.wait > Patience::Usual.longest_wait());
            let is_felt = strained >= STRAINED || (strained > 0 && alert > 0);
            self.strain.set(is_felt);
            alert = if is_felt {
                ALERT
            } else {
                u32::saturating_sub(alert, 1)
            };
            let next = next_limit(self.patience, limit, Seen { finished, ..seen }, bad, alert > 0);
            if next < limit {
                tracing::debug!(service = self.service, limit = next, ?seen, "past capacity");
            }
            self.limit.store(next, Ordering::Relaxed);
        }
    }

    async fn look(&self, pace: &mut Pace) -> Seen {
        let began = Instant::now();
        let (mut waited, mut times) = (Duration::ZERO, 0);
        let mut last = began;
        while began.elapsed() < WINDOW {
            let due = Instant::now() + PROBE;
            tokio::time::sleep_until(due).await;
            waited += due.elapsed();
            times += 1;
            pace.refill(&self.entrance, last.elapsed(), WINDOW);
            last = Instant::now();
        }
        Seen {
            wait: waited / times,
            finished: self.finished.swap(0, Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64(),
            refused: self.refused.swap(0, Ordering::Relaxed) > 0,
        }
    }
}

/// Windows in a row.
fn counted(row: u32, is_one_more: bool) -> u32 {
    if is_one_more { row.saturating_add(1) } else { 0 }
}

/// `bad` counts the windows up to this one in which requests waited too long; `is_alert` while it was felt lately.
fn next_limit(patience: Patience, limit: usize, seen: Seen, bad: u32, is_alert: bool) -> usize {
    let Seen {
        wait: _,
        finished,
        refused,
    } = seen;
    let next = if limit == MOST && (1..patience.lasting()).contains(&bad) {
        limit
    } else if bad > 0 {
        (finished * MOMENT.as_secs_f64()) as usize
    } else if refused {
        limit + limit / 8
    } else if is_alert {
        limit
    } else {
        // It does not bind; the next rush finds it out of the way.
        limit * 2
    };
    next.clamp(patience.least(), MOST)
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

    fn seen(finished: f64, refused: bool) -> Seen {
        Seen {
            wait: Duration::ZERO,
            finished,
            refused,
        }
    }

    #[test]
    fn a_wait_that_lasts_lowers_the_limit_to_what_is_finished_in_a_moment() {
        let next =
            |patience, limit, finished, bad| next_limit(patience, limit, seen(finished, true), bad, true);
        let (usual, long) = (Patience::Usual, Patience::Long);
        assert_eq!(next(usual, MOST, 1000.0, usual.lasting() - 1), MOST);
        assert_eq!(next(usual, MOST, 1000.0, usual.lasting()), 250);
        assert_eq!(next(usual, 100, 1000.0, 1), 250);
        assert_eq!(next(usual, 100, 1.0, 1), usual.least());
        assert_eq!(next(long, MOST, 200.0, 1), 50);
        assert_eq!(next(long, 100, 1.0, 1), long.least());
        assert_eq!(next(usual, 100, 1e6, 1), MOST);
    }

    #[test]
    fn a_short_wait_raises_it_by_steps_while_it_binds_and_takes_it_away_when_it_no_longer_does() {
        let next =
            |limit, refused, is_alert| next_limit(Patience::Usual, limit, seen(0.0, refused), 0, is_alert);
        assert_eq!(next(80, true, true), 90);
        assert_eq!(next(100, false, true), 100);
        assert_eq!(next(100, false, false), 200);
        assert_eq!(next(MOST, true, false), MOST);
    }

    #[test]
    fn nobody_is_let_in_beyond_the_limit_and_everybody_counts_until_answered() {
        let admission = Arc::new(Admission::new("test", Patience::Usual, Strain::default()));
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
        let admission = Arc::new(Admission::new("test", Patience::Usual, Strain::default()));
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
        let admission = Arc::new(Admission::new("test", Patience::Usual, Strain::default()));
        let stop = CancellationToken::new();
        let governing = tokio::spawn(Arc::clone(&admission).govern(stop.clone()));
        let least = Patience::Usual.least();
        let inside: Vec<UnderWay> = (0..100).filter_map(|_| admission.enter(&Method::GET)).collect();
        while admission.limit.load(Ordering::Relaxed) > least {
            let began = Instant::now();
            while began.elapsed() < 2 * Patience::Usual.longest_wait() {
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
        let admission = Arc::new(Admission::new("test", Patience::Usual, Strain::default()));
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
