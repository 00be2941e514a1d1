//! What `make` runs, stage by stage, with the time each took.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::{release, tidy, tools};

const RESOURCE: &str = "examples/minimal.yaml";

/// What a stage does, and the command that does it alone.
struct Stage {
    name: &'static str,
    alone: String,
    work: Work,
}

enum Work {
    Tools,
    Tidy,
    Release,
    Program(Command),
}

/// Formatting, lints, documentation, tidy and the versions of the release.
pub(crate) fn check(root: &Path) -> Result<ExitCode> {
    in_order(root, checks(root))
}

/// Tools, the checks, then every test, those that need more than cargo last.
pub(crate) fn test(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    let mut stages = vec![Stage {
        name: "tools",
        alone: "make tools".into(),
        work: Work::Tools,
    }];
    stages.extend(checks(root));
    let mut all = vec!["test"];
    if !names_a_package(arguments) {
        all.push("--workspace");
    }
    all.extend(arguments.iter().map(String::as_str));
    stages.push(cargo_stage(root, "tests", &all, &[]));
    // Whoever asks for the tests of one package does not wait for all of these.
    if arguments.is_empty() {
        let script = |name, alone: &str, path| Stage {
            name,
            alone: alone.to_owned(),
            work: Work::Program(Command::new(root.join(path))),
        };
        stages.extend([
            script(
                "what delivers the shop",
                "make check-delivery",
                "scripts/check-delivery.sh",
            ),
            script(
                "TypeScript client",
                "make test-client-ts",
                "sdk/client-ts/test.sh",
            ),
            script(
                "tests in a browser",
                "make test-browser",
                "services/web/browser/test.sh",
            ),
            script(
                "tests on Kubernetes",
                "make test-cluster",
                "tests/cluster/test.sh",
            ),
        ]);
    }
    in_order(root, stages)
}

/// Builds the shop, then becomes it, so that signals reach it directly.
pub(crate) fn run(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    if tools::install()? != ExitCode::SUCCESS {
        return Ok(ExitCode::FAILURE);
    }
    succeed(cargo(root).args(["build", "--package", "bigtix"]))?;
    let mut shop = Command::new(target(root).join("debug/bigtix"));
    shop.arg("up");
    if !names_a_resource(arguments) {
        shop.args(["-f", RESOURCE]);
    }
    become_program(shop.args(arguments).current_dir(root))
}

/// Builds the shop, then becomes the harness that breaks it.
pub(crate) fn faults(root: &Path, arguments: &[String]) -> Result<ExitCode> {
    if tools::install()? != ExitCode::SUCCESS {
        return Ok(ExitCode::FAILURE);
    }
    succeed(cargo(root).args(["build", "--package", "bigtix"]))?;
    let mut harness = cargo(root);
    harness.args(["test", "--package", "bigtix-tests", "--test", "faults", "--"]);
    become_program(harness.args(arguments))
}

fn checks(root: &Path) -> Vec<Stage> {
    vec![
        cargo_stage(root, "formatting", &["fmt", "--all", "--check"], &[]),
        cargo_stage(
            root,
            "lints",
            &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
            &[],
        ),
        cargo_stage(
            root,
            "documentation",
            &["doc", "--workspace", "--no-deps"],
            &[("RUSTDOCFLAGS", "-D warnings")],
        ),
        Stage {
            name: "tidy",
            alone: "cargo xtask tidy".into(),
            work: Work::Tidy,
        },
        Stage {
            name: "versions of the release",
            alone: "cargo xtask release check".into(),
            work: Work::Release,
        },
    ]
}

fn cargo_stage(root: &Path, name: &'static str, arguments: &[&str], variables: &[(&str, &str)]) -> Stage {
    let mut command = cargo(root);
    command.args(arguments).envs(variables.iter().copied());
    let set: String = variables
        .iter()
        .map(|(key, value)| format!("{key}='{value}' "))
        .collect();
    Stage {
        name,
        alone: format!("{set}cargo {}", arguments.join(" ")),
        work: Work::Program(command),
    }
}

/// Stops at the first failure and says how to run that stage alone.
fn in_order(root: &Path, stages: Vec<Stage>) -> Result<ExitCode> {
    let count = stages.len();
    for (index, stage) in stages.into_iter().enumerate() {
        let last = index + 1 == count;
        println!("[{}/{count}] {}", index + 1, stage.name);
        let started = Instant::now();
        let passed = match stage.work {
            Work::Tools => tools::install()? == ExitCode::SUCCESS,
            Work::Tidy => tidy::run(root)? == ExitCode::SUCCESS,
            Work::Release => release::check(root)? == ExitCode::SUCCESS,
            Work::Program(mut command) => command
                .stdin(Stdio::null())
                .status()
                .context("it cannot be started")?
                .success(),
        };
        let seconds = started.elapsed().as_secs_f64();
        if !passed {
            eprintln!(
                "[{}/{count}] {} failed after {seconds:.1} s; alone: {}",
                index + 1,
                stage.name,
                stage.alone
            );
            return Ok(ExitCode::FAILURE);
        }
        // When tests come last, their own closing lines are the run's.
        if !(last && stage.name == "tests") {
            println!("[{}/{count}] {} passed in {seconds:.1} s", index + 1, stage.name);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The cargo that runs this, in the workspace. What it tells this program of the package `xtask` goes no further: build scripts of
/// dependencies look at such variables, and all that rests on them would be built anew whenever a command is typed without this
/// program in between.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_a_package) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_a_package(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

/// The folder of what is built.
pub(crate) fn target(root: &Path) -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if !folder.is_empty() => root.join(folder),
        _ => root.join("target"),
    }
}

fn names_a_resource(arguments: &[String]) -> bool {
    arguments
        .iter()
        .any(|argument| argument.starts_with("-f") || argument.split('=').next() == Some("--file"))
}

fn names_a_package(arguments: &[String]) -> bool {
    let own = arguments.iter().take_while(|argument| *argument != "--");
    own.into_iter()
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"))
}

/// Runs a program, and is content with nothing but success.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// Becomes a program, so that signals reach it directly.
pub(crate) fn become_program(command: &mut Command) -> Result<ExitCode> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", command.get_program().display()))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn words(arguments: &[&str]) -> Vec<String> {
        arguments.iter().map(|argument| (*argument).to_owned()).collect()
    }

    #[test]
    fn what_cargo_says_of_this_package_goes_no_further() {
        let cargo = cargo(Path::new("."));
        for variable in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"] {
            let is_removed = |(name, value): (&OsStr, Option<&OsStr>)| name == variable && value.is_none();
            assert!(cargo.get_envs().any(is_removed), "{variable}");
        }
        assert!(!is_of_a_package("CARGO_TARGET_DIR") && !is_of_a_package("CARGO"));
    }

    #[test]
    fn a_resource_that_is_named_replaces_the_example() {
        for named in [
            &["-f", "mine.yaml"][..],
            &["-fmine.yaml"],
            &["--file=mine.yaml"],
            &["--port", "1", "--file", "m"],
        ] {
            assert!(names_a_resource(&words(named)), "{named:?}");
        }
        assert!(!names_a_resource(&words(&["--port", "9000"])));
    }

    #[test]
    fn a_package_that_is_named_replaces_the_workspace() {
        assert!(names_a_package(&words(&["-p", "bigtix-orders"])));
        assert!(names_a_package(&words(&["--package=bigtix-orders"])));
        assert!(!names_a_package(&words(&["place_order", "--", "-p"])));
    }
}
