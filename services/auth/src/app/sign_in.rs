use std::net::IpAddr;
use std::time::Duration;

use bson::oid::ObjectId;
use tokio::time::Instant;

use super::{App, AuthError, Session};
use crate::adapters::attempts::Admission;
use crate::adapters::passwords::Verdict;
use crate::adapters::users::User;
use crate::domain::attempts::Counter;
use crate::domain::credentials::Email;

/// How long an attempt waits for the outcome of others that took the last places.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(25);

impl App {
    /// A session for whoever knows the password. Unknown addresses and wrong passwords take the same steps.
    pub(crate) async fn sign_in(
        &self,
        email: &Email,
        password: String,
        client: Option<IpAddr>,
    ) -> Result<Session, AuthError> {
        let attempt = ObjectId::new();
        let limits = &self.rules.limits;
        let (pair, address) = (limits.pair(email, client), limits.address(client));
        self.admit(&pair, attempt).await?;
        if let Err(refusal) = self.admit(&address, attempt).await {
            self.attempts.forget(&pair, attempt).await?;
            return Err(refusal);
        }
        let outcome = self.check(email, password.clone()).await;
        match &outcome {
            Ok(_) => tokio::try_join!(
                self.attempts.clear(&pair),
                self.attempts.forget(&address, attempt)
            ),
            Err(AuthError::InvalidCredentials) => tokio::try_join!(
                self.attempts.note_failure(&pair, attempt),
                self.attempts.note_failure(&address, attempt)
            ),
            Err(_) => {
                tokio::try_join!(
                    self.attempts.forget(&pair, attempt),
                    self.attempts.forget(&address, attempt)
                )
            }
        }?;
        let (user, outdated) = outcome?;
        if outdated {
            self.renew_hash(&user, password).await;
        }
        self.begin_session(user.id, email)
    }

    async fn admit(&self, counter: &Counter, attempt: ObjectId) -> Result<(), AuthError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.attempts.admit(counter, attempt).await? {
                Admission::Admitted => return Ok(()),
                Admission::Refused { retry_after } => return Err(AuthError::TooManyAttempts { retry_after }),
                Admission::Wait if Instant::now() >= deadline => return Err(AuthError::Busy),
                Admission::Wait => tokio::time::sleep(POLL).await,
            }
        }
    }

    async fn check(&self, email: &Email, password: String) -> Result<(User, bool), AuthError> {
        let user = self.users.find(email).await?;
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        match (user, self.passwords.verify(password, hash).await?) {
            (Some(user), Verdict::Right { outdated }) => Ok((user, outdated)),
            _ => Err(AuthError::InvalidCredentials),
        }
    }

    /// The password is known now, so its hash can be made as dear as new ones are. If that fails, the old one is still
    /// good.
    async fn renew_hash(&self, user: &User, password: String) {
        let renewed = async {
            let hash = self.passwords.hash(password).await?;
            self.users
                .replace_hash(user, &hash)
                .await
                .map_err(AuthError::from)
        };
        if let Err(error) = renewed.await {
            tracing::warn!(user = %user.id, %error, "an outdated password hash stays");
        }
    }
}
