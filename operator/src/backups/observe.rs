//! Looking: the shop of a request, its Jobs with what their pods say, and what else its next step depends on.

use bigtix_crds::{BigTix, BigTixBackup, BigTixRestore, Service};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerState, PersistentVolumeClaim, Pod};
use kube::api::{Api, ListParams};
use kube::{Client, Resource, ResourceExt};

use super::facts::{self, JobState, Program, ShopFacts, Task};
use super::location::Location;
use super::outcome::{Failure, Outcome};
use crate::apply::object::Namespaced;
use crate::names::{APPLICATION, COMPONENT_LABEL, INSTANCE_LABEL, REQUEST_LABEL};
use crate::next::leave;
use crate::observe::ApiServer;
use crate::observe::facts::has_ended;

/// As much of a pod's last words as is repeated.
const LONGEST_WORDS: usize = 500;

/// What requests are looked at with.
pub(super) struct Observer {
    pub(super) client: Client,
    pub(super) program: Program,
}

/// The Jobs of a request, and their pods.
struct Work {
    jobs: Vec<Job>,
    pods: Vec<Pod>,
}

impl Observer {
    pub(super) async fn backup(&self, request: &BigTixBackup) -> Result<facts::Backup, kube::Error> {
        let namespace = request.namespace().unwrap_or_default();
        let work = self.work(&namespace, &request.metadata.uid).await?;
        let recorded = request.status.as_ref().and_then(Location::recorded);
        let has_claim = match recorded {
            Some(Location::Volume { claim, folder: _ }) => {
                let found: Option<PersistentVolumeClaim> = self.one(&namespace, &claim).await?;
                found.is_some()
            }
            Some(Location::Bucket { .. }) | None => false,
        };
        Ok(facts::Backup {
            shop: self.shop(&namespace, &request.spec.shop).await?,
            take: work.state(Task::Take, &request.name_any()),
            delete: work.state(Task::Delete, &request.name_any()),
            has_claim,
            program: self.program.clone(),
            request: request.clone(),
        })
    }

    pub(super) async fn restore(&self, request: &BigTixRestore) -> Result<facts::Restore, kube::Error> {
        let namespace = request.namespace().unwrap_or_default();
        let work = self.work(&namespace, &request.metadata.uid).await?;
        Ok(facts::Restore {
            shop: self.shop(&namespace, &request.spec.shop).await?,
            backup: self.one(&namespace, &request.spec.backup).await?,
            job: work.state(Task::Restore, &request.name_any()),
            service_pods: self.service_pods(&namespace, &request.spec.shop).await?,
            program: self.program.clone(),
            request: request.clone(),
        })
    }

    async fn shop(&self, namespace: &str, name: &str) -> Result<Option<ShopFacts>, kube::Error> {
        let Some(resource) = self.one::<BigTix>(namespace, name).await? else {
            return Ok(None);
        };
        let api_server = ApiServer {
            client: &self.client,
            operator_namespace: &self.program.operator_namespace,
        };
        let catalog = api_server.catalog().await?;
        Ok(Some(ShopFacts {
            verdict: leave::meaning(&resource, &catalog),
            owner: resource.controller_owner_ref(&()).unwrap_or_default(),
            resource,
        }))
    }

    /// Listed, which the operator may do anyway.
    async fn one<K: Namespaced>(&self, namespace: &str, name: &str) -> Result<Option<K>, kube::Error> {
        let only = ListParams::default().fields(&format!("metadata.name={name}"));
        let found = Api::<K>::namespaced(self.client.clone(), namespace)
            .list(&only)
            .await?;
        Ok(found.items.into_iter().next())
    }

    async fn work(&self, namespace: &str, uid: &Option<String>) -> Result<Work, kube::Error> {
        let uid = uid.as_deref().unwrap_or_default();
        let ours = ListParams::default().labels(&format!("{REQUEST_LABEL}={uid}"));
        let client = || self.client.clone();
        Ok(Work {
            jobs: Api::<Job>::namespaced(client(), namespace)
                .list(&ours)
                .await?
                .items,
            pods: Api::<Pod>::namespaced(client(), namespace)
                .list(&ours)
                .await?
                .items,
        })
    }

    /// Those that may still have a connection.
    async fn service_pods(&self, namespace: &str, shop: &str) -> Result<Vec<String>, kube::Error> {
        let services = Service::ALL.map(Service::as_str).join(",");
        let selector = format!(
            "app.kubernetes.io/name={APPLICATION},{INSTANCE_LABEL}={shop},{COMPONENT_LABEL} in ({services})"
        );
        let found = Api::<Pod>::namespaced(self.client.clone(), namespace)
            .list(&ListParams::default().labels(&selector))
            .await?;
        let running = found.items.iter().filter(|pod| !has_ended(pod));
        Ok(running.map(ResourceExt::name_any).collect())
    }
}

impl Work {
    fn state(&self, task: Task, request: &str) -> JobState {
        let name = task.job(request);
        let Some(job) = self.jobs.iter().find(|job| job.name_any() == name) else {
            return JobState::Absent;
        };
        let pods: Vec<&Pod> = self.pods.iter().filter(|pod| belongs(pod, job)).collect();
        state(job, &pods)
    }
}

fn belongs(pod: &Pod, job: &Job) -> bool {
    let mut owners = pod.owner_references().iter();
    owners.any(|owner| Some(&owner.uid) == job.metadata.uid.as_ref())
}

