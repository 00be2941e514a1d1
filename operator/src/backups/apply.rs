//! Doing what was decided for a request.

use k8s_openapi::ByteString;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Write;
use super::take::FINALIZER;
use crate::apply::STATUS_MANAGER;
use crate::build::service::KEYS;
use crate::secret;

const CONFLICT: u16 = 409;
const NOT_FOUND: u16 = 404;
/// Why nothing can be made any more in a namespace that is being deleted.
const NAMESPACE_TERMINATING: &str = "NamespaceTerminating";

/// Carries out one write, and says what it was.
pub(super) async fn write<K>(
    client: &Client,
    request: &K,
    write: &Write,
    now: Timestamp,
) -> Result<String, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let namespace = request.namespace().unwrap_or_default();
    let jobs = Api::<Job>::namespaced(client.clone(), &namespace);
    match write {
        Write::Keep => {
            let mut kept = request.finalizers().to_vec();
            kept.push(FINALIZER.to_owned());
            finalizers(client, request, &kept).await
        }
        Write::Release => release(client, request).await,
        Write::Start(job) => {
            let name = job.name_any();
            match jobs.create(&PostParams::default(), job).await {
                Ok(_) => Ok(format!("Job {name} made")),
                Err(error) if is(&error, CONFLICT) => Ok(format!("Job {name} is there")),
                // Everything else goes too, and what is in a bucket stays.
                Err(error) if is_terminating(&error) => release(client, request).await,
                Err(error) => Err(error),
            }
        }
        Write::End(name) => match jobs.delete(name, &DeleteParams::foreground()).await {
            Ok(_) => Ok(format!("Job {name} deleted")),
            Err(error) if is(&error, NOT_FOUND) => Ok(format!("Job {name} is gone")),
            Err(error) => Err(error),
        },
        Write::RenewSessionKeys(name) => renew(&Api::namespaced(client.clone(), &namespace), name, now).await,
    }
}

async fn release<K>(client: &Client, request: &K) -> Result<String, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let others = request.finalizers().iter().filter(|kept| *kept != FINALIZER);
    let others: Vec<String> = others.cloned().collect();
    finalizers(client, request, &others).await
}

/// Refused when somebody changed the request since it was read.
async fn finalizers<K>(client: &Client, request: &K, finalizers: &[String]) -> Result<String, kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
{
    let patch = json!({"metadata": {
        "resourceVersion": request.resource_version(),
        "finalizers": finalizers,
    }});
    let requests = Api::<K>::namespaced(client.clone(), &request.namespace().unwrap_or_default());
    let name = request.name_any();
    match requests
        .patch_metadata(&name, &PatchParams::default(), &Patch::Merge(&patch))
        .await
    {
        Ok(_) if finalizers.is_empty() => Ok(format!("{} {name} may go", K::kind(&()))),
        Ok(_) => Ok(format!("{} {name} stays until its archive is gone", K::kind(&()))),
        Err(error) if is(&error, NOT_FOUND) => Ok(format!("{} {name} is gone", K::kind(&()))),
        Err(error) => Err(error),
    }
}

async fn renew(secrets: &Api<Secret>, name: &str, now: Timestamp) -> Result<String, kube::Error> {
    let mut keys = secrets.get(name).await?;
    let renewed = secret::renewed(now).into_bytes();
    keys.data
        .get_or_insert_default()
        .insert(KEYS.to_owned(), ByteString(renewed));
    keys.annotations_mut()
        .insert(secret::rotated_at_annotation(), now.to_string());
    secrets.replace(name, &PostParams::default(), &keys).await?;
    Ok(format!("Secret {name} renewed"))
}

/// Writes the status.
pub(super) async fn status<K, S>(client: &Client, request: &K, status: &S) -> Result<(), kube::Error>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned,
    S: Serialize,
{
    let name = request.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name},
        "status": status,
    });
    let requests = Api::<K>::namespaced(client.clone(), &request.namespace().unwrap_or_default());
    requests
        .patch_status(
            &name,
            &PatchParams::apply(STATUS_MANAGER).force(),
            &Patch::Apply(&patch),
        )
        .await
        .map(drop)
}

fn is(error: &kube::Error, status: u16) -> bool {
    matches!(error, kube::Error::Api(answer) if answer.code == status)
}

fn is_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(answer) = error else {
        return false;
    };
    let causes = answer.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == NAMESPACE_TERMINATING)
}
