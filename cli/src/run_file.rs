//! `run.json`: what runs, for programs that want to know.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use bigtix_testkit::stores::write_private;
use serde::{Deserialize, Serialize};

/// What runs, where, and with which credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunFile {
    /// Where the shop is.
    pub(crate) url: String,
    /// The process that started everything.
    pub(crate) pid: u32,
    pub(crate) services: BTreeMap<String, ServiceRun>,
    pub(crate) mongodb: MongodbRun,
    pub(crate) nats: UrlRun,
    pub(crate) redis: UrlRun,
    /// The Stripe double; absent where the resource names an account at Stripe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stripe: Option<StripeRun>,
}

/// A service; `pid` and `url` are those of its first instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServiceRun {
    pub(crate) pid: Option<u32>,
    pub(crate) url: String,
    pub(crate) version: String,
    pub(crate) instances: Vec<UrlRun>,
}

/// Something with a process and a URL. The process is unknown while it is being started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UrlRun {
    pub(crate) pid: Option<u32>,
    pub(crate) url: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MongodbRun {
    pub(crate) pid: Option<u32>,
    pub(crate) uri: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StripeRun {
    pub(crate) pid: Option<u32>,
    pub(crate) url: String,
    pub(crate) webhook_secret: String,
}

impl RunFile {
    /// Replaces the folder's file.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_private(&dir.join("run.json"), &text)
    }

    /// The folder's file, if it has one.
    pub(crate) fn read(dir: &Path) -> io::Result<Option<Self>> {
        match fs::read(dir.join("run.json")) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Removes the folder's file; says whether there was one.
pub(crate) fn remove(dir: &Path) -> io::Result<bool> {
    match fs::remove_file(dir.join("run.json")) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_file_has_the_promised_shape_and_is_private() {
        let at = |pid, url: &str| UrlRun {
            pid: Some(pid),
            url: url.into(),
        };
        let run = RunFile {
            url: "http://127.0.0.1:8080".into(),
            pid: 1,
            services: BTreeMap::from([(
                "auth".into(),
                ServiceRun {
                    pid: Some(2),
                    url: "http://a".into(),
                    version: "1.0.0".into(),
                    instances: vec![at(2, "http://a")],
                },
            )]),
            mongodb: MongodbRun {
                pid: Some(3),
                uri: "mongodb://m".into(),
            },
            nats: at(4, "nats://n"),
            redis: at(5, "redis://r"),
            stripe: Some(StripeRun {
                pid: Some(6),
                url: "http://s".into(),
                webhook_secret: "whsec".into(),
            }),
        };
        let dir = tempfile::tempdir().unwrap();
        run.write(dir.path()).unwrap();
        let path = dir.path().join("run.json");
        let written: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            written,
            serde_json::json!({
                "url": "http://127.0.0.1:8080", "pid": 1,
                "services": {"auth": {"pid": 2, "url": "http://a", "version": "1.0.0", "instances": [{"pid": 2, "url": "http://a"}]}},
                "mongodb": {"pid": 3, "uri": "mongodb://m"}, "nats": {"pid": 4, "url": "nats://n"},
                "redis": {"pid": 5, "url": "redis://r"}, "stripe": {"pid": 6, "url": "http://s", "webhookSecret": "whsec"},
            })
        );
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(RunFile::read(dir.path()).unwrap(), Some(run));
        assert!(remove(dir.path()).unwrap() && !remove(dir.path()).unwrap());
        assert_eq!(RunFile::read(dir.path()).unwrap(), None);
    }
}
