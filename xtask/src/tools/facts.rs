//! What this machine is and has. Everything here looks; nothing changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::catalog::Tool;
use super::place::Place;
use super::plan::{Python, Version};

/// What the plan is made of.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Linux on x86-64, which the wheels are built for.
    pub(crate) wheels_run: bool,
    /// Debian's package manager is here and may be used.
    pub(crate) may_apt: bool,
    pub(crate) python: Python,
    pub(crate) go: Option<Version>,
    /// mongod links with it.
    pub(crate) libcurl: bool,
    /// `make faults` shows a service another time with it.
    pub(crate) libfaketime: bool,
    /// Programs on the path, with the versions they say they have.
    pub(crate) on_path: BTreeMap<Tool, (PathBuf, Version)>,
}

impl Facts {
    pub(crate) fn observe(place: &Place) -> Self {
        let on_path = Tool::ALL
            .into_iter()
            .filter(|tool| tool.accepted_from_path().is_some())
            .filter_map(|tool| {
                let path = place.on_path(tool.program())?;
                let version = version_of(&path)?;
                Some((tool, (path, version)))
            })
            .collect();
        Self {
            wheels_run: cfg!(all(target_os = "linux", target_arch = "x86_64")),
            may_apt: is_root() && place.on_path("apt-get").is_some(),
            python: python(place),
            go: output("go", &["env", "GOVERSION"]).and_then(|text| Version::find_in(&text)),
            libcurl: ["ldconfig", "/sbin/ldconfig"]
                .iter()
                .find_map(|ldconfig| output(ldconfig, &["-p"]))
                .is_none_or(|libraries| libraries.contains("libcurl.so.4")),
            libfaketime: fs::read_dir("/usr/lib").is_ok_and(|folders| {
                folders
                    .filter_map(Result::ok)
                    .any(|folder| folder.path().join("faketime/libfaketimeMT.so.1").exists())
            }),
            on_path,
        }
    }
}

/// The version that a program gives when asked for it.
pub(crate) fn version_of(program: &Path) -> Option<Version> {
    output(program.to_str()?, &["--version"]).and_then(|text| Version::find_in(&text))
}

fn python(place: &Place) -> Python {
    let Some(found) = place.on_path("python3").as_deref().and_then(version_of) else {
        return Python::Missing;
    };
    if found < Python::LEAST {
        return Python::TooOld(found);
    }
    match output("python3", &["-c", "import ensurepip, venv"]) {
        Some(_) => Python::Ready,
        None => Python::WithoutVenv,
    }
}

fn is_root() -> bool {
    output("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
