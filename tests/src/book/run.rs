//! Runs the steps of a page as a reader would: in one shell, in a folder that looks like a clone with a built `bigtix`.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bigtix_testkit::stores::HeldPort;

use super::shown::compare;
use super::steps::Step;
use crate::tools;

/// How long a page may take, in seconds.
const DEADLINE: &str = "300";
/// The port that pages speak of.
const PORT: &str = "8080";

/// Runs all steps, and compares what each says with what the page shows.
///
/// # Errors
/// With the line of the page and what was said, at the first step that fails or says something else.
pub fn run(root: &Path, program: &Path, steps: &[Step]) -> Result<(), String> {
    let folder = tempfile::Builder::new()
        .prefix("bigtix-book-")
        .tempdir()
        .map_err(|error| error.to_string())?;
    let port = HeldPort::find().map_err(|error| error.to_string())?;
    let clone = Clone {
        folder: folder.path(),
        port: port.number(),
    };
    let ran = clone.prepare(root, program).and_then(|()| clone.carry_out(steps));
    let outcome = ran
        .map_err(|error| error.to_string())
        .and_then(|()| clone.judge(steps));
    clone.stop_shops(program).map_err(|error| error.to_string())?;
    outcome
}

struct Clone<'a> {
    folder: &'a Path,
    port: u16,
}

impl Clone<'_> {
    fn work(&self) -> PathBuf {
        self.folder.join("bigtix")
    }

    /// What a step said, and the code with which it ended.
    fn said(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number}.said"))
    }

    fn ended(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number}.ended"))
    }

    fn prepare(&self, root: &Path, program: &Path) -> io::Result<()> {
        let built = self.work().join("target/debug");
        fs::create_dir_all(&built)?;
        fs::create_dir(self.folder.join("home"))?;
        symlink(program, built.join("bigtix"))?;
        for entry in fs::read_dir(root)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                symlink(entry.path(), self.work().join(name))?;
            }
        }
        Ok(())
    }

    fn carry_out(&self, steps: &[Step]) -> io::Result<()> {
        let script = self.folder.join("page.sh");
        fs::write(&script, self.script(steps))?;
        let mut shell = Command::new("timeout");
        shell
            .args(["--kill-after=10", DEADLINE, "bash"])
            .arg(&script)
            .current_dir(self.work())
            .env("HOME", self.folder.join("home"))
            .env("PATH", self.path()?)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(tools) = tools::folder() {
            shell.env("BIGTIX_TOOLS", tools);
        }
        // How it ended is told by the files of the steps.
        shell.status().map(drop)
    }

    fn path(&self) -> io::Result<OsString> {
        let built = self.work().join("target/debug");
        let installed = tools::folder().map(|tools| tools.join("bin"));
        tools::path_with([built].into_iter().chain(installed)).map_err(io::Error::other)
    }

    /// One script of all steps, so that variables, functions and `$?` go from one to the next.
    fn script(&self, steps: &[Step]) -> String {
        let mut script = String::from("ended=0\n");
        for (number, step) in steps.iter().enumerate() {
            let (said, code) = (self.said(number), self.ended(number));
            let command = self.with_own_port(&step.command);
            let _ = write!(
                script,
                "exec >'{}' 2>&1\n(exit $ended)\n{}{command}ended=$?\nset +e\necho $ended >'{}'\n",
                said.display(),
                // Of several commands each has to succeed; a command whose code is looked at may fail.
                if step.may_fail || step.command.trim() == "echo $?" {
                    ""
                } else {
                    "set -eo pipefail\n"
                },
                code.display()
            );
        }
        script
    }

    /// Pages speak of the port that everybody has; several shops may run on this machine.
    fn with_own_port(&self, command: &str) -> String {
        let port = self.port;
        let lines = command.lines().map(|line| {
            let line = line.replace(PORT, &port.to_string());
            if line.contains("--port") {
                line
            } else {
                line.replace("bigtix up", &format!("bigtix up --port {port}"))
            }
        });
        lines.map(|line| line + "\n").collect()
    }

    fn judge(&self, steps: &[Step]) -> Result<(), String> {
        for (number, step) in steps.iter().enumerate() {
            let Step {
                line,
                command,
                shown,
                may_fail: _,
            } = step;
            let said = fs::read_to_string(self.said(number)).unwrap_or_default();
            // Who has the port that everybody has need not say so, and is not told.
            let said = said.replace(&format!(" --port {}", self.port), "");
            let said = said.replace(&self.port.to_string(), PORT);
            if !self.ended(number).exists() {
                return Err(format!(
                    "line {line}: this failed, or took too long:\n{command}It said\n{said}"
                ));
            }
            if let Some(shown) = shown {
                compare(shown, &said).map_err(|why| format!("line {line}: {command}{why}"))?;
            }
        }
        Ok(())
    }

    /// What a page leaves running is stopped.
    fn stop_shops(&self, program: &Path) -> io::Result<()> {
        for entry in fs::read_dir(self.work())? {
            let data = entry?.path();
            if data.join("run.json").exists() {
                let mut down = Command::new(program);
                down.arg("down").arg("--data").arg(&data);
                down.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
            }
        }
        Ok(())
    }
}
