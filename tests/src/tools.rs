//! Programs that only some tests need.

use std::env::JoinPathsError;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where a program of the folder of tools is: its own variable first, then the folder that `make tools` fills.
pub fn find(variable: &str, location: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named
        .or_else(|| Some(folder()?.join(location)))
        .filter(|path| path.is_file())
}

/// The folder that `make tools` fills.
pub fn folder() -> Option<PathBuf> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("BIGTIX_TOOLS")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("bigtix/tools")))
        .or_else(|| Some(variable("HOME")?.join(".cache/bigtix/tools")))
}

/// The path on which programs are looked for, with these folders before all others.
///
/// # Errors
/// When a folder's name holds what stands between two folders.
pub fn path_with(folders: impl IntoIterator<Item = PathBuf>) -> Result<OsString, JoinPathsError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(folders.into_iter().chain(std::env::split_paths(&path)))
}
