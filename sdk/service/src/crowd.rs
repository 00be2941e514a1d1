//! Who waits for an answer goes first: while many do, work in the background goes on in portions with rests between them,
//! so that it takes a part of the machine and not half of it. Nothing is lost by that but time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

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

/// Whether many wait.
pub(crate) fn is_crowded() -> bool {
    WAITING.load(Ordering::Relaxed) >= CROWD
}

/// How background work that comes in batches rests between them, so that what comes meanwhile shares one write.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rests {
    /// While few wait.
    pub(crate) calm: Duration,
    /// In a crowd.
    pub(crate) crowded: Duration,
}

impl Rests {
    /// How long to rest now.
    pub(crate) fn length(self) -> Duration {
        if is_crowded() { self.crowded } else { self.calm }
    }
}

/// Lets others have a turn while many wait.
pub async fn rest_in_a_crowd(rest: Duration) {
    if is_crowded() {
        tokio::time::sleep(rest).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_wait_are_counted_until_they_are_answered() {
        let ms = Duration::from_millis;
        let rests = Rests {
            calm: ms(20),
            crowded: ms(100),
        };
        let crowd: Vec<Waiting> = (0..CROWD).map(|_| Waiting::begin()).collect();
        assert_eq!((is_crowded(), rests.length()), (true, ms(100)));
        drop(crowd);
        assert_eq!((is_crowded(), rests.length()), (false, ms(20)));
    }
}
