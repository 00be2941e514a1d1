use super::{App, AuthError, Session};
use crate::adapters::users::Inserted;
use crate::domain::credentials::Email;

impl App {
    /// Makes `email` a user's. Whoever asks for a taken address first learns it before any password is hashed; of those
    /// who ask at once, the unique index lets one through.
    pub(crate) async fn sign_up(
        &self,
        email: &Email,
        password: String,
        traceparent: Option<String>,
    ) -> Result<Session, AuthError> {
        if self.users.find(email).await?.is_some() {
            return Err(AuthError::EmailInUse);
        }
        let hash = self.passwords.hash(password).await?;
        match self.users.insert(email, &hash, traceparent).await? {
            Inserted::User(id) => self.begin_session(id, email),
            Inserted::EmailInUse => Err(AuthError::EmailInUse),
        }
    }
}
