//! How often somebody may ask for changes. Each instance decides by itself and at once; what it let through it tells the
//! others through Redis, four times a second. Without Redis each instance goes by what it sees.

mod buckets;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::redis::{RedisClient, RedisConfig, RedisError};

use self::buckets::Buckets;

/// How often counts are shared.
const SHARE: Duration = Duration::from_millis(250);
/// How long Redis keeps a count that nobody adds to.
const KEEP: Duration = Duration::from_secs(60);
/// How many seconds' worth may be asked for at once.
const BURST_SECONDS: u32 = 10;

/// Settings of a limit.
#[derive(Debug, Clone)]
pub struct RateConfig {
    per_second: u32,
    redis: Option<RedisConfig>,
}

impl RateConfig {
    /// Reads the setting `name`, and `REDIS_URL`, which may be absent.
    pub fn read(settings: &mut Settings, name: &'static str, default: u32, doc: &'static str) -> Self {
        Self {
            per_second: settings.parsed(name, "a whole number", default, doc),
            redis: RedisConfig::read_optional(settings),
        }
    }
}

/// A limit, for many whom it holds for; cheap to clone.
#[derive(Clone)]
pub struct RateLimit(Arc<Shared>);

struct Shared {
    /// Before whoever is counted, in Redis.
    prefix: String,
    buckets: Option<Mutex<Buckets>>,
    redis: Option<RedisClient>,
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RateLimit")
            .field("prefix", &self.0.prefix)
            .finish_non_exhaustive()
    }
}

impl RateLimit {
    /// The limit of `service`; 0 a second means none. `platform` stands before everything that is kept in Redis, which
    /// need not be there.
    ///
    /// # Errors
    /// [`RedisError::Url`] when its address is wrong.
    pub fn new(service: &str, platform: &str, config: &RateConfig) -> Result<Self, RedisError> {
        let RateConfig { per_second, redis } = config;
        let buckets = (*per_second > 0).then(|| Mutex::new(Buckets::new(*per_second, BURST_SECONDS)));
        Ok(Self(Arc::new(Shared {
            prefix: format!("{platform}rate:{service}:"),
            buckets,
            redis: redis.as_ref().map(RedisClient::new).transpose()?,
        })))
    }

    /// Counts a request of `who`.
    ///
    /// # Errors
    /// How long to wait, when it is one too many; it is not counted then.
    pub fn count(&self, who: &str) -> Result<(), Duration> {
        match &self.0.buckets {
            Some(buckets) => lock(buckets).take(who, Instant::now()),
            None => Ok(()),
        }
    }

    /// Shares counts until `stop`.
    pub async fn share(self, stop: CancellationToken) {
        let Shared {
            prefix,
            buckets: Some(buckets),
            redis,
        } = &*self.0
        else {
            return;
        };
        let mut is_told = false;
        while stop
            .run_until_cancelled(tokio::time::sleep(SHARE))
            .await
            .is_some()
        {
            let spent = lock(buckets).spent(Instant::now());
            let (Some(redis), false) = (redis, spent.is_empty()) else {
                continue;
            };
            let counts: Vec<(String, u32)> = spent
                .iter()
                .map(|(who, spent)| (format!("{prefix}{who}"), *spent))
                .collect();
            match redis.add_to_counts(&counts, KEEP).await {
                Ok(totals) => {
                    is_told = false;
                    lock(buckets).learn(&spent, &totals, Instant::now());
                }
                Err(error) if !is_told => {
                    is_told = true;
                    tracing::warn!(%error, "limits go by what this instance sees alone");
                }
                Err(_) => {}
            }
        }
    }
}

fn lock(buckets: &Mutex<Buckets>) -> MutexGuard<'_, Buckets> {
    // Nothing inside panics half-way.
    buckets.lock().unwrap_or_else(PoisonError::into_inner)
}
