//! The loop: an event or the clock names a shop, and one pass brings it nearer to what is wanted.

mod meters;
mod optional;
mod requests;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bigtix_crds::BigTix;
use futures::StreamExt;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, ObjectReference, Pod, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::jiff::Timestamp;
use kube::api::Api;
use kube::core::error_boundary::InvalidObject;
use kube::core::{DeserializeGuard, PartialObjectMeta};
use kube::runtime::controller::{Action, Config, Controller};
use kube::runtime::events::{Event, EventType, Recorder};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Client, Resource, ResourceExt};

use crate::apply::{Applier, ApplyError};
use crate::names::{APPLICATION, INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER};
use crate::next::{Notice, leave, next};
use crate::observe::{Gone, Observer, Watched};
use crate::status::measures::Measures;
use crate::status::{conditions, status};

/// A pass that takes longer has got stuck, and begins anew.
const LONGEST_PASS: Duration = Duration::from_secs(60);
/// The first wait after a failed pass; it doubles with every further one.
const SHORTEST_BACKOFF: Duration = Duration::from_secs(1);
const LONGEST_BACKOFF: Duration = Duration::from_secs(300);
/// Passes that run at once.
const CONCURRENCY: u16 = 8;
/// Many events about one shop come together.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// A resource as it is stored, which may be one that this program cannot read. It must not keep others from theirs.
type Stored = DeserializeGuard<BigTix>;

/// What every pass works with.
pub struct Context {
    /// Looking.
    pub observer: Observer,
    /// Writing.
    pub applier: Applier,
    /// Telling.
    pub recorder: Recorder,
    /// How often each shop's passes have failed in a row.
    failures: Mutex<HashMap<ObjectRef<Stored>, u32>>,
}

impl Context {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(observer: Observer, applier: Applier, recorder: Recorder) -> Self {
        Self {
            observer,
            applier,
            recorder,
            failures: Mutex::default(),
        }
    }

    fn failed(&self, shop: &Stored) -> u32 {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let count = failures.entry(ObjectRef::from_obj(shop)).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    fn succeeded(&self, shop: &Stored) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&ObjectRef::from_obj(shop));
    }
}

/// What the passes of one loop work with: several loops watch a namespace each.
struct Work {
    context: Arc<Context>,
    requests: Watched,
}

