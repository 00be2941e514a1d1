//! The program `bigtix` as kubectl runs it.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};

use super::Cluster;
use crate::shop;

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
        Ok(Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
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
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        Ok(std::env::join_paths(folders)?)
    }
}
