//! Looking at a data folder, its processes and its services. Nothing is decided here.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use futures::future::join_all;
use hyper::StatusCode;
use rustix::process::{Pid, test_kill_process};
use serde_json::Value;

use crate::applied::Applied;
use crate::ask;
use crate::folder;
use crate::run_file::{RunFile, ServiceRun, UrlRun};

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) dir: PathBuf,
    /// The process that has taken the folder.
    pub(crate) owner: Option<u32>,
    pub(crate) run: Option<RunFile>,
    pub(crate) applied: Option<Applied>,
    /// Whether the edge says that it is ready.
    pub(crate) edge: Option<Readiness>,
    pub(crate) services: BTreeMap<String, Vec<Readiness>>,
    /// Of the stores' processes, those that live.
    pub(crate) living: Vec<&'static str>,
}

/// What an instance answers when it is asked whether it is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// It is not, because these do not answer it.
    NotReady(Vec<String>),
    /// It does not answer.
    Silent,
}

/// Looks at everything once.
pub(crate) async fn look(dir: &Path) -> io::Result<Seen> {
    let owner = folder::owner(dir)?;
    let run = RunFile::read(dir)?;
    let mut seen = Seen {
        dir: dir.to_owned(),
        owner,
        applied: Applied::read(dir)?,
        edge: None,
        services: BTreeMap::new(),
        living: Vec::new(),
        run: None,
    };
    let (Some(_), Some(run)) = (owner, &run) else {
        return Ok(Seen { run, ..seen });
    };
    let edge = readiness(&run.url);
    let services = join_all(
        run.services
            .iter()
            .map(|(name, service)| instances(name, service)),
    );
    let (edge, services) = futures::join!(edge, services);
    seen.edge = Some(edge);
    seen.services = services.into_iter().collect();
    seen.living = stores(run)
        .into_iter()
        .filter(|(_, pid)| pid.is_some_and(lives))
        .map(|(name, _)| name)
        .collect();
    seen.run = Some(run.clone());
    Ok(seen)
}

/// The stores with their processes.
pub(crate) fn stores(run: &RunFile) -> Vec<(&'static str, Option<u32>)> {
    let stripe = run.stripe.as_ref().map(|stripe| ("stripe", stripe.pid));
    [
        ("mongodb", run.mongodb.pid),
        ("nats", run.nats.pid),
        ("redis", run.redis.pid),
    ]
    .into_iter()
    .chain(stripe)
    .collect()
}

async fn instances(name: &str, service: &ServiceRun) -> (String, Vec<Readiness>) {
    let asked = service
        .instances
        .iter()
        .map(|UrlRun { pid: _, url }| readiness(url));
    (name.to_owned(), join_all(asked).await)
}

async fn readiness(url: &str) -> Readiness {
    match ask::answer(&format!("{url}/readyz")).await {
        Some((StatusCode::OK, _)) => Readiness::Ready,
        Some((_, body)) => {
            let reasons = body["reason"].as_array().into_iter().flatten();
            Readiness::NotReady(reasons.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        None => Readiness::Silent,
    }
}

fn lives(pid: u32) -> bool {
    Pid::from_raw(pid.cast_signed()).is_some_and(|pid| test_kill_process(pid).is_ok())
}
