//! What a refusal looks like to a caller.

use std::time::Duration;

use axum::http::StatusCode;
use bigtix_contracts::ErrorCode;
use bigtix_service::http::ApiError;

use crate::app::AuthError;

/// When a full queue is worth another try.
const QUEUE_DRAINS: Duration = Duration::from_secs(2);

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::EmailInUse => {
                Self::about(StatusCode::BAD_REQUEST, ErrorCode::EmailInUse, "email", message)
            }
            AuthError::InvalidCredentials => Self::rule(ErrorCode::InvalidCredentials, message),
            AuthError::TooManyAttempts { retry_after } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message)
                    .retry_after(retry_after)
            }
            AuthError::Busy => Self::unavailable(message).retry_after(QUEUE_DRAINS),
            AuthError::Store(error) => error.into(),
            error @ (AuthError::Hashing(_) | AuthError::Signing(_)) => Self::internal(error),
        }
    }
}
