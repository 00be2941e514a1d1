//! Past capacity a request is refused at once, so that those that were let in keep their pace.
//!
//! A service is past capacity when what could run has to wait for a processor. That wait is measured while many requests
//! are under way, and it moves the limit of how many there may be: down by a share, up by steps. The signal is that of
//! DAGOR (Zhou et al., "Overload Control for Scaling WeChat Microservices", 2018), which depends on no route's usual
//! duration; the steps are those of Chiu and Jain (1989), which share fairly between instances.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::http::ApiError;

/// The limit is never lower: so few cannot be what overloads a service.
const LEAST: usize = 64;
/// The limit is never higher: every request under way holds memory.
const MOST: usize = 1024;
/// How often the limit is thought over.
const WINDOW: Duration = Duration::from_millis(100);
/// So many windows in a row have to be bad before anybody is refused: a crowd that comes at once and is served within a
/// second waits for less than who is told to come again.
const LASTING: u32 = 5;
/// How often the wait is measured.
const PROBE: Duration = Duration::from_millis(4);

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
            Self::Usual => Duration::from_millis(20),
            Self::Long => Duration::from_millis(60),
        }
    }
}

/// How many requests are under way in a service, and how many there may be.
#[derive(Debug)]
pub(crate) struct Admission {
    service: &'static str,
    patience: Patience,
    under_way: AtomicUsize,
    limit: AtomicUsize,
    /// The most that were under way at once in this window.
    peak: AtomicUsize,
    /// Refused in this window.
    refused: AtomicU64,
    crowded: Notify,
}

/// What was seen in a window.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// For a processor, on average.
    wait: Duration,
    peak: usize,
    refused: u64,
}

impl Admission {
    pub(crate) fn new(service: &'static str, patience: Patience) -> Self {
        Self {
            service,
            patience,
            under_way: AtomicUsize::new(0),
            limit: AtomicUsize::new(MOST),
            peak: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
            crowded: Notify::new(),
        }
    }

    /// Lets a request in until the answer is dropped, or not.
    fn enter(self: &Arc<Self>) -> Option<UnderWay> {
        let number = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        let entered = UnderWay(Arc::clone(self));
        if number > self.limit.load(Ordering::Relaxed) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        self.peak.fetch_max(number, Ordering::Relaxed);
        if number == LEAST {
            self.crowded.notify_one();
        }
        Some(entered)
    }

    /// Moves the limit until `stop`. Costs nothing while few requests are under way.
    pub(crate) async fn govern(self: Arc<Self>, stop: CancellationToken) {
        let gauge = metrics::gauge!("bigtix_requests_limit", "service" => self.service);
        gauge.set(MOST as f64);
        let mut bad = 0;
        loop {
            let limit = self.limit.load(Ordering::Relaxed);
            let is_calm = limit == MOST && self.under_way.load(Ordering::Relaxed) < LEAST;
            if is_calm && stop.run_until_cancelled(self.crowded.notified()).await.is_none() {
                return;
            }
            let Some(seen) = stop.run_until_cancelled(self.look()).await else {
                return;
            };
            bad = if seen.wait > self.patience.longest_wait() {
                bad + 1
            } else {
                0
            };
            let next = next_limit(limit, seen, bad);
            if next < limit {
                tracing::debug!(service = self.service, limit = next, ?seen, "past capacity");
            }
            self.limit.store(next, Ordering::Relaxed);
            gauge.set(next as f64);
        }
    }

    async fn look(&self) -> Seen {
        let began = Instant::now();
        let (mut waited, mut times) = (Duration::ZERO, 0);
        while began.elapsed() < WINDOW {
            let due = Instant::now() + PROBE;
            tokio::time::sleep_until(due).await;
            waited += due.elapsed();
            times += 1;
        }
        Seen {
            wait: waited / times,
            peak: self.peak.swap(0, Ordering::Relaxed),
            refused: self.refused.swap(0, Ordering::Relaxed),
        }
    }
}

/// `bad` counts the windows up to this one in which requests waited too long.
fn next_limit(limit: usize, seen: Seen, bad: u32) -> usize {
    let Seen {
        wait: _,
        peak,
        refused,
    } = seen;
    let next = if limit == MOST && (1..LASTING).contains(&bad) {
        limit
    } else if bad > 0 {
        // From what was there: a limit far above it would take long to matter.
        limit.min(peak) * 4 / 5
    } else if refused > 0 {
        limit + LEAST / 4
    } else {
        // It does not bind; the next rush finds it out of the way.
        limit * 2
    };
    next.clamp(LEAST, MOST)
}

/// A request that was let in, or is about to be refused.
#[derive(Debug)]
struct UnderWay(Arc<Admission>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The middleware around a service's own routes.
pub(crate) async fn admit(State(admission): State<Arc<Admission>>, request: Request, next: Next) -> Response {
    match admission.enter() {
        Some(_under_way) => next.run(request).await,
        None => {
            metrics::counter!("bigtix_requests_refused_total", "service" => admission.service).increment(1);
            ApiError::overloaded().into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peak: usize, refused: u64) -> Seen {
        Seen {
            wait: Duration::ZERO,
            peak,
            refused,
        }
    }

    #[test]
    fn a_wait_that_lasts_lowers_the_limit_from_what_was_there() {
        assert_eq!(next_limit(MOST, seen(500, 0), LASTING - 1), MOST);
        assert_eq!(next_limit(MOST, seen(500, 0), LASTING), 400);
        assert_eq!(next_limit(100, seen(500, 9), 1), 80);
        assert_eq!(next_limit(LEAST, seen(500, 9), 1), LEAST);
    }

    #[test]
    fn a_short_wait_raises_it_by_steps_while_it_binds_and_takes_it_away_when_it_does_not() {
        assert_eq!(next_limit(100, seen(100, 1), 0), 116);
        assert_eq!(next_limit(100, seen(90, 0), 0), 200);
        assert_eq!(next_limit(MOST, seen(2000, 9), 0), MOST);
    }

    #[test]
    fn nobody_is_let_in_beyond_the_limit_and_everybody_counts_until_answered() {
        let admission = Arc::new(Admission::new("test", Patience::Usual));
        let mut inside: Vec<UnderWay> = (0..MOST).filter_map(|_| admission.enter()).collect();
        assert_eq!(inside.len(), MOST);
        assert!(admission.enter().is_none() && admission.enter().is_none());
        inside.pop();
        assert!(admission.enter().is_some());
        drop(inside);
        assert_eq!(admission.under_way.load(Ordering::Relaxed), 0);
    }

    /// A runtime whose only thread is busy is past its capacity, whatever the machine does.
    #[tokio::test]
    async fn a_busy_thread_is_noticed_and_so_is_an_idle_one() {
        let admission = Arc::new(Admission::new("test", Patience::Usual));
        let stop = CancellationToken::new();
        let governing = tokio::spawn(Arc::clone(&admission).govern(stop.clone()));
        let inside: Vec<UnderWay> = (0..100).filter_map(|_| admission.enter()).collect();
        while admission.limit.load(Ordering::Relaxed) > LEAST {
            let began = Instant::now();
            while began.elapsed() < 2 * Patience::Usual.longest_wait() {
                std::hint::spin_loop();
            }
            admission.peak.fetch_max(inside.len(), Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
        assert!(admission.enter().is_none());
        drop(inside);
        bigtix_testkit::eventually("the limit to be out of the way", async || {
            (admission.limit.load(Ordering::Relaxed) == MOST).then_some(())
        })
        .await;
        stop.cancel();
        governing.await.unwrap();
    }
}
