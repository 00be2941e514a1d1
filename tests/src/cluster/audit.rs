//! The API server's audit log: who asked for what.

use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Deserialize;

/// How often the log is looked at by whoever waits for it.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The log from some moment on.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    from: u64,
}

/// One request.
#[derive(Debug, Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// What was to be done.
    pub verb: String,
    user: User,
    object_ref: Option<ObjectRef>,
    response_status: Option<ResponseStatus>,
}

#[derive(Debug, Deserialize, Clone)]
struct User {
    username: String,
}

#[derive(Debug, Deserialize, Clone)]
#[serde(rename_all = "camelCase")]
struct ObjectRef {
    api_group: Option<String>,
    resource: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    subresource: Option<String>,
}

#[derive(Debug, Deserialize, Clone)]
struct ResponseStatus {
    code: Option<u16>,
}

impl Request {
    /// Who asked.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user.username
    }

    /// The plural of the kind.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.object_ref
            .as_ref()
            .and_then(|it| it.resource.as_deref())
            .unwrap_or_default()
    }

    /// The API group of the kind; empty for the oldest one.
    #[must_use]
    pub fn group(&self) -> &str {
        let it = self.object_ref.as_ref();
        it.and_then(|it| it.api_group.as_deref()).unwrap_or_default()
    }

    /// The plural of the kind, with the subresource as rules of RBAC name it.
    #[must_use]
    pub fn resource_of_rules(&self) -> String {
        let it = self.object_ref.as_ref();
        match it.and_then(|it| it.subresource.as_deref()) {
            Some(subresource) => format!("{}/{subresource}", self.resource()),
            None => self.resource().to_owned(),
        }
    }

    /// Where the object is, or was to be.
    #[must_use]
    pub fn namespace(&self) -> &str {
        let it = self.object_ref.as_ref();
        it.and_then(|it| it.namespace.as_deref()).unwrap_or_default()
    }

    /// Whether it made something that was not there.
    #[must_use]
    pub fn has_created(&self) -> bool {
        self.status() == Some(201)
    }

    /// What was answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response_status.as_ref().and_then(|status| status.code)
    }

    /// `verb resource/name/subresource`.
    #[must_use]
    pub fn described(&self) -> String {
        let it = self.object_ref.as_ref();
        let name = it.and_then(|it| it.name.as_deref()).unwrap_or_default();
        let subresource = it.and_then(|it| it.subresource.as_deref()).unwrap_or_default();
        format!("{} {}/{name}/{subresource}", self.verb, self.resource())
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }
}

impl AuditLog {
    /// From now on.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        let from = path.metadata().map_or(0, |file| file.len());
        Self { path, from }
    }

    /// From the first line on.
    #[must_use]
    pub fn whole(path: PathBuf) -> Self {
        Self { path, from: 0 }
    }

    /// What the operator writes within `time`, its lease aside; as soon as there is anything.
    ///
    /// # Errors
    /// When the log cannot be read, or holds nothing of the operator, not even its lease.
    pub fn writes_within(&self, time: Duration) -> Result<Vec<Request>> {
        let began = Instant::now();
        loop {
            let requests = self.of_operator()?;
            let is_over = began.elapsed() >= time;
            ensure!(
                !is_over || !requests.is_empty(),
                "the log holds nothing of the operator"
            );
            let is_work = |request: &Request| request.is_write() && request.resource() != "leases";
            let writes: Vec<Request> = requests.into_iter().filter(is_work).collect();
            if is_over || !writes.is_empty() {
                return Ok(writes);
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// What the operator has asked for since.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn of_operator(&self) -> Result<Vec<Request>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.from))?;
        let mut requests = Vec::new();
        for line in BufReader::new(file).lines() {
            // The last line may be half written.
            if let Ok(request) = serde_json::from_str::<Request>(&line?)
                && request.user().ends_with(":bigtix-operator")
            {
                requests.push(request);
            }
        }
        Ok(requests)
    }
}
