//! Names that may become parts of paths, and digests.

use std::fmt;
use std::str::FromStr;

use semver::Version;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const LONGEST: usize = 100;

/// The name of a service or a collection: letters, digits, `_` and `-`, so that it is a safe part of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

/// It has other characters, none, or too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no name of a service or a collection: letters, digits, _ and - are, up to {LONGEST} of them"
)]
pub struct NotAName(String);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = NotAName;

    fn try_from(text: String) -> Result<Self, NotAName> {
        let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(is_fine) {
            return Err(NotAName(text));
        }
        Ok(Self(text))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A service with its version, as a command line has it: `NAME=VERSION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The service.
    pub name: Name,
    /// Its version.
    pub version: Version,
}

/// It is of another form.
#[derive(Debug, thiserror::Error)]
pub enum NotVersioned {
    /// There is no `=`.
    #[error("it must be NAME=VERSION, such as orders=1.0.0")]
    Form,
    /// What stands before it is no name.
    #[error(transparent)]
    Name(#[from] NotAName),
    /// What stands after it is no version.
    #[error("{text}: {error}")]
    Version {
        /// What stands there.
        text: String,
        /// Why it is none.
        error: semver::Error,
    },
}

impl FromStr for Versioned {
    type Err = NotVersioned;

    fn from_str(text: &str) -> Result<Self, NotVersioned> {
        let (name, version) = text.split_once('=').ok_or(NotVersioned::Form)?;
        Ok(Self {
            name: Name::try_from(name.to_owned())?,
            version: version.parse().map_err(|error| NotVersioned::Version {
                text: version.to_owned(),
                error,
            })?,
        })
    }
}

/// A SHA-256 digest in 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// Of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hasher(Sha256::new_with_prefix(bytes))
    }

    pub(crate) fn from_hasher(hasher: Sha256) -> Self {
        Self(hex::encode(hasher.finalize()))
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_leaves_a_folder_is_a_name() {
        for fine in ["orders", "dead_letters", "a-B9"] {
            assert_eq!(Name::try_from(fine.to_owned()).unwrap().as_str(), fine);
        }
        for bad in ["", "..", "a/b", "a.b", "a b", "$cmd", "ä", &"x".repeat(101)] {
            assert!(Name::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_version_stands_behind_the_name_of_a_service() {
        let versioned: Versioned = "orders=1.2.0".parse().unwrap();
        assert_eq!(
            (versioned.name.as_str(), versioned.version.to_string()),
            ("orders", "1.2.0".to_owned())
        );
        for text in ["orders", "orders=", "orders=new", "=1.0.0", "or/ders=1.0.0"] {
            assert!(text.parse::<Versioned>().is_err(), "{text}");
        }
    }
}
