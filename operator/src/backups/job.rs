//! The Job that carries a request out: a pod of the operator's own image.

use std::collections::BTreeMap;

use bigtix_crds::platform::Store;
use bigtix_crds::{Service, Version};
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Container, EnvVar, PersistentVolumeClaimVolumeSource, PodSpec, PodTemplateSpec, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use super::facts::{ShopFacts, Task};
use super::location::{Location, MOUNTED_AT};
use crate::build::backup::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use crate::build::mongodb::{self, User};
use crate::build::pod::{self, Pod};
use crate::build::{Shop, service, store};
use crate::names::{self, Component, REQUEST_LABEL};

const ARCHIVES: &str = "archives";
const ME: Component = Component::Backup;
/// How often a pod that failed is tried again.
const TRIES_AGAIN: i32 = 2;
const GRACE_SECONDS: i64 = 30;
const MINUTE_SECONDS: i64 = 60;

/// A service with the version whose data it has.
pub type Versioned = (Service, Version);

/// What a Job is for.
#[derive(Clone, Debug)]
pub struct Work<'a> {
    /// What is to be done.
    pub task: Task,
    /// Whose archive.
    pub location: &'a Location,
    /// The request, which the Job goes with.
    pub request: &'a ObjectMeta,
    /// As the Job names it.
    pub owner: OwnerReference,
    /// What runs.
    pub image: &'a str,
    /// The shop's services that have a database.
    pub services: &'a [Versioned],
}

/// The Job.
#[must_use]
pub fn job(shop: Shop<'_>, work: &Work<'_>) -> Job {
    let (container, volumes) = container(work, environment(shop, work));
    let template = pod::template(
        shop,
        Pod {
            component: ME,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            annotations: BTreeMap::new(),
            init_containers: Vec::new(),
            container,
            owns_volumes: !volumes.is_empty(),
            volumes,
            grace: GRACE_SECONDS,
            revision_label: None,
        },
    );
    assembled(work, names::component_labels(shop.platform, ME), template)
}

/// The Job for the archive of a shop that has gone, or names no place for archives any more. Nothing that is the shop's is about
/// its pods: no network policy, and no identity, so that an object store believes them for a Secret alone.
#[must_use]
pub fn of_nobody(work: &Work<'_>) -> Job {
    let (container, volumes) = container(work, object_store(work.location));
    let owns_volumes = !volumes.is_empty();
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta::default()),
        spec: Some(pod::of_nobody(container, volumes, owns_volumes, GRACE_SECONDS)),
    };
    assembled(work, names::labels_of_nobody(ME), template)
}

