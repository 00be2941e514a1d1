//! How many requests may be under way, by what was seen in the last moment.

use std::time::Duration;

/// The limit is never higher: every request under way holds memory.
pub(super) const MOST: usize = 1024;
/// In what time all that is under way ought to be finished.
const MOMENT: Duration = Duration::from_millis(250);
/// How often the wait is measured.
pub(super) const PROBE: Duration = Duration::from_millis(2);
/// A limit that binds grows by one part in so many, or by one. Those who were refused together come again together, and what
/// grows faster lets all of them in then.
const STEP: usize = 32;

/// Which part of a purchase a service's requests are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What takes no more of the shop than itself, or begins what others finish.
    Begins,
    /// What finishes something that its buyer holds meanwhile, such as paying for a reserved ticket. It takes long, so that a
    /// few of them are many.
    Finishes,
}

/// What was seen in a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// For a processor, as a request meets it.
    pub(super) wait: Duration,
    /// A second.
    pub(super) finished: f64,
    pub(super) refused: bool,
}

impl Part {
    /// Beyond this wait the service is past its capacity.
    pub(super) fn longest_wait(self) -> Duration {
        match self {
            Self::Begins => Duration::from_millis(24),
            Self::Finishes => Duration::from_millis(20),
        }
    }

    /// The limit is never lower, so that the processors have something to do while the stores are waited for.
    pub(super) fn least(self) -> usize {
        match self {
            Self::Begins => 64,
            Self::Finishes => 24,
        }
    }

    /// Whether those are to be told that begin what this service finishes. Who is refused here holds a ticket and comes again;
    /// before the edge's door that takes no processor, and no wait for one tells of it.
    pub(super) fn is_strained(self, seen: &Seen) -> bool {
        let Seen {
            wait,
            finished: _,
            refused,
        } = *seen;
        wait > Self::Begins.longest_wait() || (self == Self::Finishes && refused)
    }

    /// The limit after `limit`; `is_alert` while the service was past its capacity lately. Between a short wait and a long one
    /// it rests, else it would swing from one to the other.
    pub(super) fn next_limit(self, limit: usize, seen: Seen, is_alert: bool) -> usize {
        let Seen {
            wait,
            finished,
            refused,
        } = seen;
        let next = if wait > self.longest_wait() {
            (finished * MOMENT.as_secs_f64()) as usize
        } else if refused && wait < self.longest_wait() / 2 {
            limit + (limit / STEP).max(1)
        } else if refused || is_alert {
            limit
        } else {
            // It does not bind; the next rush finds it out of the way.
            limit * 2
        };
        next.clamp(self.least(), MOST)
    }
}

/// Waits for a processor, weighed by how long they and the rest before them took: a request comes at any moment, so it
/// meets a wait the more likely, the longer that is.
#[derive(Debug, Default)]
pub(super) struct Waited {
    /// Seconds, times their weight.
    waits: f64,
    weight: f64,
}

impl Waited {
    /// A rest of [`PROBE`] ended so much too late.
    pub(super) fn add(&mut self, wait: Duration) {
        let weight = (wait + PROBE).as_secs_f64();
        self.waits += wait.as_secs_f64() * weight;
        self.weight += weight;
    }

    pub(super) fn mean(&self) -> Duration {
        Duration::try_from_secs_f64(self.waits / self.weight).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(wait: Duration, finished: f64, refused: bool) -> Seen {
        Seen {
            wait,
            finished,
            refused,
        }
    }

    #[test]
    fn a_long_wait_lowers_the_limit_to_what_is_finished_in_a_moment() {
        let next = |part: Part, limit, finished| {
            let waits = part.longest_wait();
            assert_eq!(part.next_limit(limit, seen(waits, finished, false), true), limit);
            part.next_limit(limit, seen(waits + PROBE, finished, true), true)
        };
        let (begins, finishes) = (Part::Begins, Part::Finishes);
        assert_eq!(next(begins, MOST, 1000.0), 250);
        assert_eq!(next(begins, 100, 1000.0), 250);
        assert_eq!(next(begins, 100, 1.0), begins.least());
        assert_eq!(next(finishes, MOST, 200.0), 50);
        assert_eq!(next(finishes, 100, 1.0), finishes.least());
        assert_eq!(next(begins, 100, 1e6), MOST);
    }

    #[test]
    fn a_short_wait_raises_it_by_steps_while_it_binds_and_takes_it_away_when_it_no_longer_does() {
        let next = |limit, refused, is_alert| {
            Part::Begins.next_limit(limit, seen(Duration::ZERO, 0.0, refused), is_alert)
        };
        assert_eq!(next(96, true, true), 99);
        assert_eq!(next(100, false, true), 100);
        assert_eq!(next(100, false, false), 200);
        assert_eq!(next(MOST, true, false), MOST);
        let few = Part::Finishes.least();
        let none = seen(Duration::ZERO, 0.0, true);
        assert_eq!(Part::Finishes.next_limit(few, none, true), few + 1);
    }

    #[test]
    fn a_wait_that_is_neither_long_nor_short_leaves_it_where_it_is() {
        let part = Part::Finishes;
        let next = |wait| part.next_limit(96, seen(wait, 0.0, true), true);
        assert_eq!(next(part.longest_wait()), 96);
        assert_eq!(next(part.longest_wait() / 2), 96);
        assert_eq!(next(part.longest_wait() / 2 - PROBE), 99);
    }

    #[test]
    fn who_has_to_refuse_what_finishes_something_is_strained_and_so_is_who_waits() {
        let short = Part::Begins.longest_wait();
        for (part, wait, refused, expected) in [
            (Part::Begins, short, true, false),
            (Part::Finishes, short, false, false),
            (Part::Finishes, short, true, true),
            (Part::Begins, short + PROBE, false, true),
            (Part::Finishes, short + PROBE, false, true),
        ] {
            let strained = part.is_strained(&seen(wait, 0.0, refused));
            assert_eq!(strained, expected, "{part:?} {wait:?} {refused}");
        }
    }

    #[test]
    fn a_long_wait_counts_for_everybody_who_comes_while_it_lasts() {
        let (short, long) = (Duration::from_millis(1), Duration::from_millis(74));
        let mean = |waits: &[Duration]| {
            let mut waited = Waited::default();
            waits.iter().for_each(|wait| waited.add(*wait));
            waited.mean().as_millis()
        };
        assert_eq!(mean(&[short; 20]), 1);
        // Of a hundred moments 76 are in the long one.
        assert_eq!(mean(&[&[short; 8][..], &[long]].concat()), 56);
        assert_eq!(mean(&[]), 0);
    }
}
