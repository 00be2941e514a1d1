//! Starting this program again in the background, and waiting until it is ready.

use std::env;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::args::UpArgs;
use crate::folder;
use crate::resource;
use crate::terminal::{Line, Ready, Terminal};
use crate::up::UpError;

/// What became of a background process.
#[derive(Debug)]
pub(crate) enum Started {
    Ready(Ready),
    /// It has failed, and has said why.
    Ended(ExitCode),
}

/// Runs `bigtix up` in the background, shows its progress, and returns when it is ready or has failed.
pub(crate) fn detach(args: &UpArgs, terminal: Terminal) -> Result<Started, UpError> {
    // Checked here too, so that nothing is made for a resource that is refused.
    resource::read(args.file.as_deref(), &args.set, args.separate)?;
    let dir = folder::prepare(&args.data.data)?;
    let failed = |what: String| move |source| UpError::Io { what, source };

    let log = dir.join("logs").join("bigtix.log");
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&log)
        .map_err(failed(log.display().to_string()))?;
    let program = env::current_exe().map_err(failed("this program's path".into()))?;
    let mut child = in_a_session_of_its_own(&program)
        .args(arguments(args))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .map_err(failed(program.display().to_string()))?;

    let lines = child
        .stdout
        .take()
        .map(BufReader::new)
        .into_iter()
        .flat_map(BufReader::lines);
    for line in lines.map_while(Result::ok) {
        match Line::parse(&line) {
            Line::Progress(text) => terminal.say(text),
            Line::Failure(text) => terminal.fail(text),
            Line::Ready(ready) => return Ok(Started::Ready(ready)),
        }
    }
    let status = child.wait().map_err(failed("the background process".into()))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(Started::Ended(code.map_or(ExitCode::FAILURE, ExitCode::from)))
}

/// A terminal that is closed ends its whole session.
fn in_a_session_of_its_own(program: &Path) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    match env::split_paths(&path)
        .map(|folder| folder.join("setsid"))
        .find(|path: &PathBuf| path.is_file())
    {
        Some(setsid) => {
            let mut command = Command::new(setsid);
            command.arg(program);
            command
        }
        None => {
            let mut command = Command::new(program);
            command.process_group(0);
            command
        }
    }
}

fn arguments(args: &UpArgs) -> Vec<std::ffi::OsString> {
    let UpArgs {
        file,
        data,
        port,
        separate,
        detach: _,
        set,
        output: _,
        background: _,
    } = args;
    let mut arguments = vec![
        "up".into(),
        "--background".into(),
        "--data".into(),
        data.data.clone().into(),
    ];
    arguments.extend(["--port".into(), port.to_string().into()]);
    if let Some(file) = file {
        arguments.extend(["--file".into(), file.into()]);
    }
    if *separate {
        arguments.push("--separate".into());
    }
    for (path, value) in set {
        arguments.extend(["--set".into(), format!("{path}={value}").into()]);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command as Sub};
    use clap::Parser;

    #[test]
    fn the_background_process_is_told_the_same() {
        let given = [
            "bigtix",
            "up",
            "-f",
            "a.yaml",
            "--data",
            "d",
            "--port",
            "7",
            "--separate",
            "--detach",
            "--set",
            "spec.a=b=c",
        ];
        let Sub::Up(first) = Cli::parse_from(given).command else {
            panic!("not up")
        };
        let again = std::iter::once("bigtix".into()).chain(arguments(&first));
        let Sub::Up(second) = Cli::parse_from(again).command else {
            panic!("not up")
        };
        assert!(second.background && !second.detach);
        assert_eq!(
            (first.file, first.data.data, first.port),
            (second.file, second.data.data, second.port)
        );
        assert_eq!((first.separate, first.set), (second.separate, second.set));
    }
}
