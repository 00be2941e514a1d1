//! Doing what was decided: the one place where anything is written.

mod mongodb;
pub(crate) mod object;

use std::collections::BTreeMap;

use bigtix_crds::v1alpha1::{BigTixBackupSpec, BigTixStatus};
use bigtix_crds::{BigTix, BigTixBackup, Platform};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::error_boundary::InvalidObject;
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use crate::build::Child;
use crate::build::secrets::{OwnSecret, own};
use crate::difference::stamped;
use crate::kind::Kind;
use crate::next::leave::{self, FINALIZER};
use crate::next::{Decision, Occasion, Write};
use crate::observe::Databases;
use crate::observe::facts::Observed;
use crate::secret;
use crate::status::conditions;
use object::{CONFLICT, NOT_FOUND, is, is_terminating};

/// The field manager of everything that is not applied but changed in place.
const MANAGER: &str = "bigtix/workloads";

/// Why a write failed; the pass ends there, and the next one begins with it.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The API server refused or did not answer.
    #[error("{what}: {source}")]
    Api {
        /// What was being written.
        what: String,
        /// Why not.
        source: Box<kube::Error>,
    },
    /// The database refused or did not answer.
    #[error("MongoDB: {0}")]
    Mongodb(#[from] ::mongodb::error::Error),
    /// A Secret that the step needs has gone.
    #[error("Secret {0} has gone")]
    NoSecret(String),
    /// A mistake of the operator's.
    #[error("{0} is of a kind that is not applied")]
    UnknownKind(String),
    /// A mistake of the operator's: of such a resource nothing is made.
    #[error("the resource breaks a rule")]
    Invalid,
}

impl ApplyError {
    /// Whether nothing can be made any more, because the namespace is being deleted.
    fn is_of_an_ending_namespace(&self) -> bool {
        match self {
            Self::Api { what: _, source } => is_terminating(source),
            Self::Mongodb(_) | Self::NoSecret(_) | Self::UnknownKind(_) | Self::Invalid => false,
        }
    }
}

fn api(what: impl Into<String>) -> impl FnOnce(kube::Error) -> ApplyError {
    let what = what.into();
    move |source| ApplyError::Api {
        what,
        source: Box::new(source),
    }
}

/// What the operator writes with.
#[derive(Clone)]
pub struct Applier {
    /// The API server.
    pub client: Client,
    /// Connections to databases.
    pub databases: Databases,
}

