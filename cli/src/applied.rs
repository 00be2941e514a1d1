//! `applied.json`: what a data folder runs or ran last, and what before that. A plan compares with the one, a rollback
//! goes back to the other.

use std::path::Path;
use std::{fs, io};

use bigtix_testkit::stores::write_private;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const FILE: &str = "applied.json";

/// What `bigtix up` was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    /// The resource with everything that was set.
    pub(crate) resource: Value,
    /// Whether each instance of each service is a process.
    pub(crate) separate: bool,
    /// The port; 0 for a free one.
    pub(crate) port: u16,
}

/// What a folder has run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Applied {
    /// What got ready last.
    pub(crate) current: Asked,
    /// The last thing before it that was something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) previous: Option<Asked>,
}

impl Applied {
    /// The record after one more start.
    pub(crate) fn after(before: Option<Self>, now: Asked) -> Self {
        match before {
            None => Self {
                current: now,
                previous: None,
            },
            Some(same) if same.current == now => same,
            Some(Self { current, previous: _ }) => Self {
                current: now,
                previous: Some(current),
            },
        }
    }

    /// The folder's record, if it has one.
    pub(crate) fn read(dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(dir.join(FILE)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Notes one more start. A variable of a service may be a secret, so nobody else can read it.
    pub(crate) fn note(dir: &Path, now: Asked) -> io::Result<()> {
        let before = Self::read(dir)?;
        let mut text = serde_json::to_vec_pretty(&Self::after(before, now))?;
        text.push(b'\n');
        write_private(&dir.join(FILE), &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    fn asked(port: u16) -> Asked {
        Asked {
            resource: json!({"kind": "BigTix"}),
            separate: false,
            port,
        }
    }

    #[test]
    fn what_ran_before_is_the_last_that_was_something_else() {
        let first = Applied::after(None, asked(1));
        assert_eq!((&first.current, &first.previous), (&asked(1), &None));
        let again = Applied::after(Some(first), asked(1));
        assert_eq!(again.previous, None);
        let other = Applied::after(Some(again), asked(2));
        let other = Applied::after(Some(other), asked(2));
        assert_eq!((&other.current, &other.previous), (&asked(2), &Some(asked(1))));
        let back = Applied::after(Some(other), asked(1));
        assert_eq!((back.current, back.previous), (asked(1), Some(asked(2))));
    }

    #[test]
    fn the_record_is_private() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Applied::read(dir.path()).unwrap(), None);
        Applied::note(dir.path(), asked(1)).unwrap();
        Applied::note(dir.path(), asked(2)).unwrap();
        let mode = fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let read = Applied::read(dir.path()).unwrap().unwrap();
        assert_eq!((read.current.port, read.previous.unwrap().port), (2, 1));
    }
}
