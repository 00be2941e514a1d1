//! A copy of the sources in which mistakes are made, with build products of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// The copy, which stays for the next time: only what differs is built again.
pub(crate) struct Workshop {
    root: PathBuf,
    copy: PathBuf,
    built: PathBuf,
}

impl Workshop {
    /// Makes the copy, or brings it up to date.
    pub(crate) fn open() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
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
        for part in ["deps", "build", ".fingerprint"] {
            let from = self.root.join("target/debug").join(part);
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
        let mut apply = Command::new("patch")
            .args(["--strip=1", "--forward", "--no-backup-if-mismatch", "--quiet"])
            .current_dir(&self.copy)
            .stdin(Stdio::piped())
            .spawn()
            .context("patch cannot be started")?;
        let mut input = apply.stdin.take().context("patch reads")?;
        std::io::Write::write_all(&mut input, patch.as_bytes())?;
        drop(input);
        ensure!(
            apply.wait()?.success(),
            "the defect does not fit the sources any more: write its patch anew"
        );
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
