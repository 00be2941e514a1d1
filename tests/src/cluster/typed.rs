//! Commands as a page of the documentation has them.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use bigtix_testkit::golden::workspace_root;

use super::{Cluster, Said};
use crate::tools;

impl Cluster {
    /// What a shell says to commands that somebody types in the clone, whose kubectl is at this namespace.
    ///
    /// # Errors
    /// When the shell cannot be started. That a command fails is none.
    pub fn types(&self, commands: &str) -> Result<Said> {
        let config = self.state.join("typed-kubeconfig");
        fs::copy(self.state.join("kubeconfig"), &config)?;
        let programs = self.kubectl.parent().context("the folder of kubectl")?;
        let output = Command::new("bash")
            .args(["-eu", "-o", "pipefail", "-c"])
            .arg(format!(
                "kubectl config set-context --current --namespace {} >/dev/null\n{commands}",
                self.namespace
            ))
            .current_dir(workspace_root())
            .env("KUBECONFIG", config)
            .env("PATH", tools::path_with([programs.to_owned()])?)
            .stdin(Stdio::null())
            .output()
            .context("bash cannot be started")?;
        Said::of(output)
    }
}
