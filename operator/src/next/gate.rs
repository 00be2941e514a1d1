//! The named predicates that a step waits for, from what the cluster says of a workload.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use serde_json::Value;

/// How often a container may have crashed before its build counts as bad.
const CRASHES: i32 = 3;
/// How many characters of its last words are told.
const LONGEST_WORDS: usize = 300;

/// Whether the next step may be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Open,
    /// Not yet.
    Waiting(Reason),
    /// Waiting longer would not help.
    Broken(Reason),
}

/// What is waited for, or what is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The predicate in the form of a condition's reason.
    pub predicate: &'static str,
    /// A sentence that names the object.
    pub message: String,
}

impl Gate {
    fn waiting(predicate: &'static str, message: String) -> Self {
        Self::Waiting(Reason { predicate, message })
    }

    fn broken(predicate: &'static str, message: String) -> Self {
        Self::Broken(Reason { predicate, message })
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }

    /// Why it is not open.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Open => None,
            Self::Waiting(reason) | Self::Broken(reason) => Some(reason),
        }
    }
}

/// Whether the Deployment `name` runs `image`, and nothing but it, on all its pods.
#[must_use]
pub fn of_deployment(name: &str, deployment: Option<&Deployment>, image: &str, pods: &[&Pod]) -> Gate {
    let Some(deployment) = deployment else {
        return Gate::waiting(
            "DeploymentExists",
            format!("Deployment {name} does not exist yet"),
        );
    };
    let spec = deployment.spec.as_ref();
    let described = spec
        .and_then(|spec| spec.template.spec.as_ref())
        .and_then(|pod| pod.containers.first())
        .and_then(|container| container.image.as_deref());
    if described != Some(image) {
        return Gate::waiting(
            "ImageDescribed",
            format!("Deployment {name} does not name {image} yet"),
        );
    }
    if let Some(gate) = pods.iter().find_map(|pod| failure(pod, image)) {
        return gate;
    }
    let status = deployment.status.clone().unwrap_or_default();
    if status.observed_generation < deployment.metadata.generation {
        return Gate::waiting(
            "GenerationObserved",
            format!("Deployment {name} has not been looked at yet"),
        );
    }
    let wanted = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let updated = status.updated_replicas.unwrap_or(0);
    let available = status.available_replicas.unwrap_or(0);
    let all = status.replicas.unwrap_or(0);
    if updated < wanted || available < wanted || all > updated {
        let older = if all > updated {
            format!("; {} older ones have to go", all - updated)
        } else {
            String::new()
        };
        let trouble = pods
            .iter()
            .find_map(|pod| trouble(pod))
            .map(|trouble| format!(" ({trouble})"))
            .unwrap_or_default();
        let message = format!(
            "Deployment {name}: of {wanted} pods {updated} run {image} and {available} are available{older}{trouble}"
        );
        return Gate::waiting("ReplicasUpdatedAndAvailable", message);
    }
    Gate::Open
}

/// Whether all members of the StatefulSet `name` are as described and ready.
#[must_use]
pub fn of_stateful_set(name: &str, set: Option<&StatefulSet>, pods: &[&Pod]) -> Gate {
    let Some(set) = set else {
        return Gate::waiting(
            "StatefulSetExists",
            format!("StatefulSet {name} does not exist yet"),
        );
    };
    let status = set.status.clone().unwrap_or_default();
    let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let ready = status.ready_replicas.unwrap_or(0);
    let is_observed = status.observed_generation >= set.metadata.generation;
    let is_updated =
        status.update_revision == status.current_revision || status.updated_replicas.unwrap_or(0) >= wanted;
    if is_observed && is_updated && ready >= wanted {
        return Gate::Open;
    }
    let trouble = pods
        .iter()
        .find_map(|pod| trouble(pod))
        .map(|trouble| format!(" ({trouble})"))
        .unwrap_or_default();
    let message = format!("StatefulSet {name}: {ready} of {wanted} pods are ready{trouble}");
    Gate::waiting("MembersReady", message)
}

