//! Why a service could not start.

use std::net::SocketAddr;

use crate::config::SettingsError;

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings are missing or wrong.
    #[error("settings: {0}")]
    Settings(#[from] SettingsError),
    /// A store could not be reached or is not fit for use.
    #[error("{what}: {source}")]
    Store {
        /// Which store, and what was tried.
        what: String,
        /// What it answered.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Somebody whom the service cannot do without refuses it, and waiting does not help.
    #[error("{what}: {reason}")]
    Refused {
        /// What was tried.
        what: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Says of a step of the start that failed what it was.
pub trait StartContext<T> {
    /// `what` completes "trying to", such as "connect to MongoDB".
    ///
    /// # Errors
    /// [`StartError::Store`] when the step failed.
    fn trying_to(self, what: &str) -> Result<T, StartError>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> StartContext<T> for Result<T, E> {
    fn trying_to(self, what: &str) -> Result<T, StartError> {
        self.map_err(|error| StartError::Store {
            what: what.to_owned(),
            source: error.into(),
        })
    }
}
