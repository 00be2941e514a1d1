//! The browser of whoever sits at this machine, if there is one.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::output::remark;

/// Asks the desktop to show the address; says so where there is none.
pub(crate) fn show(url: &str) {
    let is_desktop = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    match on_the_path(program).filter(|_| is_desktop) {
        Some(program) => {
            let started = Command::new(program)
                .arg(url)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if !started.is_ok_and(|status| status.success()) {
                remark("no browser could be opened: go to that address");
            }
        }
        None => remark("there is no browser here: go to that address"),
    }
}

fn on_the_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}
