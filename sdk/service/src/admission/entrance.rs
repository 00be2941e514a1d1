//! What begins something is let in only as fast as another service can finish it.
//!
//! A purchase begins in one service and ends in another, which costs more. The one that ends says with each call that it
//! makes when it is past its capacity, and the one that begins lets fewer in: the collaboration between services of DAGOR
//! (Zhou et al., "Overload Control for Scaling WeChat Microservices", 2018). A limit of how many are under way would not
//! do: beginning takes so little time that even a few at once begin more than can be ended.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::http::Method;
use tokio::sync::Notify;

use super::begins_something;

/// It is never slower than so many a second, so that what has passed is noticed.
const SLOWEST: f64 = 5.0;
/// Faster than any instance is asked; from here on nobody counts.
const FASTEST: f64 = 50_000.0;
/// Nobody saves up for longer. The edge's door saves less: what it let through one after the other is not to be refused here
/// because this service stood still meanwhile and meets it all at once.
const SAVED: Duration = Duration::from_millis(250);

/// Where requests come in that begin something.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    /// Another service said in this window that it is past its capacity.
    pressed: AtomicBool,
    /// How many may come in in a second, as the bits of a number; zero while nobody counts.
    pace: AtomicU64,
    /// So many more may come in.
    room: AtomicI64,
    /// Let in, in this window.
    entered: AtomicU64,
    /// Sent away, in this window.
    refused: AtomicU64,
    said: Notify,
}

/// What was seen in a window.
#[derive(Debug, Clone, Copy)]
struct Seen {
    pressed: bool,
    /// Let in, in a second.
    entered: f64,
    refused: bool,
}

impl Entrance {
    /// Whether a request may come in.
    pub(super) fn admits(&self, method: &Method) -> bool {
        if !begins_something(method) {
            return true;
        }
        if self.pace().is_some() && self.room.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.room.fetch_add(1, Ordering::Relaxed);
            self.note_refused();
            return false;
        }
        self.entered.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// How many may come in in a second; `None` while nobody counts.
    pub(super) fn pace(&self) -> Option<f64> {
        let pace = f64::from_bits(self.pace.load(Ordering::Relaxed));
        (pace > 0.0).then_some(pace)
    }

    /// Somebody was sent away, here or before the edge.
    pub(super) fn note_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn is_pressed(&self) -> bool {
        self.pressed.load(Ordering::Relaxed)
    }

    /// Another service is past its capacity.
    pub(super) fn press(&self) {
        self.pressed.store(true, Ordering::Relaxed);
        self.said.notify_one();
    }

    /// Comes back once somebody has said so.
    pub(super) async fn pressed(&self) {
        self.said.notified().await;
    }
}

/// How fast the entrance is; whoever governs a service holds it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// A second; nobody counts without it.
    rate: Option<f64>,
    /// Part of a request that may come in.
    part: f64,
}

impl Pace {
    pub(super) fn is_free(&self) -> bool {
        self.rate.is_none()
    }

    /// Requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.rate.unwrap_or(FASTEST)
    }

    /// Makes room for what may come in, `elapsed` after the last time.
    pub(super) fn refill(&mut self, entrance: &Entrance, elapsed: Duration) {
        let Some(rate) = self.rate else { return };
        let most = (rate * SAVED.as_secs_f64()).max(1.0);
        let left = entrance.room.load(Ordering::Relaxed) as f64;
        self.part = (self.part + rate * elapsed.as_secs_f64()).min((most - left).max(0.0));
        entrance.room.fetch_add(self.part as i64, Ordering::Relaxed);
        self.part = self.part.fract();
    }

    /// Goes by what was seen in the `window` that ends.
    pub(super) fn think_over(&mut self, entrance: &Entrance, window: Duration) {
        let entered = entrance.entered.swap(0, Ordering::Relaxed);
        let seen = Seen {
            pressed: entrance.pressed.swap(false, Ordering::Relaxed),
            entered: entered as f64 / window.as_secs_f64(),
            refused: entrance.refused.swap(0, Ordering::Relaxed) > 0,
        };
        if self.rate.is_none() {
            entrance.room.store(0, Ordering::Relaxed);
        }
        self.rate = next_rate(self.rate, seen);
        let pace = self.rate.unwrap_or_default();
        entrance.pace.store(pace.to_bits(), Ordering::Relaxed);
    }
}

fn next_rate(rate: Option<f64>, seen: Seen) -> Option<f64> {
    let Seen {
        pressed,
        entered,
        refused,
    } = seen;
    let next = match (rate, pressed) {
        (None, false) => return None,
        (None, true) => entered * 0.1,
        (Some(rate), true) => rate * 0.94,
        (Some(rate), false) if refused => rate * 1.05 + 0.5,
        // It does not bind; the next rush finds it out of the way.
        (Some(rate), false) => rate * 2.0,
    };
    (next < FASTEST).then_some(next.max(SLOWEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(100);

    fn seen(pressed: bool, refused: bool) -> Seen {
        Seen {
            pressed,
            entered: 1000.0,
            refused,
        }
    }

    #[test]
    fn it_gets_slower_while_another_service_is_pressed_and_faster_afterwards() {
        assert_eq!(next_rate(None, seen(false, false)), None);
        assert_eq!(next_rate(None, seen(true, false)), Some(100.0));
        assert_eq!(next_rate(Some(100.0), seen(true, true)), Some(94.0));
        assert_eq!(next_rate(Some(SLOWEST), seen(true, true)), Some(SLOWEST));
        assert_eq!(next_rate(Some(100.0), seen(false, true)), Some(105.5));
        assert_eq!(next_rate(Some(100.0), seen(false, false)), Some(200.0));
        assert_eq!(next_rate(Some(FASTEST), seen(false, false)), None);
    }

    #[test]
    fn so_many_come_in_as_the_pace_allows_and_reading_is_free() {
        let (entrance, mut pace) = (Entrance::default(), Pace::default());
        for _ in 0..100 {
            assert!(entrance.admits(&Method::POST));
        }
        entrance.press();
        pace.think_over(&entrance, WINDOW);
        assert!(!entrance.admits(&Method::POST) && entrance.admits(&Method::GET));
        // A tenth of a thousand a second, of which a moment's worth can be saved.
        for (elapsed, room) in [(25, 2), (8, 1), (1, 0), (1000, 25)] {
            pace.refill(&entrance, Duration::from_millis(elapsed));
            let entered = (0..1000).filter(|_| entrance.admits(&Method::POST)).count();
            assert_eq!(entered, room, "after {elapsed} ms");
        }
    }
}
