//! The clock of expiry, of leases and of pauses is the store's: an instance whose own clock is off decides like all others,
//! and so does one whose clock is moved while it runs, because between two looks at the store only the time that has passed
//! is added.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bson::doc;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::mongo::Mongo;

/// This machine's own time: for what is told, as when an event was published, and never for what is decided or stored to
/// be compared.
#[must_use]
pub fn wall() -> Timestamp {
    Timestamp::now()
}

/// How often the offset is learnt anew.
const REFRESH: Duration = Duration::from_secs(10);
/// An answer within this time is good enough, and of so many the best is.
const FAST: Duration = Duration::from_millis(10);
const TRIES: usize = 5;

/// The primary's time, as the time since this clock was made plus when that was for the primary, learnt from `hello`.
#[derive(Debug, Clone)]
pub struct StoreClock {
    /// Never that of the wall, which may be set at any moment.
    made: Instant,
    made_millis: Arc<AtomicI64>,
}

impl StoreClock {
    /// Learns the offset once.
    ///
    /// # Errors
    /// The store's, when it cannot be asked.
    pub async fn learn(mongo: &Mongo) -> Result<Self, mongodb::error::Error> {
        let clock = Self {
            made: Instant::now(),
            made_millis: Arc::new(AtomicI64::new(0)),
        };
        clock.refresh(mongo).await?;
        Ok(clock)
    }

    /// The store's time now.
    pub fn now(&self) -> Timestamp {
        let millis = self.made_millis.load(Ordering::Relaxed) + whole_millis(self.made.elapsed());
        Timestamp::from_millisecond(millis).expect("the clock is within jiff's years")
    }

    /// Keeps learning until told to stop.
    pub async fn follow(self, mongo: Mongo, stop: CancellationToken) {
        while stop
            .run_until_cancelled(tokio::time::sleep(REFRESH))
            .await
            .is_some()
        {
            if let Err(error) = self.refresh(&mongo).await {
                tracing::debug!(%error, "the store's clock could not be read");
            }
        }
    }

    /// Asks until an answer came fast, and believes the fastest.
    async fn refresh(&self, mongo: &Mongo) -> Result<(), mongodb::error::Error> {
        let mut samples = Vec::with_capacity(TRIES);
        while samples.len() < TRIES {
            let sample = self.ask(mongo).await?;
            let is_fast = sample.took <= FAST;
            samples.push(sample);
            if is_fast {
                break;
            }
        }
        if let Some(made) = made_at(&samples) {
            self.made_millis.store(made, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn ask(&self, mongo: &Mongo) -> Result<Sample, mongodb::error::Error> {
        let before = self.made.elapsed();
        let hello = mongo.database().run_command(doc! {"hello": 1}).await?;
        let took = self.made.elapsed() - before;
        let theirs = hello
            .get_datetime("localTime")
            .map_err(mongodb::error::Error::custom)?;
        Ok(Sample {
            ours: before + took / 2,
            theirs_millis: theirs.timestamp_millis(),
            took,
        })
    }
}

fn whole_millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// One look at the store's clock.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// Our time half-way between question and answer, since the clock was made.
    ours: Duration,
    theirs_millis: i64,
    took: Duration,
}

/// When the clock was made, by the store's time. It is wrong by half of what its question took at most (Cristian,
/// "Probabilistic Clock Synchronization", 1989), so that one slow answer, as after a connection broke, must not move the
/// clock by seconds.
fn made_at(samples: &[Sample]) -> Option<i64> {
    let fastest = samples.iter().min_by_key(|sample| sample.took)?;
    Some(fastest.theirs_millis - whole_millis(fastest.ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_answer_is_believed() {
        let sample = |made: i64, took| Sample {
            ours: Duration::from_secs(1),
            theirs_millis: 1_000 + made,
            took: Duration::from_millis(took),
        };
        let samples = [sample(1850, 3700), sample(2, 30), sample(-40, 90)];
        assert_eq!(made_at(&samples), Some(2));
        assert_eq!(made_at(&[]), None);
    }
}
