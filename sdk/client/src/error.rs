//! What can go wrong with a call.

use std::time::Duration;

use bigtix_contracts::{ErrorCode, Problem};

/// Why a call has no answer to give.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The shop refused, in its own words.
    #[error("{status}: {}", problem.message)]
    Problem {
        /// The HTTP status.
        status: u16,
        /// What the shop said.
        problem: Box<Problem>,
        /// When to try again, if the shop said so.
        retry_after: Option<Duration>,
        /// The id under which the shop's logs know the request.
        request_id: Option<String>,
    },
    /// Nothing came back, so that it is not known whether the request took effect.
    #[error("the shop could not be reached: {}", causes(source))]
    Network {
        /// What the connection said.
        source: reqwest::Error,
    },
    /// Something came back that is not what the API promises.
    #[error("an answer with status {status} could not be read: {what}")]
    Decode {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        what: String,
        /// The id under which the shop's logs know the request.
        request_id: Option<String>,
    },
}

impl ClientError {
    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem { status, .. } | Self::Decode { status, .. } => Some(*status),
            Self::Network { .. } => None,
        }
    }

    /// What the shop said, if it refused.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem { problem, .. } => Some(problem),
            Self::Network { .. } | Self::Decode { .. } => None,
        }
    }

    /// The code of the shop's refusal.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem().map(|problem| problem.code)
    }

    /// Whether the shop gave this as one of its reasons.
    ///
    /// ```
    /// # use bigtix_client::ClientError;
    /// # use bigtix_contracts::{ErrorCode, Problem};
    /// let problem = Box::new(Problem::new(ErrorCode::SoldOut, "Sold out"));
    /// let error = ClientError::Problem { status: 400, problem, retry_after: None, request_id: None };
    /// assert!(error.says("Sold out"));
    /// ```
    #[must_use]
    pub fn says(&self, message: &str) -> bool {
        self.problem()
            .is_some_and(|problem| problem.errors.iter().any(|error| error.message == message))
    }
}

/// An error and its causes on one line; a connection's own words stand last.
fn causes(error: &reqwest::Error) -> String {
    let first: &dyn std::error::Error = error;
    let chain = std::iter::successors(Some(first), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