/// What one pod says of a build that will never run.
fn failure(pod: &Pod, image: &str) -> Option<Gate> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let runs_it = |status: &&ContainerStatus| described_image(pod, &status.name) == Some(image);
    for status in statuses(pod).filter(runs_it) {
        let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
        let reason = waiting
            .and_then(|waiting| waiting.reason.as_deref())
            .unwrap_or_default();
        match reason {
            "InvalidImageName" | "ImagePullBackOff" | "ErrImageNeverPull" => {
                let detail = waiting
                    .and_then(|waiting| waiting.message.as_deref())
                    .unwrap_or_default();
                let message = format!("{image} cannot be pulled for pod {name}: {reason} {detail}");
                return Some(Gate::broken("ImagePulled", message.trim_end().to_owned()));
            }
            _ => {}
        }
        if status.restart_count >= CRASHES && !status.ready {
            let code = last_end(status)
                .map(|end| format!(", the last time with {end}"))
                .unwrap_or_default();
            let message = format!(
                "pod {name} with {image} crashed {} times{code}",
                status.restart_count
            );
            return Some(Gate::broken("NoRestarts", message));
        }
    }
    None
}

/// How a container ended the last time, and what it said then.
fn last_end(status: &ContainerStatus) -> Option<String> {
    let ended = status.last_state.as_ref()?.terminated.as_ref()?;
    let words = ended.message.as_deref().and_then(last_words);
    let words = words.map(|words| format!(": {words}")).unwrap_or_default();
    Some(format!("exit code {}{words}", ended.exit_code))
}

/// What a program said last: the message of its last line of JSON, or that line as it is.
fn last_words(output: &str) -> Option<String> {
    let line = output.lines().rev().find(|line| !line.trim().is_empty())?;
    let said = match serde_json::from_str::<Value>(line) {
        Ok(line) => {
            let texts = ["message", "error"].map(|name| line[name].as_str().map(str::to_owned));
            texts.into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
        Err(_) => line.trim().to_owned(),
    };
    let said: String = said.chars().take(LONGEST_WORDS).collect();
    (!said.is_empty()).then_some(said)
}

/// Why a pod is not ready, where it says so.
fn trouble(pod: &Pod) -> Option<String> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let status = pod.status.as_ref()?;
    let unscheduled = status
        .conditions
        .iter()
        .flatten()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
        .and_then(|condition| condition.message.as_deref());
    if let Some(message) = unscheduled {
        return Some(format!("{name} cannot be placed: {message}"));
    }
    statuses(pod).find_map(|status| {
        let waiting = status.state.as_ref()?.waiting.as_ref()?;
        let reason = waiting
            .reason
            .as_deref()
            .filter(|reason| !matches!(*reason, "PodInitializing" | "ContainerCreating"))?;
        // How long the next try is put off changes all the time, and is not why.
        let message = match reason {
            "CrashLoopBackOff" => last_end(status),
            _ => waiting.message.clone(),
        };
        Some(
            format!("{name}: {reason} {}", message.unwrap_or_default())
                .trim_end()
                .to_owned(),
        )
    })
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|status| status.init_container_statuses.as_ref());
    let main = status.and_then(|status| status.container_statuses.as_ref());
    init.into_iter().flatten().chain(main.into_iter().flatten())
}

fn described_image<'a>(pod: &'a Pod, container: &str) -> Option<&'a str> {
    let containers = &pod.spec.as_ref()?.containers;
    containers
        .iter()
        .find(|described| described.name == container)?
        .image
        .as_deref()
}

/// Pods that carry all the labels and are not on their way out.
#[must_use]
pub fn selected<'a>(pods: &'a [Pod], labels: &BTreeMap<String, String>) -> Vec<&'a Pod> {
    pods.iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none())
        .filter(|pod| {
            let own = pod.metadata.labels.as_ref();
            labels
                .iter()
                .all(|(name, value)| own.is_some_and(|own| own.get(name) == Some(value)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_of_the_last_line() {
        let of = |output: &str| last_words(output);
        let lines =
            "{\"message\":\"listening\"}\n{\"message\":\"stopped\",\"error\":\"Stripe refuses the key\"}\n\n";
        assert_eq!(of(lines).as_deref(), Some("stopped: Stripe refuses the key"));
        assert_eq!(of("killed\n").as_deref(), Some("killed"));
        assert_eq!(of("\n"), None);
        assert_eq!(
            of(&"a".repeat(1000)).map(|words| words.len()),
            Some(LONGEST_WORDS)
        );
    }
}
