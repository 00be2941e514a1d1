//! The one way to answer that something went wrong. Internals go to the log and never into the answer.

use std::fmt;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bigtix_contracts::{ErrorCode, ErrorItem, Problem};

/// What somebody is told who is turned away because too many others are being served.
pub const PAST_CAPACITY: &str = "Too many requests at once; nothing happened, try again";

/// Beside a response: the request has come to nothing for good.
#[derive(Debug, Clone, Copy)]
pub(super) struct WithoutEffect;

/// A failed request: a status, a [`Problem`] for the caller, and perhaps a cause for the log.
pub struct ApiError {
    status: StatusCode,
    problem: Box<Problem>,
    retry_after: Option<Duration>,
    is_logged: bool,
    is_an_end: bool,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ApiError {
    /// An error with one message that is about no field.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self::with(status, Problem::new(code, message))
    }

    /// An error with one message about `field`.
    pub fn about(
        status: StatusCode,
        code: ErrorCode,
        field: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::with(status, Problem::about(code, field, message))
    }

    fn with(status: StatusCode, problem: Problem) -> Self {
        Self {
            status,
            problem: Box::new(problem),
            retry_after: None,
            is_logged: true,
            is_an_end: false,
            cause: None,
        }
    }

    /// 400: the body or query broke these rules.
    pub fn validation(errors: Vec<ErrorItem>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, Problem::validation(errors))
    }

    /// 400: one field broke a rule.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::validation(vec![ErrorItem {
            message: message.into(),
            field: Some(field.into()),
        }])
    }

    /// 400: a rule of the business forbids it.
    pub fn rule(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 401: not signed in, or not the owner.
    pub fn not_authorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::NotAuthorized,
            "Not authorized",
        )
    }

    /// 404, such as "Ticket not found".
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
    }

    /// 409.
    pub fn conflict(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 503: nothing happened; try again soon.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, message)
            .retry_after(Duration::from_secs(1))
    }

    /// 503: nothing happened, as too many others are being served. Counted and not logged, because there are many.
    pub fn overloaded() -> Self {
        let mut error = Self::unavailable(PAST_CAPACITY);
        error.is_logged = false;
        error
    }

    /// 503: it is not known whether it happened; repeat with the same key.
    pub fn outcome_unknown() -> Self {
        let message = "The outcome is not known yet; repeat the request with the same Idempotency-Key";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::OutcomeUnknown,
            message,
        )
        .retry_after(Duration::from_secs(1))
    }

    /// 500: a fault of ours.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            ErrorCode::Internal,
            "Something went wrong on our side",
        )
        .caused_by(cause)
    }

    /// Says when to try again, in whole seconds, rounded up.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Says of a 5xx that what was asked for has come to nothing for good: an `Idempotency-Key` begins anew.
    #[must_use]
    pub fn ended_without_effect(mut self) -> Self {
        self.is_an_end = true;
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The status that will be answered.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The body that will be answered.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("status", &self.status)
            .field("problem", &self.problem)
            .field("cause", &self.cause)
            .finish()
    }
}

impl From<mongodb::error::Error> for ApiError {
    /// What a store's failure means to a caller: nothing happened, or nobody knows, or a fault of ours.
    fn from(error: mongodb::error::Error) -> Self {
        use mongodb::error::ErrorKind;
        match error.kind.as_ref() {
            ErrorKind::ServerSelection { .. } | ErrorKind::ConnectionPoolCleared { .. } => {
                Self::unavailable("The store cannot be reached").caused_by(error)
            }
            _ if crate::mongo::outcome_unknown(&error) => Self::outcome_unknown().caused_by(error),
            _ => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self {
            status,
            problem,
            retry_after,
            is_logged,
            is_an_end,
            cause,
        } = self;
        if status.is_server_error() && is_logged {
            let cause = cause.map(|cause| describe(cause.as_ref()));
            tracing::error!(
                status = status.as_u16(),
                code = problem.code.as_str(),
                cause,
                "request failed"
            );
        }
        let mut response = (status, axum::Json(*problem)).into_response();
        if let Some(wait) = retry_after {
            response.headers_mut().insert(
                header::RETRY_AFTER,
                HeaderValue::from(wait.as_millis().div_ceil(1000).max(1) as u64),
            );
        }
        if is_an_end {
            response.extensions_mut().insert(WithoutEffect);
        }
        response
    }
}

/// An error and its causes on one line.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
