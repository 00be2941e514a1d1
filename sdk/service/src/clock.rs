//! The clock of expiry is the store's: an instance whose own clock is off decides like all others.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bson::doc;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::mongo::Mongo;

/// How often the offset is learnt anew.
const REFRESH: Duration = Duration::from_secs(10);

/// The primary's time, as this process's time plus an offset learnt from `hello`.
#[derive(Debug, Clone)]
pub struct StoreClock {
    offset_millis: Arc<AtomicI64>,
}

impl StoreClock {
    /// Learns the offset once.
    ///
    /// # Errors
    /// The store's, when it cannot be asked.
    pub async fn learn(mongo: &Mongo) -> Result<Self, mongodb::error::Error> {
        let clock = Self {
            offset_millis: Arc::new(AtomicI64::new(0)),
        };
        clock.refresh(mongo).await?;
        Ok(clock)
    }

    /// The store's time now.
    pub fn now(&self) -> Timestamp {
        let millis = Timestamp::now().as_millisecond() + self.offset_millis.load(Ordering::Relaxed);
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

    async fn refresh(&self, mongo: &Mongo) -> Result<(), mongodb::error::Error> {
        let before = Timestamp::now().as_millisecond();
        let hello = mongo.database().run_command(doc! {"hello": 1}).await?;
        let after = Timestamp::now().as_millisecond();
        if let Ok(theirs) = hello.get_datetime("localTime") {
            self.offset_millis.store(
                theirs.timestamp_millis() - (before + after) / 2,
                Ordering::Relaxed,
            );
        }
        Ok(())
    }
}
