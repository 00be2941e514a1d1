//! Where the stores' programs are found.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::StoreError;

/// A program that runs beside BigTix as a child process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// MongoDB's server.
    Mongod,
    /// NATS with JetStream.
    NatsServer,
    /// Redis.
    RedisServer,
    /// The Python that has localstripe installed.
    LocalstripePython,
    /// Stripe's own check of requests.
    StripeMock,
    /// An object store that speaks S3 and keeps objects in a folder.
    Versitygw,
}

impl Program {
    /// The name to say in a message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mongod => "mongod",
            Self::NatsServer => "nats-server",
            Self::RedisServer => "redis-server",
            Self::LocalstripePython => "localstripe",
            Self::StripeMock => "stripe-mock",
            Self::Versitygw => "versitygw",
        }
    }

    /// The environment variable that names its path.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Mongod => "BIGTIX_MONGOD",
            Self::NatsServer => "BIGTIX_NATS_SERVER",
            Self::RedisServer => "BIGTIX_REDIS_SERVER",
            Self::LocalstripePython => "BIGTIX_LOCALSTRIPE_PYTHON",
            Self::StripeMock => "BIGTIX_STRIPE_MOCK",
            Self::Versitygw => "BIGTIX_VERSITYGW",
        }
    }

    /// Its path below the folder of tools.
    fn in_tools(self) -> &'static str {
        match self {
            Self::Mongod => "bin/mongod",
            Self::NatsServer => "bin/nats-server",
            Self::RedisServer => "bin/redis-server",
            Self::LocalstripePython => "venv/bin/python",
            Self::StripeMock => "bin/stripe-mock",
            Self::Versitygw => "bin/versitygw",
        }
    }

    /// What it is called on the search path; a Python found there cannot be known to have localstripe.
    fn on_path(self) -> Option<&'static str> {
        match self {
            Self::Mongod => Some("mongod"),
            Self::NatsServer => Some("nats-server"),
            Self::RedisServer => Some("redis-server"),
            Self::StripeMock => Some("stripe-mock"),
            Self::Versitygw => Some("versitygw"),
            Self::LocalstripePython => None,
        }
    }

    /// Finds it: its own variable first, then the folder of tools, then the search path.
    ///
    /// # Errors
    /// [`StoreError::MissingProgram`] when it is nowhere.
    pub fn find(self) -> Result<PathBuf, StoreError> {
        self.find_with(
            |name| env::var_os(name).filter(|value| !value.is_empty()),
            is_executable,
        )
        .ok_or(StoreError::MissingProgram {
            program: self.name(),
            variable: self.variable(),
        })
    }

    fn find_with(
        self,
        variable: impl Fn(&str) -> Option<OsString>,
        is_executable: impl Fn(&Path) -> bool,
    ) -> Option<PathBuf> {
        // A path that somebody wrote down is taken or refused, never silently replaced by another program.
        if let Some(given) = variable(self.variable()) {
            return Some(PathBuf::from(given)).filter(|path| is_executable(path));
        }
        tools(&variable)
            .map(|tools| tools.join(self.in_tools()))
            .into_iter()
            .chain(self.on_path().into_iter().flat_map(|name| {
                let path = variable("PATH").unwrap_or_default();
                env::split_paths(&path)
                    .map(|folder| folder.join(name))
                    .collect::<Vec<_>>()
            }))
            .find(|path| is_executable(path))
    }
}

/// The folder that `make tools` fills.
fn tools(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    variable("BIGTIX_TOOLS").map(PathBuf::from).or_else(|| {
        variable("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".cache")))
            .map(|cache| cache.join("bigtix/tools"))
    })
}

pub(super) fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Looks for a program that is nice to have, on the search path alone.
pub(super) fn on_search_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(program: Program, variables: &[(&str, &str)], there: &[&str]) -> Option<String> {
        program
            .find_with(
                |name| {
                    variables
                        .iter()
                        .find(|(key, _)| *key == name)
                        .map(|(_, value)| value.into())
                },
                |path| there.iter().any(|each| Path::new(each) == path),
            )
            .map(|path| path.display().to_string())
    }

    #[test]
    fn its_own_variable_wins() {
        let variables = [
            ("BIGTIX_MONGOD", "/mine/mongod"),
            ("BIGTIX_TOOLS", "/tools"),
            ("PATH", "/usr/bin"),
        ];
        let there = ["/mine/mongod", "/tools/bin/mongod", "/usr/bin/mongod"];
        assert_eq!(
            find(Program::Mongod, &variables, &there).as_deref(),
            Some("/mine/mongod")
        );
    }

    #[test]
    fn a_given_path_that_leads_nowhere_is_not_replaced() {
        let variables = [("BIGTIX_MONGOD", "/mine/mongod"), ("PATH", "/usr/bin")];
        assert_eq!(find(Program::Mongod, &variables, &["/usr/bin/mongod"]), None);
    }

    #[test]
    fn the_tools_come_before_the_search_path() {
        let variables = [("HOME", "/home/ann"), ("PATH", "/bin:/usr/bin")];
        let tools = "/home/ann/.cache/bigtix/tools/bin/redis-server";
        assert_eq!(
            find(
                Program::RedisServer,
                &variables,
                &[tools, "/usr/bin/redis-server"]
            )
            .as_deref(),
            Some(tools)
        );
        let found = find(Program::RedisServer, &variables, &["/usr/bin/redis-server"]);
        assert_eq!(found.as_deref(), Some("/usr/bin/redis-server"));
    }

    #[test]
    fn a_missing_program_names_make_tools() {
        let error = StoreError::MissingProgram {
            program: "mongod",
            variable: "BIGTIX_MONGOD",
        };
        assert_eq!(
            error.to_string(),
            "mongod was not found: run `make tools`, or set BIGTIX_MONGOD to the path of the program"
        );
    }
}
