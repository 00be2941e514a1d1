//! The edge's side of a service's admission: what the service said last that it lets in, kept to here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bigtix_service::admission::{LetsIn, TurnedAway, begins_something};
use hyper::Method;
use tokio::time::Instant;

/// What was heard longer ago counts no more: the service is asked again.
const STALE: Duration = Duration::from_millis(500);
/// Nobody saves up for longer.
const SAVED: Duration = Duration::from_millis(50);

/// The door of one instance.
#[derive(Debug)]
pub(super) struct Door(Mutex<State>);

#[derive(Debug)]
struct State {
    heard: Option<(LetsIn, Instant)>,
    under_way: usize,
    /// So many more may begin something.
    room: f64,
    refilled: Instant,
    /// Since the service was told last.
    turned_away: TurnedAway,
}

/// A request that was let through, until it is answered.
#[derive(Debug)]
pub(super) struct Passage<'d> {
    door: &'d Door,
    /// What the service is to be told.
    pub(super) turned_away: TurnedAway,
}

impl Door {
    /// A door that stands open.
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(State {
            heard: None,
            under_way: 0,
            room: 0.0,
            refilled: now,
            turned_away: TurnedAway::default(),
        }))
    }

    /// Lets a request through, or turns it away.
    pub(super) fn pass(&self, method: &Method, now: Instant) -> Option<Passage<'_>> {
        let mut state = self.state();
        state.admit(method, now).then(|| {
            state.under_way += 1;
            Passage {
                door: self,
                turned_away: std::mem::take(&mut state.turned_away),
            }
        })
    }

    /// The service said what it lets in; nothing means everything.
    pub(super) fn hear(&self, lets_in: Option<LetsIn>, now: Instant) {
        self.state().heard = lets_in.map(|lets_in| (lets_in, now));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing inside panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.door.state().under_way -= 1;
    }
}

impl State {
    fn admit(&mut self, method: &Method, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.refilled);
        self.refilled = now;
        let fresh = |(_, since): &(LetsIn, Instant)| now.saturating_duration_since(*since) < STALE;
        let Some((LetsIn { at_once, pace }, _)) = self.heard.filter(fresh) else {
            self.room = 0.0;
            return true;
        };
        let pace = pace.filter(|_| begins_something(method));
        if let Some(pace) = pace {
            let most = (pace * SAVED.as_secs_f64()).max(1.0);
            self.room = (self.room + pace * elapsed.as_secs_f64()).min(most);
        }
        let is_full = self.under_way >= at_once;
        let is_fast = pace.is_some() && self.room < 1.0;
        self.turned_away.was_full |= is_full;
        self.turned_away.was_fast |= is_fast && !is_full;
        if is_full || is_fast {
            return false;
        }
        if pace.is_some() {
            self.room -= 1.0;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn lets_in(at_once: usize, pace: Option<f64>) -> Option<LetsIn> {
        Some(LetsIn { at_once, pace })
    }

    #[test]
    fn no_more_are_under_way_than_the_service_says() {
        let (now, get) = (Instant::now(), Method::GET);
        let door = Door::new(now);
        let many: Vec<Passage<'_>> = (0..100).filter_map(|_| door.pass(&get, now)).collect();
        assert_eq!(many.len(), 100);
        door.hear(lets_in(2, None), now);
        assert!(door.pass(&get, now).is_none());
        drop(many);
        let first = door.pass(&get, now).unwrap();
        assert!(first.turned_away.was_full && !first.turned_away.was_fast);
        let second = door.pass(&get, now).unwrap();
        assert_eq!(second.turned_away, TurnedAway::default());
        assert!(door.pass(&get, now).is_none());
        drop(first);
        assert!(door.pass(&get, now).is_some());
    }

    #[test]
    fn no_more_begin_than_the_pace_allows_and_reading_is_free() {
        let (began, post) = (Instant::now(), Method::POST);
        let door = Door::new(began);
        let passed = |milliseconds: std::ops::Range<u32>| {
            let let_through = |now: u32| {
                door.hear(lets_in(64, Some(100.0)), began + MS * now);
                door.pass(&post, began + MS * now).is_some()
            };
            milliseconds.filter(|now| let_through(*now)).count()
        };
        let in_a_second = passed(0..1000);
        assert!((99..=101).contains(&in_a_second), "{in_a_second}");
        assert!(
            door.pass(&Method::GET, began + MS * 1000)
                .unwrap()
                .turned_away
                .was_fast
        );
        // What was not asked for is saved for a moment alone.
        let afterwards = passed(3000..3010);
        assert!((5..=6).contains(&afterwards), "{afterwards}");
    }

    #[test]
    fn what_was_heard_long_ago_and_what_was_taken_back_does_not_count() {
        let (now, post) = (Instant::now(), Method::POST);
        let door = Door::new(now);
        door.hear(lets_in(0, Some(5.0)), now);
        assert!(door.pass(&post, now).is_none());
        assert!(door.pass(&post, now + STALE).is_some());
        door.hear(lets_in(0, Some(5.0)), now);
        door.hear(None, now);
        assert!(door.pass(&post, now).is_some());
    }
}