impl Applier {
    /// Carries out the decision's writes in order, and says what each was.
    ///
    /// # Errors
    /// The first write's that failed; those before it are done.
    pub async fn apply(
        &self,
        observed: &Observed,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<Vec<String>, ApplyError> {
        let mut done = Vec::new();
        for write in &decision.writes {
            let what = match self.write(observed, write, now).await {
                // Whatever a shop waits for in a namespace that ends, it never comes.
                Err(error)
                    if error.is_of_an_ending_namespace() && leave::is_held(&observed.resource.metadata) =>
                {
                    done.push(self.release(&observed.resource).await?);
                    return Ok(done);
                }
                outcome => outcome?,
            };
            let name = observed.resource.name_any();
            tracing::info!(namespace = observed.namespace, name, what, "written");
            metrics::counter!("bigtix_operator_writes_total").increment(1);
            done.push(what);
        }
        Ok(done)
    }

    async fn write(&self, observed: &Observed, write: &Write, now: Timestamp) -> Result<String, ApplyError> {
        let namespace = observed.namespace.as_str();
        match write {
            Write::Keep => object::keep(&self.client, &observed.resource, FINALIZER)
                .await
                .map_err(api("the resource cannot be kept")),
            Write::Release => self.release(&observed.resource).await,
            Write::Secret(wanted) => self.complete_secret(observed, wanted, now).await,
            Write::RotateSessionKeys(name) => self.rotate(namespace, name, now).await,
            Write::Apply(child) => self.apply_child(namespace, child).await,
            Write::Delete(kind, name) => self.delete(namespace, *kind, name).await,
            Write::Claim(claim) => self.claim(namespace, claim).await,
            Write::DeleteClaim(name) => self.delete_claim(namespace, name).await,
            Write::Backup { name, shop, occasion } => self.backup(namespace, name, shop, *occasion).await,
            Write::DeleteBackup(name) => self.delete_backup(namespace, name).await,
            Write::Grow { claim, size } => self.grow(namespace, claim, size).await,
            Write::Mongodb(step) => self.mongodb(observed, step).await,
        }
    }

    async fn apply_child(&self, namespace: &str, child: &Child) -> Result<String, ApplyError> {
        let name = child.name();
        let kind = child
            .kind()
            .ok_or_else(|| ApplyError::UnknownKind(name.to_owned()))?;
        let what = format!("{kind:?} {name}");
        let object = stamped(child.to_value().unwrap_or(Value::Null));
        let parameters = PatchParams::apply(kind.manager()).force();
        self.objects(namespace, kind)
            .patch(name, &parameters, &Patch::Apply(&object))
            .await
            .map_err(api(format!("{what} cannot be applied")))?;
        Ok(format!("{what} applied"))
    }

    async fn delete(&self, namespace: &str, kind: Kind, name: &str) -> Result<String, ApplyError> {
        let what = format!("{kind:?} {name}");
        let deleted = self
            .objects(namespace, kind)
            .delete(name, &DeleteParams::background())
            .await;
        deleted_or_gone(&what, deleted)
    }

    fn objects(&self, namespace: &str, kind: Kind) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.resource())
    }

    fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    async fn complete_secret(
        &self,
        observed: &Observed,
        wanted: &OwnSecret,
        now: Timestamp,
    ) -> Result<String, ApplyError> {
        let shop = observed.shop(platform(observed)?);
        let secrets = self.secrets(&observed.namespace);
        let what = format!("Secret {}", wanted.name);
        let cannot_read = || api(format!("{what} cannot be read"));
        let mut others = BTreeMap::new();
        // Those before it in order are those that it may take from.
        for other in own(shop)
            .into_iter()
            .take_while(|other| other.name != wanted.name)
        {
            let found = secrets.get_opt(&other.name).await.map_err(cannot_read())?;
            others.extend(found.map(|secret| (other.name, secret)));
        }
        let present = secrets.get_opt(&wanted.name).await.map_err(cannot_read())?;
        let is_new = present.is_none();
        let secret = secret::completed(shop, wanted, present, &others, now);
        let parameters = PostParams {
            field_manager: Some(MANAGER.to_owned()),
            ..PostParams::default()
        };
        let outcome = if is_new {
            secrets.create(&parameters, &secret).await
        } else {
            // Refused when somebody changed it since: nothing that is there is ever lost.
            secrets.replace(&wanted.name, &parameters, &secret).await
        };
        match outcome {
            Ok(_) => Ok(format!("{what} {}", if is_new { "made" } else { "completed" })),
            Err(error) if is(&error, CONFLICT) => {
                Ok(format!("{what} was written by somebody else meanwhile"))
            }
            Err(error) => Err(api(format!("{what} cannot be written"))(error)),
        }
    }

    async fn rotate(&self, namespace: &str, name: &str, now: Timestamp) -> Result<String, ApplyError> {
        object::session_keys(&self.secrets(namespace), name, now, |keys| {
            secret::rotated(keys, now)
        })
        .await
        .map_err(api(format!("Secret {name} cannot be rotated")))?;
        Ok(format!("Secret {name} rotated"))
    }

    async fn release(&self, resource: &BigTix) -> Result<String, ApplyError> {
        object::release(&self.client, resource, FINALIZER)
            .await
            .map_err(api("the resource cannot be let go"))
    }

    fn claims(&self, namespace: &str) -> Api<PersistentVolumeClaim> {
        Api::namespaced(self.client.clone(), namespace)
    }

    async fn grow(&self, namespace: &str, claim: &str, size: &str) -> Result<String, ApplyError> {
        let patch = json!({"spec": {"resources": {"requests": {"storage": size}}}});
        self.claims(namespace)
            .patch(claim, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .map_err(api(format!(
                "PersistentVolumeClaim {claim} cannot grow to {size}"
            )))?;
        Ok(format!("PersistentVolumeClaim {claim} grows to {size}"))
    }

    async fn claim(&self, namespace: &str, claim: &PersistentVolumeClaim) -> Result<String, ApplyError> {
        let name = claim.name_any();
        let made = self.claims(namespace).create(&PostParams::default(), claim).await;
        made_or_there(&format!("PersistentVolumeClaim {name}"), made)
    }

    /// A member that still runs has its volume until its pod is gone.
    async fn delete_claim(&self, namespace: &str, name: &str) -> Result<String, ApplyError> {
        let deleted = self
            .claims(namespace)
            .delete(name, &DeleteParams::default())
            .await;
        deleted_or_gone(&format!("PersistentVolumeClaim {name}"), deleted)
    }

    async fn backup(
        &self,
        namespace: &str,
        name: &str,
        shop: &str,
        occasion: Occasion,
    ) -> Result<String, ApplyError> {
        let spec = BigTixBackupSpec {
            shop: shop.to_owned(),
        };
        let mut backup = BigTixBackup::new(name, spec);
        backup
            .labels_mut()
            .insert(occasion.label().to_owned(), "true".to_owned());
        let backups = Api::<BigTixBackup>::namespaced(self.client.clone(), namespace);
        let made = backups.create(&PostParams::default(), &backup).await;
        made_or_there(&format!("BigTixBackup {name}"), made)
    }

    async fn delete_backup(&self, namespace: &str, name: &str) -> Result<String, ApplyError> {
        let backups = Api::<BigTixBackup>::namespaced(self.client.clone(), namespace);
        let deleted = backups.delete(name, &DeleteParams::default()).await;
        deleted_or_gone(&format!("BigTixBackup {name}"), deleted)
    }

    /// Writes the status, if it says anything new.
    ///
    /// # Errors
    /// The API server's.
    pub async fn status(&self, resource: &BigTix, status: &BigTixStatus) -> Result<(), ApplyError> {
        if resource.status.as_ref() == Some(status) {
            return Ok(());
        }
        object::status(&self.client, resource, status)
            .await
            .map_err(api("the status cannot be written"))
    }

    /// Says in the conditions of a resource that cannot be read that it cannot, if that is not said already.
    ///
    /// The rest of its status is not touched: what serves users is remembered there.
    ///
    /// # Errors
    /// The API server's.
    pub async fn unreadable(&self, resource: &InvalidObject, now: Timestamp) -> Result<bool, ApplyError> {
        let InvalidObject { error, metadata } = resource;
        let (namespace, name) = (
            metadata.namespace.as_deref().unwrap_or_default(),
            metadata.name.as_deref().unwrap_or_default(),
        );
        let kind = ApiResource::erase::<BigTix>(&());
        let resources: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &kind);
        let only = ListParams::default().fields(&format!("metadata.name={name}"));
        let found = resources
            .list(&only)
            .await
            .map_err(api("the resource cannot be listed"))?;
        let said = found
            .items
            .first()
            .map(|found| &found.data["status"]["conditions"]);
        let saying = conditions::of_unreadable(error, metadata.generation.unwrap_or_default(), said, now);
        let Some(saying) = saying else {
            return Ok(false);
        };
        // Not applied: an API server cannot merge what it cannot read either.
        let patch = json!({"status": {"conditions": saying}});
        resources
            .patch_status(name, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .map_err(api("the status cannot be written"))?;
        Ok(true)
    }
}

/// Somebody who made it before us meant the same.
fn made_or_there<K>(what: &str, made: Result<K, kube::Error>) -> Result<String, ApplyError> {
    match made {
        Ok(_) => Ok(format!("{what} made")),
        Err(error) if is(&error, CONFLICT) => Ok(format!("{what} is there")),
        Err(error) => Err(api(format!("{what} cannot be made"))(error)),
    }
}

/// Somebody who deleted it before us meant the same.
fn deleted_or_gone<K>(what: &str, deleted: Result<K, kube::Error>) -> Result<String, ApplyError> {
    match deleted {
        Ok(_) => Ok(format!("{what} deleted")),
        Err(error) if is(&error, NOT_FOUND) => Ok(format!("{what} is gone")),
        Err(error) => Err(api(format!("{what} cannot be deleted"))(error)),
    }
}

fn platform(observed: &Observed) -> Result<&Platform, ApplyError> {
    observed.verdict.as_ref().map_err(|_| ApplyError::Invalid)
}
