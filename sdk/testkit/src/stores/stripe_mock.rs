//! stripe-mock, Stripe's own program, as a child: it knows the description of Stripe's API, refuses requests that are
//! not in it, and answers with made-up objects. It keeps nothing.

use std::path::Path;
use std::sync::Arc;

use super::child::{Child, ChildSpec};
use super::start::until_ready;
use super::{GRACE, HeldPort, Program, StoreError, wire};

/// A running stripe-mock. Dropping it kills it.
pub struct StripeMock {
    child: Child,
    port: HeldPort,
}

impl StripeMock {
    /// Starts it on a free port; what it prints goes to `dir`.
    ///
    /// # Errors
    /// When it is not installed, or is not ready in time.
    pub async fn start(dir: &Path) -> Result<Self, StoreError> {
        let program = Program::StripeMock.find()?;
        let failed = |source| StoreError::Folder {
            path: dir.to_owned(),
            source,
        };
        let port = HeldPort::find().map_err(failed)?;
        let log = dir.join("stripe-mock.log");
        let spec = ChildSpec {
            name: "stripe-mock".into(),
            program,
            // It listens on every address for TLS unless it is told otherwise.
            args: vec![
                "-http-addr".into(),
                format!("127.0.0.1:{}", port.number()).into(),
                "-https-addr".into(),
                "127.0.0.1:0".into(),
            ],
            env: vec![],
            log: log.clone(),
            grace: GRACE,
        };
        let child = Child::start(spec, Arc::new(|_| {})).map_err(failed)?;
        let mock = Self { child, port };
        let name = Program::StripeMock.name();
        until_ready(name, &mock.child, log, async || Ok(mock.answers().await)).await?;
        Ok(mock)
    }

    /// Its API's address. Every key is good.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// Stops it.
    pub async fn stop(&self) {
        self.child.stop().await;
    }

    /// Whether it answers: without a key it refuses, and a refusal is an answer.
    async fn answers(&self) -> bool {
        let ask = "GET /v1/customers HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
        wire::says(self.port.number(), ask, " 401 ").await
    }
}
