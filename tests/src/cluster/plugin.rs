//! The program `bigtix` as kubectl runs it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Output;

use anyhow::{Context, Result, anyhow};

use super::Cluster;
use crate::{shop, tools};

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Said {
    /// What a program has left behind that ended.
    pub(super) fn of(output: Output) -> Result<Self> {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Ok(Self {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout)?,
            stderr: String::from_utf8(stderr)?,
        })
    }
}

impl Cluster {
    /// What `kubectl bigtix` says to these arguments, about shops in this namespace.
    ///
    /// # Errors
    /// When `bigtix` is not built or cannot be started. That it complains is none.
    pub fn bigtix(&self, arguments: &[&str]) -> Result<Said> {
        let mut command = self.kubectl();
        let output = command
            .arg("bigtix")
            .args(arguments)
            .args(["--namespace", &self.namespace])
            .env("PATH", self.path_with_plugin()?)
            .output()
            .context("kubectl cannot be started")?;
        Said::of(output)
    }

    /// A file `kubectl-bigtix` on the path is all that it takes.
    fn path_with_plugin(&self) -> Result<OsString> {
        let folder: PathBuf = self.state.join("plugin");
        fs::create_dir_all(&folder)?;
        let (link, made) = (
            folder.join("kubectl-bigtix"),
            folder.join(format!("new-{}", std::process::id())),
        );
        let program = shop::program().map_err(|error| anyhow!("{error}"))?;
        symlink(program, &made)?;
        fs::rename(&made, &link)?;
        Ok(tools::path_with([folder])?)
    }
}