fn state(job: &Job, pods: &[&Pod]) -> JobState {
    if job.metadata.deletion_timestamp.is_some() {
        return JobState::Leaving;
    }
    let status = job.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let says = |type_: &str| {
        let mut conditions = conditions.iter();
        conditions.find(|said| said.type_ == type_ && said.status == "True")
    };
    let words: Vec<(&Pod, Option<Outcome>)> = pods
        .iter()
        .filter_map(|pod| Some((*pod, last_words(pod)?)))
        .map(|(pod, words)| (pod, Outcome::read(&words)))
        .collect();
    if says("Complete").is_some() {
        return JobState::Succeeded(words.into_iter().find_map(|(_, outcome)| match outcome {
            Some(Outcome::Done(archive)) => Some(archive),
            Some(Outcome::Failed(_) | Outcome::Deleted) | None => None,
        }));
    }
    let Some(failed) = says("Failed") else {
        return JobState::Running(pods.iter().find_map(|pod| waits_for(pod)));
    };
    let failures: Vec<(&Pod, Failure)> = words
        .into_iter()
        .filter_map(|(pod, outcome)| match outcome {
            Some(Outcome::Failed(failure)) => Some((pod, failure)),
            Some(Outcome::Done(_) | Outcome::Deleted) | None => None,
        })
        .collect();
    // Of a pod that was killed, or is gone, nobody knows how far it got.
    let tried = usize::try_from(status.failed.unwrap_or(1)).unwrap_or(1);
    let changed = failures.len() < tried.max(1) || failures.iter().any(|(_, failure)| failure.changed);
    let newest = failures
        .into_iter()
        .max_by_key(|(pod, _)| pod.metadata.creation_timestamp.as_ref().map(|at| at.0));
    let error = match newest {
        Some((_, failure)) => failure.error,
        None => unexplained(failed.message.as_deref(), pods),
    };
    JobState::Failed {
        failure: Failure { error, changed },
        at: failed.last_transition_time.as_ref().map(|at| at.0),
    }
}

/// What is known of pods that could not tell themselves.
fn unexplained(said: Option<&str>, pods: &[&Pod]) -> String {
    let words = pods.iter().find_map(|pod| last_words(pod));
    let words: String = words.unwrap_or_default().chars().take(LONGEST_WORDS).collect();
    let said = said.unwrap_or("the Job failed");
    match words.trim() {
        "" => said.to_owned(),
        words => format!("{said}; its last words: {words}"),
    }
}

fn container(pod: &Pod) -> Option<&ContainerState> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    statuses.first()?.state.as_ref()
}

fn last_words(pod: &Pod) -> Option<String> {
    container(pod)?.terminated.as_ref()?.message.clone()
}

/// Why a pod does not run yet, if it is more than that it is being made.
fn waits_for(pod: &Pod) -> Option<String> {
    let waiting = container(pod).and_then(|state| state.waiting.as_ref());
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref());
    if let (Some(waiting), Some(reason)) = (waiting, reason)
        && reason != "ContainerCreating"
    {
        let message = waiting.message.as_deref().unwrap_or_default();
        return Some(format!("its pod waits: {reason}: {message}"));
    }
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let unscheduled = conditions
        .iter()
        .find(|said| said.type_ == "PodScheduled" && said.status == "False")?;
    let message = unscheduled.message.as_deref().unwrap_or_default();
    Some(format!("its pod waits for a node: {message}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn job(status: Value) -> Job {
        let job = json!({"metadata": {"name": "a-restore", "uid": "1"}, "status": status});
        serde_json::from_value(job).expect("a Job")
    }

    fn pod(message: Option<&str>) -> Pod {
        let pod = json!({
            "metadata": {"ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "a-restore", "uid": "1"}]},
            "status": {"containerStatuses": [{
                "name": "backup", "image": "x", "imageID": "x", "ready": false, "restartCount": 0,
                "state": {"terminated": {"exitCode": 1, "message": message}},
            }]},
        });
        serde_json::from_value(pod).expect("a pod")
    }

    fn failed(changed: bool) -> Pod {
        let failure = Failure {
            error: "no".into(),
            changed,
        };
        pod(Some(&Outcome::Failed(failure).message()))
    }

    fn changed(pods: &[Pod], count: i64) -> bool {
        let failed = json!({"failed": count, "conditions": [{"type": "Failed", "status": "True"}]});
        let pods: Vec<&Pod> = pods.iter().collect();
        match state(&job(failed), &pods) {
            JobState::Failed { failure, at: _ } => failure.changed,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_was_changed_only_if_every_pod_says_so() {
        assert!(!changed(&[failed(false), failed(false)], 2));
        assert!(changed(&[failed(true), failed(false)], 2));
        assert!(changed(&[failed(false)], 2), "one pod is gone");
        assert!(changed(&[pod(None)], 1), "one was killed");
        assert!(changed(&[], 0), "one never ran, and was perhaps forgotten");
    }

    #[test]
    fn what_a_pod_says_comes_back() {
        let said = r#"{"done":{"takenAt":"2026-01-02T03:04:05Z","documents":7,"bytes":9}}"#;
        let complete = json!({"conditions": [{"type": "Complete", "status": "True"}]});
        let state = state(&job(complete), &[&pod(Some(said))]);
        let JobState::Succeeded(Some(archive)) = state else {
            panic!("{state:?}");
        };
        assert_eq!((archive.documents, archive.bytes), (7, 9));
        assert_eq!(Outcome::Done(archive).message(), said);
    }
}
