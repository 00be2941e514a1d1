//! Debian's package manager, without the services it would start.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::run;

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs packages. The lists are brought up to date only when it does not work without.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let _nothing_starts = StartPolicy::forbid()?;
    let mut attempt = install_command(packages);
    if run(&mut attempt).is_ok() {
        return Ok(());
    }
    run(apt_get().args(["update", "-q"]))?;
    run(&mut install_command(packages))
}

/// Takes the package's service out of the next boot: the shop starts a server of its own.
pub(super) fn keep_service_off(service: &str) {
    // Without systemd there is nothing to take out, and that is no fault.
    let _ = Command::new("systemctl")
        .args(["disable", "--quiet", service])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

fn install_command(packages: &[&str]) -> Command {
    let mut command = apt_get();
    command
        .args(["install", "-q", "-y", "--no-install-recommends"])
        .args(packages);
    command
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// While it lives, packages that are installed start no service.
struct StartPolicy {
    ours: bool,
}

impl StartPolicy {
    fn forbid() -> Result<Self> {
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(POLICY)
        {
            Ok(mut file) => {
                file.write_all(b"#!/bin/sh\nexit 101\n")?;
                Ok(Self { ours: true })
            }
            // The machine's owner has a policy; it stays.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self { ours: false }),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for StartPolicy {
    fn drop(&mut self) {
        if self.ours {
            // Left behind it would only keep services from starting, and the next run cannot tell it from the owner's.
            let _ = fs::remove_file(Path::new(POLICY));
        }
    }
}
