//! What is written in the same way of every kind of ours: its status, what keeps it, and whether an answer is a refusal that
//! means that it is done.

use std::fmt::Debug;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, Patch, PatchParams, PostParams};
use kube::core::NamespaceResourceScope;
use kube::{Client, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::build::service::KEYS;
use crate::secret;

pub(crate) const STATUS_MANAGER: &str = "bigtix/status";

/// Of an object that is there already, or was changed meanwhile.
pub(crate) const CONFLICT: u16 = 409;
pub(crate) const NOT_FOUND: u16 = 404;
/// Why nothing can be made any more in a namespace that is being deleted.
const NAMESPACE_TERMINATING: &str = "NamespaceTerminating";

/// A kind of objects that live in namespaces.
pub(crate) trait Namespaced:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned
{
}

impl<K> Namespaced for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned
{
}

/// Whether the API server answered with that status.
pub(crate) fn is(error: &kube::Error, status: u16) -> bool {
    matches!(error, kube::Error::Api(answer) if answer.code == status)
}

/// Whether nothing can be made because the namespace is being deleted.
pub(crate) fn is_terminating(error: &kube::Error) -> bool {
    let kube::Error::Api(answer) = error else {
        return false;
    };
    let causes = answer.details.iter().flat_map(|details| &details.causes);
    causes
        .into_iter()
        .any(|cause| cause.reason == NAMESPACE_TERMINATING)
}

/// Writes the status of an object; one that has gone needs none.
pub(crate) async fn status<K, S>(client: &Client, object: &K, status: &S) -> Result<(), kube::Error>
where
    K: Namespaced,
    S: Serialize,
{
    let name = object.name_any();
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name},
        "status": status,
    });
    let parameters = PatchParams::apply(STATUS_MANAGER).force();
    let written = beside(client, object)
        .patch_status(&name, &parameters, &Patch::Apply(&patch))
        .await;
    match written {
        Err(error) if !is(&error, NOT_FOUND) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Has an object stay until it is let go.
pub(crate) async fn keep<K: Namespaced>(
    client: &Client,
    object: &K,
    finalizer: &str,
) -> Result<String, kube::Error> {
    let mut kept = object.finalizers().to_vec();
    kept.push(finalizer.to_owned());
    finalizers(client, object, &kept).await?;
    Ok(format!(
        "{} {} stays until {finalizer}",
        K::kind(&()),
        object.name_any()
    ))
}

/// Lets an object go.
pub(crate) async fn release<K: Namespaced>(
    client: &Client,
    object: &K,
    finalizer: &str,
) -> Result<String, kube::Error> {
    let others = object.finalizers().iter().filter(|kept| *kept != finalizer);
    let others: Vec<String> = others.cloned().collect();
    let what = format!("{} {}", K::kind(&()), object.name_any());
    match finalizers(client, object, &others).await {
        Ok(()) => Ok(format!("{what} waits for {finalizer} no more")),
        Err(error) if is(&error, NOT_FOUND) => Ok(format!("{what} is gone")),
        Err(error) => Err(error),
    }
}

/// Refused when somebody changed the object since it was read.
async fn finalizers<K: Namespaced>(
    client: &Client,
    object: &K,
    finalizers: &[String],
) -> Result<(), kube::Error> {
    let patch = json!({"metadata": {
        "resourceVersion": object.resource_version(),
        "finalizers": finalizers,
    }});
    beside(client, object)
        .patch_metadata(&object.name_any(), &PatchParams::default(), &Patch::Merge(&patch))
        .await
        .map(drop)
}

/// Gives the Secret with the keys of sessions those that `new` makes of the present ones. Refused when somebody changed it
/// meanwhile.
pub(crate) async fn session_keys(
    secrets: &Api<Secret>,
    name: &str,
    now: Timestamp,
    new: impl FnOnce(&str) -> String,
) -> Result<(), kube::Error> {
    let mut secret = secrets.get(name).await?;
    let keys = new(&secret::text(&secret, KEYS).unwrap_or_default());
    secret
        .data
        .get_or_insert_default()
        .insert(KEYS.to_owned(), ByteString(keys.into_bytes()));
    secret
        .annotations_mut()
        .insert(secret::rotated_at_annotation(), now.to_string());
    secrets
        .replace(name, &PostParams::default(), &secret)
        .await
        .map(drop)
}

fn beside<K: Namespaced>(client: &Client, object: &K) -> Api<K> {
    Api::namespaced(client.clone(), &object.namespace().unwrap_or_default())
}
