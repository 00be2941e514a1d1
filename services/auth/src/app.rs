//! What the service does, one verb a module.

mod sign_in;
mod sign_up;

use std::collections::BTreeSet;
use std::time::Duration;

use bigtix_contracts::UserId;
use bigtix_service::clock::wall;
use bigtix_service::http::Caller;
use bigtix_service::http::session::Sessions;

use crate::adapters::attempts::Attempts;
use crate::adapters::passwords::{HashingError, Passwords};
use crate::adapters::users::Users;
use crate::domain::attempts::AttemptLimits;
use crate::domain::credentials::{Email, PasswordPolicy};

/// The use cases, and what they need.
pub(crate) struct App {
    pub(crate) users: Users,
    pub(crate) attempts: Attempts,
    pub(crate) passwords: Passwords,
    pub(crate) sessions: Sessions,
    pub(crate) rules: Rules,
}

/// The shop's rules about users.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Which passwords are good enough.
    pub(crate) policy: PasswordPolicy,
    /// How often a sign-in may fail.
    pub(crate) limits: AttemptLimits,
    /// How long a session lasts.
    pub(crate) session_lifetime: Duration,
    /// Who may refund any order.
    pub(crate) administrators: BTreeSet<Email>,
}

/// Somebody who has just proved who they are.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: UserId,
    pub(crate) email: String,
    /// The session's token.
    pub(crate) token: String,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("Email in use")]
    EmailInUse,
    #[error("Invalid credentials")]
    InvalidCredentials,
    #[error("Too many failed attempts; try again later")]
    TooManyAttempts { retry_after: Duration },
    #[error("Too many people sign in right now; try again soon")]
    Busy,
    #[error(transparent)]
    Hashing(HashingError),
    #[error(transparent)]
    Store(#[from] mongodb::error::Error),
    #[error("the session could not be signed: {0}")]
    Signing(String),
}

impl From<HashingError> for AuthError {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Busy => Self::Busy,
            HashingError::Failed(_) => Self::Hashing(error),
        }
    }
}

impl App {
    fn begin_session(&self, id: UserId, email: &Email) -> Result<Session, AuthError> {
        let iat = wall().as_second();
        let lifetime = i64::try_from(self.rules.session_lifetime.as_secs()).unwrap_or(i64::MAX);
        let caller = Caller {
            id,
            email: email.as_str().to_owned(),
            iat,
            exp: Some(iat.saturating_add(lifetime)),
            admin: self.rules.administrators.contains(email),
        };
        let token = self
            .sessions
            .sign(&caller)
            .map_err(|error| AuthError::Signing(error.to_string()))?;
        Ok(Session {
            id,
            email: caller.email,
            token,
        })
    }
}
