//! Where the tools are kept and how one is found.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::catalog::Tool;

/// The folder of tools: `bin/` with programs and links, `venv/`, and what was installed how in `stamps/`.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    root: PathBuf,
}

impl Place {
    /// The folder that the environment asks for.
    pub(crate) fn from_environment() -> Result<Self> {
        root_of(|name| env::var_os(name))
            .map(|root| Self { root })
            .ok_or_else(|| {
                anyhow!("neither BIGTIX_TOOLS nor XDG_CACHE_HOME nor HOME says where to keep tools")
            })
    }

    #[cfg(test)]
    pub(crate) fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    pub(crate) fn venv(&self) -> PathBuf {
        self.root.join("venv")
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.root.join("venv/bin/python")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub(crate) fn stamp(&self, tool: Tool) -> PathBuf {
        self.root.join("stamps").join(tool.program())
    }

    pub(crate) fn location(&self, tool: Tool) -> PathBuf {
        self.root.join(tool.location())
    }

    /// The program on the path, this folder's own `bin/` left out.
    pub(crate) fn on_path(&self, program: &str) -> Option<PathBuf> {
        let path = env::var_os("PATH")?;
        search(program, &path, &self.bin())
    }

    /// The override, else this folder's, else the path's.
    pub(crate) fn resolve(&self, tool: Tool) -> Option<PathBuf> {
        if let Some(path) = env::var_os(tool.variable()).filter(|path| !path.is_empty()) {
            return Some(path.into());
        }
        let own = self.location(tool);
        if is_program(&own) {
            return Some(own);
        }
        tool.accepted_from_path()
            .and_then(|_| self.on_path(tool.program()))
    }
}

fn root_of(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("BIGTIX_TOOLS")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("bigtix/tools")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/bigtix/tools")))
}

fn search(program: &str, path: &OsStr, except: &Path) -> Option<PathBuf> {
    env::split_paths(path)
        .filter(|folder| folder != except)
        .map(|folder| folder.join(program))
        .find(|candidate| is_program(candidate))
}

/// Whether the path leads to a file that may be executed.
pub(crate) fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn environment<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| {
            set.iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value.into())
        }
    }

    #[test]
    fn the_folder_is_the_first_that_the_environment_names() {
        let all = [("BIGTIX_TOOLS", "/t"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(root_of(environment(&all)), Some("/t".into()));
        assert_eq!(root_of(environment(&all[1..])), Some("/x/bigtix/tools".into()));
        assert_eq!(
            root_of(environment(&all[2..])),
            Some("/h/.cache/bigtix/tools".into())
        );
        assert_eq!(root_of(environment(&[("HOME", "")])), None);
    }

    #[test]
    fn a_program_is_an_executable_file_outside_the_folder_of_tools() {
        let folder = tempfile::tempdir().unwrap();
        let path = env::join_paths([folder.path()]).unwrap();
        fs::write(folder.path().join("jq"), "").unwrap();
        assert_eq!(search("jq", &path, Path::new("/elsewhere")), None);

        fs::set_permissions(folder.path().join("jq"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(
            search("jq", &path, Path::new("/elsewhere")),
            Some(folder.path().join("jq"))
        );
        assert_eq!(search("jq", &path, folder.path()), None);
    }
}
