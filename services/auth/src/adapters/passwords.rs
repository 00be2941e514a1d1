//! argon2id takes its time and memory by design, so it runs on threads of its own, a few at a time, and no more wait
//! than can be served soon.

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, ParamsBuilder, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How dear a hash is, and how many are made at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HashingCost {
    /// In KiB.
    pub(crate) memory: u32,
    pub(crate) iterations: u32,
    pub(crate) parallelism: u32,
    /// Hashes that are made at once.
    pub(crate) workers: usize,
    /// Requests that may wait for a worker.
    pub(crate) queue: usize,
}

/// A password's hash with its salt and parameters, in PHC format.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(String);

impl PasswordHash {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why there is no hash or no verdict.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashingError {
    /// Too many wait already; nothing was tried.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The parameters, the system's randomness or a stored hash are of no use.
    #[error("hashing failed: {0}")]
    Failed(String),
}

/// Whether a password is the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right {
        /// Whether the hash was made with other parameters than would be used now.
        outdated: bool,
    },
    Wrong,
}

/// Makes and checks hashes.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    workers: Arc<Semaphore>,
    /// Those who work and those who wait.
    places: Arc<Semaphore>,
    /// The hash of no password that anybody knows, for users that do not exist.
    decoy: PasswordHash,
}

impl Passwords {
    /// # Errors
    /// [`HashingError::Failed`] when argon2 refuses the parameters.
    pub(crate) async fn prepare(cost: HashingCost) -> Result<Self, HashingError> {
        let mut params = ParamsBuilder::new();
        params
            .m_cost(cost.memory)
            .t_cost(cost.iterations)
            .p_cost(cost.parallelism);
        let params = params.build().map_err(failed)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let workers = cost.workers.max(1);
        let mut passwords = Self {
            argon2,
            workers: Arc::new(Semaphore::new(workers)),
            places: Arc::new(Semaphore::new(workers + cost.queue)),
            decoy: PasswordHash(String::new()),
        };
        let nobodys_password = bson::oid::ObjectId::new().to_hex();
        passwords.decoy = passwords.hash(nobodys_password).await?;
        Ok(passwords)
    }

    /// The hash of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<PasswordHash, HashingError> {
        let argon2 = self.argon2.clone();
        self.work(move || {
            let hash = argon2.hash_password(password.as_bytes()).map_err(failed)?;
            Ok(PasswordHash(hash.to_string()))
        })
        .await
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash it takes as long, and is wrong.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<PasswordHash>,
    ) -> Result<Verdict, HashingError> {
        let argon2 = self.argon2.clone();
        let (exists, hash) = match hash {
            Some(hash) => (true, hash),
            None => (false, self.decoy.clone()),
        };
        self.work(move || {
            let hash = phc::PasswordHash::new(hash.as_str()).map_err(failed)?;
            let matches = argon2.verify_password(password.as_bytes(), &hash).is_ok();
            if !(matches && exists) {
                return Ok(Verdict::Wrong);
            }
            let current = phc::ParamsString::try_from(argon2.params()).map_err(failed)?;
            Ok(Verdict::Right {
                outdated: hash.params != current,
            })
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashingError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| HashingError::Busy)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await.map_err(failed)?;
        // The permits go along: a caller that hangs up does not end the work.
        let permits: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, worker);
        let done = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(permits);
            outcome
        });
        done.await.map_err(failed)?
    }
}

fn failed(error: impl fmt::Display) -> HashingError {
    HashingError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: HashingCost = HashingCost {
        memory: 64,
        iterations: 1,
        parallelism: 1,
        workers: 1,
        queue: 1,
    };

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let passwords = Passwords::prepare(CHEAP).await.unwrap();
        let hash = passwords.hash("Passw0rd".to_owned()).await.unwrap();
        assert!(
            hash.as_str().starts_with("$argon2id$v=19$m=64,t=1,p=1$"),
            "{}",
            hash.as_str()
        );
        assert!(!format!("{hash:?}").contains("argon2"));
        let right = passwords
            .verify("Passw0rd".to_owned(), Some(hash.clone()))
            .await
            .unwrap();
        assert_eq!(right, Verdict::Right { outdated: false });
        assert_eq!(
            passwords.verify("Passw0re".to_owned(), Some(hash)).await.unwrap(),
            Verdict::Wrong
        );
        assert_eq!(
            passwords.verify("Passw0rd".to_owned(), None).await.unwrap(),
            Verdict::Wrong
        );
    }

    #[tokio::test]
    async fn a_hash_of_other_parameters_is_right_and_outdated() {
        let before = Passwords::prepare(CHEAP).await.unwrap();
        let after = Passwords::prepare(HashingCost { memory: 128, ..CHEAP })
            .await
            .unwrap();
        let hash = before.hash("Passw0rd".to_owned()).await.unwrap();
        let verdict = after.verify("Passw0rd".to_owned(), Some(hash)).await.unwrap();
        assert_eq!(verdict, Verdict::Right { outdated: true });
    }

    #[tokio::test]
    async fn who_finds_the_queue_full_is_turned_away_at_once() {
        let passwords = Passwords::prepare(CHEAP).await.unwrap();
        let worker = Arc::clone(&passwords.workers).acquire_owned().await.unwrap();
        let place = Arc::clone(&passwords.places).acquire_owned().await.unwrap();
        let waiting = tokio::spawn({
            let passwords = passwords.clone();
            async move { passwords.hash("a".to_owned()).await }
        });
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(
            passwords.hash("b".to_owned()).await,
            Err(HashingError::Busy)
        ));
        drop((worker, place));
        assert!(waiting.await.unwrap().is_ok());
    }
}
