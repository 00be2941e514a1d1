//! Doing what was decided: the one place where anything is written.

mod mongodb;

use std::collections::BTreeMap;

use bigtix_crds::v1alpha1::{BigTixBackupSpec, BigTixStatus};
use bigtix_crds::{BigTix, BigTixBackup, Platform};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::error_boundary::InvalidObject;
use kube::{Client, Resource, ResourceExt};
use serde_json::{Value, json};

use crate::build::Child;
use crate::build::secrets::{OwnSecret, own};
use crate::build::service::KEYS;
use crate::difference::stamped;
use crate::kind::Kind;
use crate::names::SCHEDULED_LABEL;
use crate::next::{Decision, Write};
use crate::observe::Databases;
use crate::observe::facts::Observed;
use crate::secret;
use crate::status::conditions;

/// The field manager of everything that is not applied but changed in place.
const MANAGER: &str = "bigtix/workloads";
pub(crate) const STATUS_MANAGER: &str = "bigtix/status";

/// Of an object that is there already.
const CONFLICT: u16 = 409;
const NOT_FOUND: u16 = 404;

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
        let Ok(platform) = &observed.verdict else {
            return Ok(Vec::new());
        };
        let mut done = Vec::new();
        for write in &decision.writes {
            let what = self.write(observed, platform, write, now).await?;
            tracing::info!(namespace = observed.namespace, name = %platform.name, what, "written");
            metrics::counter!("bigtix_operator_writes_total").increment(1);
            done.push(what);
        }
        Ok(done)
    }

    async fn write(
        &self,
        observed: &Observed,
        platform: &Platform,
        write: &Write,
        now: Timestamp,
    ) -> Result<String, ApplyError> {
        let namespace = observed.namespace.as_str();
        match write {
            Write::Secret(wanted) => self.complete_secret(observed, platform, wanted, now).await,
            Write::RotateSessionKeys(name) => self.rotate(namespace, name, now).await,
            Write::Apply(child) => self.apply_child(namespace, child).await,
            Write::Delete(kind, name) => self.delete(namespace, *kind, name).await,
            Write::Claim(claim) => self.claim(namespace, claim).await,
            Write::Backup { name, shop } => self.backup(namespace, name, shop).await,
            Write::DeleteBackup(name) => self.delete_backup(namespace, name).await,
            Write::Grow { claim, size } => self.grow(namespace, claim, size).await,
            Write::Mongodb(step) => self.mongodb(observed, platform, step).await,
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
        match self
            .objects(namespace, kind)
            .delete(name, &DeleteParams::background())
            .await
        {
            Ok(_) => Ok(format!("{what} deleted")),
            Err(error) if is(&error, NOT_FOUND) => Ok(format!("{what} is gone")),
            Err(error) => Err(api(format!("{what} cannot be deleted"))(error)),
        }
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
        platform: &Platform,
        wanted: &OwnSecret,
        now: Timestamp,
    ) -> Result<String, ApplyError> {
        let shop = observed.shop(platform);
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
        let secrets = self.secrets(namespace);
        let mut secret = secrets
            .get(name)
            .await
            .map_err(api(format!("Secret {name} cannot be read")))?;
        let keys = secret::text(&secret, KEYS).ok_or_else(|| ApplyError::NoSecret(name.to_owned()))?;
        let rotated = secret::rotated(&keys, now).into_bytes();
        secret
            .data
            .get_or_insert_default()
            .insert(KEYS.to_owned(), ByteString(rotated));
        secret
            .annotations_mut()
            .insert(secret::rotated_at_annotation(), now.to_string());
        secrets
            .replace(name, &PostParams::default(), &secret)
            .await
            .map_err(api(format!("Secret {name} cannot be rotated")))?;
        Ok(format!("Secret {name} rotated"))
    }

    async fn grow(&self, namespace: &str, claim: &str, size: &str) -> Result<String, ApplyError> {
        let patch = json!({"spec": {"resources": {"requests": {"storage": size}}}});
        Api::<PersistentVolumeClaim>::namespaced(self.client.clone(), namespace)
            .patch(claim, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .map_err(api(format!(
                "PersistentVolumeClaim {claim} cannot grow to {size}"
            )))?;
        Ok(format!("PersistentVolumeClaim {claim} grows to {size}"))
    }

    async fn claim(&self, namespace: &str, claim: &PersistentVolumeClaim) -> Result<String, ApplyError> {
        let name = claim.name_any();
        let claims = Api::<PersistentVolumeClaim>::namespaced(self.client.clone(), namespace);
        let made = claims.create(&PostParams::default(), claim).await;
        made_or_there(&format!("PersistentVolumeClaim {name}"), made)
    }

    async fn backup(&self, namespace: &str, name: &str, shop: &str) -> Result<String, ApplyError> {
        let spec = BigTixBackupSpec {
            shop: shop.to_owned(),
        };
        let mut backup = BigTixBackup::new(name, spec);
        backup
            .labels_mut()
            .insert(SCHEDULED_LABEL.to_owned(), "true".to_owned());
        let backups = Api::<BigTixBackup>::namespaced(self.client.clone(), namespace);
        let made = backups.create(&PostParams::default(), &backup).await;
        made_or_there(&format!("BigTixBackup {name}"), made)
    }

    async fn delete_backup(&self, namespace: &str, name: &str) -> Result<String, ApplyError> {
        let backups = Api::<BigTixBackup>::namespaced(self.client.clone(), namespace);
        match backups.delete(name, &DeleteParams::default()).await {
            Ok(_) => Ok(format!("BigTixBackup {name} deleted")),
            Err(error) if is(&error, NOT_FOUND) => Ok(format!("BigTixBackup {name} is gone")),
            Err(error) => Err(api(format!("BigTixBackup {name} cannot be deleted"))(error)),
        }
    }

    /// Writes the status, if it says anything new.
    ///
    /// # Errors
    /// The API server's.
    pub async fn status(&self, resource: &BigTix, status: &BigTixStatus) -> Result<(), ApplyError> {
        if resource.status.as_ref() == Some(status) {
            return Ok(());
        }
        let name = resource.name_any();
        let patch = json!({
            "apiVersion": BigTix::api_version(&()),
            "kind": BigTix::kind(&()),
            "metadata": {"name": name},
            "status": status,
        });
        let parameters = PatchParams::apply(STATUS_MANAGER).force();
        Api::<BigTix>::namespaced(self.client.clone(), &resource.namespace().unwrap_or_default())
            .patch_status(&name, &parameters, &Patch::Apply(&patch))
            .await
            .map_err(api("the status cannot be written"))?;
        Ok(())
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

fn is(error: &kube::Error, status: u16) -> bool {
    matches!(error, kube::Error::Api(answer) if answer.code == status)
}