/// Once, until its pod succeeds, and at most a few times.
fn assembled(work: &Work<'_>, mut labels: BTreeMap<String, String>, template: PodTemplateSpec) -> Job {
    let PodTemplateSpec { metadata, spec } = template;
    let mut metadata = metadata.unwrap_or_default();
    let request = work.request.uid.clone().unwrap_or_default();
    labels.insert(REQUEST_LABEL.to_owned(), request);
    metadata.labels.get_or_insert_default().extend(labels.clone());
    let minutes = match work.task {
        Task::Take => 120,
        Task::Restore => 360,
        Task::Delete => 15,
    };
    Job {
        metadata: ObjectMeta {
            name: Some(work.task.job(work.request.name.as_deref().unwrap_or_default())),
            namespace: work.request.namespace.clone(),
            labels: Some(labels),
            owner_references: Some(vec![work.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(JobSpec {
            active_deadline_seconds: Some(minutes * MINUTE_SECONDS),
            backoff_limit: Some(TRIES_AGAIN),
            // Two pods at once would write to one place.
            pod_replacement_policy: Some("Failed".to_owned()),
            template: PodTemplateSpec {
                metadata: Some(metadata),
                spec: spec.map(|spec| PodSpec {
                    restart_policy: Some("Never".to_owned()),
                    ..spec
                }),
            },
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// A few megabytes are used whatever the size of the shop; parts of 8 MiB are on their way to a bucket.
fn container(work: &Work<'_>, environment: Vec<EnvVar>) -> (Container, Vec<Volume>) {
    let volume = volume(work.location);
    let container = Container {
        args: Some(arguments(work)),
        env: Some(environment).filter(|env| !env.is_empty()),
        volume_mounts: volume
            .as_ref()
            .map(|_| vec![store::mount(ARCHIVES, MOUNTED_AT, false)]),
        ..pod::container("backup", work.image, &pod::needs("100m", "64Mi", "256Mi"))
    };
    (container, volume.into_iter().collect())
}

fn arguments(work: &Work<'_>) -> Vec<String> {
    let mut arguments = ["backup", work.task.as_str(), &work.location.address()]
        .map(str::to_owned)
        .to_vec();
    match work.task {
        Task::Take | Task::Restore => {
            let services = work.services.iter();
            arguments.extend(services.map(|(service, version)| format!("--service={service}={version}")));
        }
        Task::Delete => {}
    }
    arguments
}

/// Who may do it, at the database and at the object store.
fn environment(shop: Shop<'_>, work: &Work<'_>) -> Vec<EnvVar> {
    let mut variables = match work.task {
        Task::Take => database(shop, User::Reader),
        Task::Restore => database(shop, User::Writer),
        Task::Delete => Vec::new(),
    };
    variables.extend(object_store(work.location));
    variables
}

fn object_store(location: &Location) -> Vec<EnvVar> {
    let Location::Bucket {
        address: _,
        endpoint,
        region,
        secret_name,
    } = location
    else {
        return Vec::new();
    };
    let endpoint = endpoint.as_ref().map(|url| ("AWS_ENDPOINT_URL", url));
    let region = region.as_ref().map(|region| ("AWS_REGION", region));
    let plain = endpoint.into_iter().chain(region);
    let mut variables: Vec<EnvVar> = plain.map(|(name, value)| pod::literal(name, value)).collect();
    if let Some(name) = secret_name {
        variables.push(pod::secret("AWS_ACCESS_KEY_ID", name, ACCESS_KEY_ID));
        variables.push(pod::secret("AWS_SECRET_ACCESS_KEY", name, SECRET_ACCESS_KEY));
    }
    variables
}

fn database(shop: Shop<'_>, user: User) -> Vec<EnvVar> {
    match &shop.platform.stores.mongodb {
        Store::Managed(_) => {
            let (secret, entry) = user.password(shop.platform);
            let uri = mongodb::uri(shop, user.as_str(), "$(MONGODB_PASSWORD)");
            vec![
                pod::secret("MONGODB_PASSWORD", secret, entry),
                pod::literal("MONGODB_URI", uri),
            ]
        }
        Store::External { secret_name } => {
            vec![pod::secret("MONGODB_URI", secret_name.as_str(), service::URI)]
        }
    }
}

fn volume(location: &Location) -> Option<Volume> {
    match location {
        Location::Volume { claim, folder: _ } => Some(Volume {
            name: ARCHIVES.to_owned(),
            persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
                claim_name: claim.clone(),
                read_only: None,
            }),
            ..Volume::default()
        }),
        Location::Bucket { .. } => None,
    }
}

/// The services that have a database, each with the newest version that may have written to it: during a rollout some pods
/// are of the release that goes out.
#[must_use]
pub fn versions(facts: &ShopFacts) -> Vec<Versioned> {
    let Ok(platform) = &facts.verdict else {
        return Vec::new();
    };
    let status = facts.resource.status.clone().unwrap_or_default();
    let released = status
        .version
        .services
        .into_iter()
        .map(|service| (service.name, Some(service.version)));
    let running = status
        .services
        .into_iter()
        .map(|service| (service.name, service.version));
    let known: Vec<(String, Version)> = released
        .chain(running)
        .filter_map(|(name, version)| Some((name, version?.parse().ok()?)))
        .collect();
    mongodb::with_databases(platform)
        .filter_map(|service| {
            let own = known.iter().filter(|(name, _)| name == service.as_str());
            Some((service, own.map(|(_, version)| version).max()?.clone()))
        })
        .collect()
}
