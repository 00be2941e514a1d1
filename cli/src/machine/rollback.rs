//! Going back, on one machine, to what the folder ran before: stopped, and started with the resource of then.
//!
//! The programs are those of this bigtix before and after: a release is one bigtix, so going back to an older one is a
//! matter of running that one.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bigtix_testkit::stores::write_private;
use serde::Serialize;

use super::command;
use crate::applied::{Applied, Asked};
use crate::args::{DataArgs, UpArgs};
use crate::detach::{self, Started};
use crate::down::{self, DownError};
use crate::fields::{FieldChange, changes};
use crate::output::{Output, Paint};
use crate::terminal::Terminal;
use crate::up::UpError;

/// The file that the start of then is read from.
const FILE: &str = "rollback.json";

/// Why nothing is gone back to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RollbackError {
    #[error("BigTix has never run on {}, so there is nothing to go back to: start it with `{}`", .0.display(), command("up --detach", .0))]
    NeverRan(PathBuf),
    #[error(
        "{} has only ever run one resource, so there is nothing to go back to: `{}` with another file changes it",
        .0.display(), command("up", .0)
    )]
    NothingBefore(PathBuf),
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Down(#[from] DownError),
    #[error(transparent)]
    Up(#[from] UpError),
}

/// What would be gone back to.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Back {
    /// The release that runs afterwards.
    release: Option<String>,
    changes: Vec<FieldChange>,
    separate: bool,
    port: u16,
    is_dry_run: bool,
}

impl Back {
    fn text(&self, _: Paint) -> String {
        let Self {
            release,
            changes,
            separate,
            port,
            is_dry_run,
        } = self;
        let release = release.as_deref().unwrap_or("the resource");
        let would = if *is_dry_run {
            "Would go back to"
        } else {
            "Going back to"
        };
        let how = if *separate { ", each service a process" } else { "" };
        let port = if *port == 0 {
            "a free port".to_owned()
        } else {
            format!("port {port}")
        };
        let mut lines = vec![format!("{would} {release} on {port}{how}:")];
        lines.extend(changes.iter().map(|change| format!("  {}", change.line())));
        lines.join("\n")
    }
}

/// The last thing that the folder ran before what it runs.
fn before(record: Option<Applied>, dir: &Path) -> Result<(Asked, Asked), RollbackError> {
    match record {
        None => Err(RollbackError::NeverRan(dir.to_owned())),
        Some(Applied { previous: None, .. }) => Err(RollbackError::NothingBefore(dir.to_owned())),
        Some(Applied {
            current,
            previous: Some(previous),
        }) => Ok((current, previous)),
    }
}

/// Goes back.
pub(crate) async fn rollback(
    dir: &Path,
    is_dry_run: bool,
    output: Output,
) -> Result<Option<UpArgs>, RollbackError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| RollbackError::Io { path, source }
    };
    let (current, previous) = before(Applied::read(dir).map_err(failed(dir))?, dir)?;
    let back = Back {
        release: previous.resource["spec"]["version"].as_str().map(str::to_owned),
        changes: changes(&current.resource["spec"], &previous.resource["spec"], "spec"),
        separate: previous.separate,
        port: previous.port,
        is_dry_run,
    };
    output.tell(&back, |paint| back.text(paint));
    if is_dry_run {
        return Ok(None);
    }
    let file = dir.join(FILE);
    let text = serde_json::to_vec_pretty(&previous.resource).unwrap_or_default();
    write_private(&file, &text).map_err(failed(&file))?;
    down::down(dir, Terminal::of(output)).await?;
    Ok(Some(UpArgs {
        file: Some(file),
        data: DataArgs { data: dir.to_owned() },
        port: previous.port,
        separate: previous.separate,
        detach: true,
        set: Vec::new(),
        output,
        background: false,
    }))
}

/// Starts what [`rollback`] said.
pub(crate) fn start(args: &UpArgs) -> Result<ExitCode, RollbackError> {
    let terminal = Terminal::of(args.output);
    Ok(match detach::detach(args, terminal)? {
        Started::Ready(ready) => {
            terminal.say(ready.sentence());
            ExitCode::SUCCESS
        }
        Started::Ended(code) => code,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn without_anything_before_it_says_so_and_what_to_do() {
        let dir = Path::new("/data");
        let said = |record| before(record, dir).unwrap_err().to_string();
        assert!(said(None).contains("bigtix up --detach --data /data"));
        let asked = |port| Asked {
            resource: json!({}),
            separate: false,
            port,
        };
        let once = Applied::after(None, asked(1));
        assert!(said(Some(once.clone())).contains("only ever run one resource"));
        let twice = Applied::after(Some(once), asked(2));
        let (current, previous) = before(Some(twice), dir).unwrap();
        assert_eq!((current.port, previous.port), (2, 1));
    }
}
