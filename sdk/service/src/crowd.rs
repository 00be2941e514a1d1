//! Who waits for an answer goes first: while many do, work in the background goes on in portions with rests between them,
//! so that it takes a part of the machine and not half of it. Nothing is lost by that but time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// So many requests at once make a crowd.
const CROWD: usize = 32;

static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Somebody waits for an answer of this process until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(());

impl Waiting {
    pub(crate) fn begin() -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

fn is_crowded() -> bool {
    WAITING.load(Ordering::Relaxed) >= CROWD
}

/// How background work that comes in batches rests between them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rests {
    /// Between any two batches, so that what comes meanwhile shares one write.
    pub(crate) gather: Duration,
    /// The longest rest in a crowd.
    pub(crate) longest: Duration,
}

/// In a crowd a rest is so many times as long as the work before it.
const SHARE: u32 = 3;

impl Rests {
    /// How long to rest after work that began at `began`.
    pub(crate) fn after(self, began: Instant) -> Duration {
        self.length(began.elapsed(), is_crowded())
    }

    fn length(self, worked: Duration, crowded: bool) -> Duration {
        if crowded {
            (worked * SHARE).clamp(self.gather, self.longest)
        } else {
            self.gather
        }
    }
}

/// How background work that is a stream of small steps rests.
#[derive(Debug)]
pub struct Pace {
    steps: usize,
    portion: usize,
    rest: Duration,
}

impl Pace {
    /// In a crowd, `rest` after every `portion` steps.
    pub fn new(portion: usize, rest: Duration) -> Self {
        Self {
            steps: 0,
            portion,
            rest,
        }
    }

    /// A step was made.
    pub async fn step(&mut self) {
        self.steps += 1;
        if self.steps >= self.portion {
            self.steps = 0;
            if is_crowded() {
                tokio::time::sleep(self.rest).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_crowd_the_rest_grows_with_the_work_up_to_a_limit() {
        let ms = Duration::from_millis;
        let rests = Rests {
            gather: ms(20),
            longest: ms(200),
        };
        assert_eq!(rests.length(ms(50), false), ms(20));
        assert_eq!(rests.length(ms(1), true), ms(20));
        assert_eq!(rests.length(ms(50), true), ms(150));
        assert_eq!(rests.length(ms(500), true), ms(200));
    }

    #[test]
    fn those_who_wait_are_counted_until_they_are_answered() {
        let crowd: Vec<Waiting> = (0..CROWD).map(|_| Waiting::begin()).collect();
        assert!(is_crowded());
        drop(crowd);
        assert!(!is_crowded());
    }
}
