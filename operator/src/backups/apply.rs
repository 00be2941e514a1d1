//! Doing what was decided for a request.

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, PostParams};
use kube::{Client, ResourceExt};

use super::Write;
use super::take::FINALIZER;
use crate::apply::object::{self, CONFLICT, NOT_FOUND, Namespaced, is, is_terminating};
use crate::secret;

/// Carries out one write, and says what it was.
pub(super) async fn write<K: Namespaced>(
    client: &Client,
    request: &K,
    write: &Write,
    now: Timestamp,
) -> Result<String, kube::Error> {
    let namespace = request.namespace().unwrap_or_default();
    let jobs = Api::<Job>::namespaced(client.clone(), &namespace);
    match write {
        Write::Keep => object::keep(client, request, FINALIZER).await,
        Write::Release => object::release(client, request, FINALIZER).await,
        Write::Start(job) => {
            let name = job.name_any();
            match jobs.create(&PostParams::default(), job).await {
                Ok(_) => Ok(format!("Job {name} made")),
                Err(error) if is(&error, CONFLICT) => Ok(format!("Job {name} is there")),
                // Everything else goes too, and what is in a bucket stays.
                Err(error) if is_terminating(&error) => object::release(client, request, FINALIZER).await,
                Err(error) => Err(error),
            }
        }
        Write::End(name) => match jobs.delete(name, &DeleteParams::foreground()).await {
            Ok(_) => Ok(format!("Job {name} deleted")),
            Err(error) if is(&error, NOT_FOUND) => Ok(format!("Job {name} is gone")),
            Err(error) => Err(error),
        },
        Write::RenewSessionKeys(name) => {
            let secrets = Api::namespaced(client.clone(), &namespace);
            object::session_keys(&secrets, name, now, |_| secret::renewed(now)).await?;
            Ok(format!("Secret {name} renewed"))
        }
    }
}
