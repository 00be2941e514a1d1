//! A copy of the sources in which mistakes are made, with build products of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use bigtix_testkit::golden::workspace_root;

/// The copy, which stays for the next time: only what differs is built again.
pub(crate) struct Workshop {
    root: PathBuf,
    copy: PathBuf,
    built: PathBuf,
}

impl Workshop {
    /// Makes the copy, or brings it up to date.
    pub(crate) fn open() -> Result<Self> {
        let root = workspace_root();
        let place = root.join("target/defects");
        let workshop = Self {
            copy: place.join("source"),
            built: place.join("built"),
            root,
        };
        workshop.restore()?;
        workshop.inherit()?;
        Ok(workshop)
    }

    /// The copy is as the sources are. What is the same already keeps its time, so that it is not built again.
    pub(crate) fn restore(&self) -> Result<()> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .output()
            .context("git lists the sources")?;
        ensure!(listed.status.success(), "git cannot list the sources");
        for name in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let (from, to) = (self.root.join(name), self.copy.join(name));
            let Ok(contents) = fs::read(&from) else { continue };
            if fs::read(&to).ok().as_ref() != Some(&contents) {
                fs::create_dir_all(to.parent().context("a folder")?)?;
                fs::write(&to, contents)?;
            }
        }
        Ok(())
    }

    /// The dependencies are built already, and no mistake is made in them.
    fn inherit(&self) -> Result<()> {
        let target = self.built.join("debug");
        if target.exists() {
            return Ok(());
        }
        fs::create_dir_all(&target)?;
        let elsewhere = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let built_before = elsewhere
            .unwrap_or_else(|| self.root.join("target"))
            .join("debug");
        for part in ["deps", "build", ".fingerprint"] {
            let from = built_before.join(part);
            if from.exists() {
                let copied = Command::new("cp").arg("-al").arg(&from).arg(&target).status()?;
                ensure!(copied.success(), "{} cannot be linked", from.display());
            }
        }
        Ok(())
    }

    /// The program with this mistake in it.
    pub(crate) fn build(&self, patch: &str) -> Result<PathBuf> {
        self.restore()?;
        apply(patch, &self.copy, &[])?;
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--quiet", "--package", "bigtix", "--target-dir"])
            .arg(&self.built)
            .current_dir(&self.copy)
            .status()
            .context("cargo cannot be started")?;
        ensure!(built.success(), "the shop with the defect cannot be built");
        Ok(self.built.join("debug/bigtix"))
    }
}

/// Whether the mistake can still be made in the sources.
pub(crate) fn fits(patch: &str) -> Result<()> {
    apply(patch, &workspace_root(), &["--dry-run"])
}

fn apply(patch: &str, sources: &Path, how: &[&str]) -> Result<()> {
    let mut apply = Command::new("patch")
        .args(["--strip=1", "--forward", "--no-backup-if-mismatch", "--quiet"])
        .args(how)
        .current_dir(sources)
        .stdin(Stdio::piped())
        .spawn()
        .context("patch cannot be started")?;
    let mut input = apply.stdin.take().context("patch reads")?;
    input.write_all(patch.as_bytes())?;
    drop(input);
    ensure!(
        apply.wait()?.success(),
        "the defect does not fit the sources any more: write its patch anew"
    );
    Ok(())
}
