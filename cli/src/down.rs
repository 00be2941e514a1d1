//! `bigtix down`: stops what `up` runs on a folder, and waits until it is gone.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use serde::Serialize;

use crate::folder;
use crate::output::{Output, json, say};
use crate::run_file;
use crate::terminal::Terminal;

/// Longer than everything may take to stop by itself.
const PATIENCE: Duration = Duration::from_secs(180);
const LAST_BREATH: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const SAY_AGAIN: Duration = Duration::from_secs(5);

/// Why it is not stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DownError {
    #[error("{what}: {source}")]
    Io { what: String, source: io::Error },
    #[error("process {pid} does not stop; end it with `kill -9 {pid}`, its data survives that")]
    Stuck { pid: u32 },
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Stopped {
    /// Whether anything ran.
    was_running: bool,
    seconds: f64,
}

/// Stops it, and says what came of it.
pub(crate) async fn told(dir: &Path, output: Output) -> Result<(), DownError> {
    let stopped = down(dir, Terminal::of(output)).await?;
    if output == Output::Json {
        say(&json(&stopped));
    }
    Ok(())
}

/// Stops it.
pub(crate) async fn down(dir: &Path, terminal: Terminal) -> Result<Stopped, DownError> {
    let failed = |source| DownError::Io {
        what: dir.display().to_string(),
        source,
    };
    let Some(pid) = folder::owner(dir).map_err(failed)? else {
        let was_killed = run_file::remove(dir).map_err(failed)?;
        terminal.say(match was_killed {
            true => format!(
                "BigTix does not run on {} any more; its run.json is removed",
                dir.display()
            ),
            false => format!("BigTix does not run on {}", dir.display()),
        });
        return Ok(Stopped {
            was_running: false,
            seconds: 0.0,
        });
    };
    let began = Instant::now();
    terminal.say(format!("Stopping BigTix (pid {pid})"));
    let process =
        Pid::from_raw(pid.cast_signed()).ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
    kill_process(process, Signal::TERM).map_err(|errno| failed(errno.into()))?;
    let mut said = Instant::now();
    while folder::owner(dir).map_err(failed)? == Some(pid) {
        if began.elapsed() > PATIENCE {
            return Err(DownError::Stuck { pid });
        }
        if said.elapsed() > SAY_AGAIN {
            said = Instant::now();
            terminal.say(format!(
                "  still stopping after {:.0} s",
                began.elapsed().as_secs_f64()
            ));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    // It has let go of the folder with its last breath. One that its parent does not bury is there for ever.
    let last_breath = Instant::now();
    while test_kill_process(process).is_ok() && last_breath.elapsed() < LAST_BREATH {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    terminal.say(format!(
        "Stopped after {:.1} s; the data stays in {}",
        began.elapsed().as_secs_f64(),
        dir.display()
    ));
    Ok(Stopped {
        was_running: true,
        seconds: began.elapsed().as_secs_f64(),
    })
}
