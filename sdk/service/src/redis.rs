//! Redis: a faster copy of what MongoDB holds. Nothing in it may be missed when it is gone.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client};

use crate::config::{Secret, Settings};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// Where Redis is.
#[derive(Debug, Clone)]
pub struct RedisConfig {
    /// `redis://user:password@host:port/database`.
    pub url: Secret,
}

impl RedisConfig {
    /// Reads `REDIS_URL`.
    pub fn read(settings: &mut Settings) -> Self {
        Self {
            url: settings.secret("REDIS_URL", "where Redis is, credentials included"),
        }
    }

    /// The same where the service can do without it.
    pub fn read_optional(settings: &mut Settings) -> Option<Self> {
        let doc = "where Redis is, credentials included; without it each instance counts requests for itself";
        settings.optional_secret("REDIS_URL", doc).map(|url| Self { url })
    }
}

/// Why Redis did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// The URL cannot be read. What is wrong with it is not said, as it holds a password.
    #[error("REDIS_URL is not a Redis URL")]
    Url,
    /// Redis could not be reached, did not answer within a second, or refused.
    #[error(transparent)]
    Command(#[from] redis::RedisError),
}

/// A connection that is made when it is first needed and again whenever it broke.
#[derive(Clone)]
pub struct RedisClient {
    connection: ConnectionManager,
}

impl std::fmt::Debug for RedisClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisClient")
    }
}

impl RedisClient {
    /// Prepares a connection; Redis need not be there yet.
    ///
    /// # Errors
    /// [`RedisError::Url`] when the URL is wrong.
    pub fn new(config: &RedisConfig) -> Result<Self, RedisError> {
        let client = Client::open(config.url.expose()).map_err(|_| RedisError::Url)?;
        let manager = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_max_delay(LONGEST_DELAY)
            .set_number_of_retries(1);
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(client, manager)?,
        })
    }

    /// Whether Redis answers within a second.
    pub async fn is_healthy(&self) -> bool {
        let mut connection = self.connection.clone();
        let ping = async move { redis::cmd("PING").query_async::<String>(&mut connection).await };
        matches!(tokio::time::timeout(RESPONSE_TIMEOUT, ping).await, Ok(Ok(_)))
    }

    /// Adds to counts by name, each of which is forgotten after `keep` without an addition, and returns what they are
    /// then.
    ///
    /// # Errors
    /// [`RedisError::Command`]; some may have been added to.
    pub async fn add_to_counts(
        &self,
        counts: &[(String, u32)],
        keep: Duration,
    ) -> Result<Vec<u64>, RedisError> {
        let mut commands = redis::pipe();
        for (name, more) in counts {
            commands.incr(name, *more);
            commands
                .pexpire(name, i64::try_from(keep.as_millis()).unwrap_or(i64::MAX))
                .ignore();
        }
        Ok(commands.query_async(&mut self.connection.clone()).await?)
    }

    /// The set of members with a score under `key`.
    pub fn sorted_set(&self, key: impl Into<String>) -> SortedSet {
        SortedSet {
            connection: self.connection.clone(),
            key: key.into(),
        }
    }
}

/// Members in the order of their scores; a member is in it once.
#[derive(Clone)]
pub struct SortedSet {
    connection: ConnectionManager,
    key: String,
}

impl std::fmt::Debug for SortedSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SortedSet")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl SortedSet {
    /// Adds members, or gives those that are there a new score. Scores beyond 2^53 lose their last digits.
    ///
    /// # Errors
    /// [`RedisError::Command`].
    pub async fn add(&self, members: &[(String, i64)]) -> Result<(), RedisError> {
        if members.is_empty() {
            return Ok(());
        }
        let scored: Vec<(i64, &str)> = members
            .iter()
            .map(|(member, score)| (*score, member.as_str()))
            .collect();
        Ok(self
            .connection
            .clone()
            .zadd_multiple::<_, _, _, ()>(&self.key, &scored)
            .await?)
    }

    /// Up to `limit` members with a score of at most `score`, lowest first.
    ///
    /// # Errors
    /// [`RedisError::Command`].
    pub async fn up_to(&self, score: i64, limit: usize) -> Result<Vec<String>, RedisError> {
        let limit = isize::try_from(limit).unwrap_or(isize::MAX);
        Ok(self
            .connection
            .clone()
            .zrangebyscore_limit(&self.key, "-inf", score, 0, limit)
            .await?)
    }

    /// The lowest score.
    ///
    /// # Errors
    /// [`RedisError::Command`].
    pub async fn lowest_score(&self) -> Result<Option<i64>, RedisError> {
        let first: Vec<(String, f64)> = self.connection.clone().zrange_withscores(&self.key, 0, 0).await?;
        Ok(first.first().map(|(_, score)| *score as i64))
    }

    /// Takes members out; those that are not in it are no error.
    ///
    /// # Errors
    /// [`RedisError::Command`].
    pub async fn remove(&self, members: &[String]) -> Result<(), RedisError> {
        if members.is_empty() {
            return Ok(());
        }
        Ok(self
            .connection
            .clone()
            .zrem::<_, _, ()>(&self.key, members)
            .await?)
    }

    /// How many members it has.
    ///
    /// # Errors
    /// [`RedisError::Command`].
    pub async fn count(&self) -> Result<u64, RedisError> {
        Ok(self.connection.clone().zcard(&self.key).await?)
    }
}
