//! The loops: an event or the clock names a request, and one pass brings it nearer to its end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bigtix_crds::{BigTixBackup, BigTixRestore};
use futures::StreamExt;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::events::Recorder;
use kube::runtime::watcher;
use kube::{Client, ResourceExt};
use serde::Serialize;

use super::facts::Program;
use super::observe::Observer;
use super::{Decision, apply, restore, take};
use crate::apply::object::{self, Namespaced};
use crate::controller::{api, tell};
use crate::names::{MANAGED_BY_LABEL, MANAGER};

/// Passes that run at once.
const CONCURRENCY: u16 = 4;
/// How soon after a failed pass the next one is.
const AFTER_A_FAILURE: Duration = Duration::from_secs(10);
/// A pass that takes longer has got stuck, and begins anew.
const LONGEST_PASS: Duration = Duration::from_secs(60);

/// What every pass works with.
pub struct Context {
    client: Client,
    observer: Observer,
    recorder: Recorder,
}

impl Context {
    /// Requests are carried out by `program`.
    #[must_use]
    pub fn new(client: Client, program: Program, recorder: Recorder) -> Self {
        let observer = Observer {
            client: client.clone(),
            program,
        };
        Self {
            client,
            observer,
            recorder,
        }
    }
}

/// Why a pass failed.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The API server's.
    #[error("{0}")]
    Api(#[source] Box<kube::Error>),
    /// It took too long.
    #[error("a pass took longer than {} s", LONGEST_PASS.as_secs())]
    Stuck,
}

impl From<kube::Error> for PassError {
    fn from(error: kube::Error) -> Self {
        Self::Api(Box::new(error))
    }
}

/// Watches requests in one namespace, or in all, until what `stopped` makes is over.
pub async fn run<F>(client: Client, namespace: Option<&str>, context: Arc<Context>, stopped: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + Sync + 'static,
{
    let backups = controller::<BigTixBackup>(&client, namespace)
        .graceful_shutdown_on(stopped())
        .run(backup, retry, context.clone())
        .for_each(async |_| {});
    let restores = controller::<BigTixRestore>(&client, namespace)
        .graceful_shutdown_on(stopped())
        .run(restore, retry, context)
        .for_each(async |_| {});
    futures::join!(backups, restores);
}

fn controller<K>(client: &Client, namespace: Option<&str>) -> Controller<K>
where
    K: Namespaced + Send + Sync + 'static,
{
    let ours = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGER}"));
    Controller::new(api::<K>(client, namespace), watcher::Config::default())
        .with_config(Config::default().concurrency(CONCURRENCY))
        .owns(api::<Job>(client, namespace), ours)
}

async fn backup(request: Arc<BigTixBackup>, context: Arc<Context>) -> Result<Action, PassError> {
    within_reason(async {
        let facts = context.observer.backup(&request).await?;
        let now = Timestamp::now();
        let decision = take::next(&facts, now);
        carry_out(&context, &*request, request.status.as_ref(), decision, now).await
    })
    .await
}

async fn restore(request: Arc<BigTixRestore>, context: Arc<Context>) -> Result<Action, PassError> {
    within_reason(async {
        let facts = context.observer.restore(&request).await?;
        let now = Timestamp::now();
        let decision = restore::next(&facts, now);
        carry_out(&context, &*request, request.status.as_ref(), decision, now).await
    })
    .await
}

async fn within_reason(pass: impl Future<Output = Result<Action, PassError>>) -> Result<Action, PassError> {
    let outcome = tokio::time::timeout(LONGEST_PASS, pass).await;
    outcome.unwrap_or(Err(PassError::Stuck))
}

/// What is said was done before: a status that was written is never wrong, only late.
async fn carry_out<K, S>(
    context: &Context,
    request: &K,
    before: Option<&S>,
    decision: Decision<S>,
    now: Timestamp,
) -> Result<Action, PassError>
where
    K: Namespaced,
    S: Serialize + PartialEq + Default,
{
    let Decision {
        writes,
        status,
        notices,
        look_again,
    } = decision;
    let (namespace, name) = (request.namespace().unwrap_or_default(), request.name_any());
    for write in &writes {
        let what = apply::write(&context.client, request, write, now).await?;
        tracing::info!(namespace, name, what, "written");
        metrics::counter!("bigtix_operator_writes_total").increment(1);
    }
    if before.map_or(status != S::default(), |before| *before != status) {
        object::status(&context.client, request, &status).await?;
    }
    let reference = request.object_ref(&());
    for notice in &notices {
        tell(&context.recorder, &reference, notice).await;
    }
    Ok(look_again.map_or_else(Action::await_change, Action::requeue))
}

fn retry<K: ResourceExt>(request: Arc<K>, error: &PassError, _: Arc<Context>) -> Action {
    tracing::warn!(
        namespace = request.namespace(),
        name = request.name_any(),
        %error,
        "a pass of a request failed"
    );
    Action::requeue(AFTER_A_FAILURE)
}
