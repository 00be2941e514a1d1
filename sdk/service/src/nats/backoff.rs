//! How long to wait before the next try.

use std::time::Duration;

/// Doubles from `least` to `most`, with a random half, so that instances that failed together do not come back together.
#[derive(Debug)]
pub(crate) struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) const fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most,
            next: least,
        }
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.least;
    }

    pub(crate) fn next(&mut self) -> Duration {
        let delay = self.next;
        self.next = (delay * 2).min(self.most);
        delay.mul_f64(rand::random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_most_and_start_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(300));
        let mut within = |least: u64, most: u64| {
            let delay = backoff.next();
            assert!(
                (Duration::from_millis(least)..=Duration::from_millis(most)).contains(&delay),
                "{delay:?}"
            );
        };
        within(50, 100);
        within(100, 200);
        within(150, 300);
        within(150, 300);
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(100));
    }
}