/// Why a pass failed.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The API server could not be asked.
    #[error("the cluster cannot be observed: {0}")]
    Observe(#[source] Box<kube::Error>),
    /// The operator ends.
    #[error(transparent)]
    Unwatched(#[from] Gone),
    /// A write failed.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// It took too long.
    #[error("a pass took longer than {} s", LONGEST_PASS.as_secs())]
    Stuck,
}

/// Watches shops in one namespace, or in all, until `stop`.
pub async fn run(
    client: Client,
    namespace: Option<&str>,
    context: Arc<Context>,
    stop: impl Future<Output = ()> + Send + Sync + 'static,
) {
    let ours = watcher::Config::default().labels(&format!("{MANAGED_BY_LABEL}={MANAGER}"));
    let any = watcher::Config::default();
    let controller = Controller::new(api::<Stored>(&client, namespace), any.clone());
    let shops = controller.store();
    let meddling = optional::meddling(&client, namespace, &ours);
    let (requests, asked) = requests::watched(&client, namespace);
    let work = Arc::new(Work { context, requests });
    controller
        .with_config(Config::default().concurrency(CONCURRENCY).debounce(DEBOUNCE))
        .owns(api::<ServiceAccount>(&client, namespace), ours.clone())
        .owns(api::<ConfigMap>(&client, namespace), ours.clone())
        .owns(api::<Service>(&client, namespace), ours.clone())
        .owns(api::<StatefulSet>(&client, namespace), ours.clone())
        .owns(api::<Deployment>(&client, namespace), ours.clone())
        .owns(api::<PodDisruptionBudget>(&client, namespace), ours.clone())
        .owns(api::<HorizontalPodAutoscaler>(&client, namespace), ours.clone())
        .owns(api::<NetworkPolicy>(&client, namespace), ours.clone())
        .owns(api::<Ingress>(&client, namespace), ours.clone())
        .watches(api::<PartialObjectMeta<Pod>>(&client, namespace), ours, |pod| {
            shop_of(&pod)
        })
        .watches(
            api::<PartialObjectMeta<Secret>>(&client, namespace),
            any.clone(),
            move |secret| shops_of(&secret, &shops),
        )
        .reconcile_on(asked)
        .reconcile_all_on(meddling)
        .graceful_shutdown_on(stop)
        .run(reconcile, retry, work)
        .for_each(async |outcome| {
            if let Err(error) = outcome {
                tracing::debug!(%error, "a pass ended");
            }
        })
        .await;
}

pub(crate) fn api<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// The shop whose own Secret it is. Users bring Secrets under names of their own, so every shop of the namespace looks
/// whether it is one of its.
fn shops_of(secret: &PartialObjectMeta<Secret>, shops: &Store<Stored>) -> Vec<ObjectRef<Stored>> {
    if let Some(shop) = shop_of(secret) {
        return vec![shop];
    }
    let namespace = secret.namespace();
    let shops = shops.state().into_iter();
    shops
        .filter(|shop| shop.namespace() == namespace)
        .map(|shop| ObjectRef::from_obj(&*shop))
        .collect()
}

fn shop_of(object: &impl ResourceExt) -> Option<ObjectRef<Stored>> {
    let labels = object.labels();
    let is_ours = labels
        .get("app.kubernetes.io/name")
        .is_some_and(|name| name == APPLICATION);
    let instance = labels.get(INSTANCE_LABEL).filter(|_| is_ours)?;
    Some(ObjectRef::new(instance).within(&object.namespace()?))
}

async fn reconcile(stored: Arc<Stored>, work: Arc<Work>) -> Result<Action, PassError> {
    let Work { context, requests } = &*work;
    let began = Instant::now();
    let outcome = tokio::time::timeout(LONGEST_PASS, async {
        match &stored.0 {
            Ok(shop) => pass(shop, requests, context).await,
            Err(unreadable) => refuse(&stored, unreadable, context).await,
        }
    })
    .await
    .unwrap_or(Err(PassError::Stuck));
    let label = if outcome.is_ok() { "ok" } else { "error" };
    metrics::counter!("bigtix_operator_passes_total", "outcome" => label).increment(1);
    metrics::histogram!("bigtix_operator_pass_seconds").record(began.elapsed().as_secs_f64());
    outcome.inspect(|_| context.succeeded(&stored))
}

async fn pass(shop: &BigTix, requests: &Watched, context: &Context) -> Result<Action, PassError> {
    if shop.metadata.deletion_timestamp.is_some() && !leave::is_held(&shop.metadata) {
        // What it owns goes by itself.
        return Ok(Action::await_change());
    }
    let requests = requests.of(&shop.namespace().unwrap_or_default()).await?;
    let observed = context
        .observer
        .observe(shop, requests)
        .await
        .map_err(|error| PassError::Observe(Box::new(error)))?;
    let now = Timestamp::now();
    let decision = next(&observed, now);
    let written = context.applier.apply(&observed, &decision, now).await;
    // What was decided is said even when carrying it out failed: the next pass decides the same.
    let status = status(&observed, &decision, now);
    context.applier.status(shop, &status).await?;
    let measures = Measures::of(observed.resource.status.as_ref(), &status);
    meters::say(&observed.namespace, &shop.name_any(), &measures);
    let reference = shop.object_ref(&());
    for notice in &decision.notices {
        tell(&context.recorder, &reference, notice).await;
    }
    let written = written?;
    if written.is_empty() {
        Ok(Action::requeue(decision.look_again))
    } else {
        // What was written may have opened the next gate already.
        Ok(Action::requeue(DEBOUNCE))
    }
}

/// Says of a resource that cannot be read what is the matter with it; what it owns stays as it is.
async fn refuse(stored: &Stored, unreadable: &InvalidObject, context: &Context) -> Result<Action, PassError> {
    let metadata = &unreadable.metadata;
    if metadata.deletion_timestamp.is_some() && !leave::is_held(metadata) {
        return Ok(Action::await_change());
    }
    tracing::warn!(
        namespace = stored.namespace(),
        name = stored.name_any(),
        error = unreadable.error,
        "a resource cannot be read"
    );
    let written = context.applier.unreadable(unreadable, Timestamp::now()).await;
    // A status that an older API server does not let be written is no reason to keep silent.
    if !matches!(written, Ok(false)) {
        let notice = Notice {
            is_warning: true,
            reason: conditions::UNREADABLE,
            message: conditions::unreadable(&unreadable.error),
        };
        tell(&context.recorder, &stored.object_ref(&()), &notice).await;
    }
    written?;
    Ok(Action::await_change())
}

/// Publishes an event about an object.
pub(crate) async fn tell(recorder: &Recorder, object: &ObjectReference, notice: &Notice) {
    let Notice {
        is_warning,
        reason,
        message,
    } = notice;
    let event = Event {
        type_: if *is_warning {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: (*reason).to_owned(),
        note: Some(message.chars().take(1000).collect()),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, object).await {
        tracing::warn!(%error, reason, "an event could not be published");
    }
}

fn retry(shop: Arc<Stored>, error: &PassError, work: Arc<Work>) -> Action {
    let failures = work.context.failed(&shop);
    let wait = backoff(failures);
    tracing::warn!(
        namespace = shop.namespace(),
        name = shop.name_any(),
        %error,
        failures,
        again_in_seconds = wait.as_secs(),
        "a pass failed"
    );
    Action::requeue(wait)
}

fn backoff(failures: u32) -> Duration {
    let doubled = SHORTEST_BACKOFF.saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_a_bound() {
        let waits: Vec<u64> = [1, 2, 3, 9, 10, 40]
            .map(|failures| backoff(failures).as_secs())
            .into();
        assert_eq!(waits, [1, 2, 4, 256, 300, 300]);
    }
}
