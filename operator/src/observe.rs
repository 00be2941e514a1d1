//! Looking: the objects of a shop as the API server has them, and the database as it describes itself.

pub mod facts;
mod metrics;
mod mongodb;
mod outside;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use bigtix_crds::{BigTix, Catalog, Platform};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret};
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::TypeMeta;
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::build::Shop;
use crate::build::meta::digest;
use crate::build::secrets::own;
use crate::kind::Kind;
use crate::names::{APPLICATION, INSTANCE_LABEL, MANAGED_BY_LABEL, MANAGER};
use crate::next::{asked_for_metrics, expected_secrets, leave};
use crate::secret;
use facts::{Live, MongodbFacts, Observed, SecretFacts};

pub use metrics::Scraper;
pub use mongodb::Databases;
pub(crate) use mongodb::code as mongodb_code;
pub use outside::Outside;
pub use requests::{Gone, Requests, Watched};

/// The ConfigMap with releases that are newer than this program.
const RELEASES: &str = "bigtix-releases";

/// Of a kind that a cluster does not have.
const NOT_FOUND: u16 = 404;

/// What the operator looks with.
#[derive(Clone)]
pub struct Observer {
    /// The API server.
    pub client: Client,
    /// Connections to databases, kept between passes.
    pub databases: Databases,
    /// Asks pods how they answer.
    pub scraper: Scraper,
    /// Where the operator runs.
    pub operator_namespace: String,
}

impl Observer {
    /// Everything about one shop, with the requests of its namespace.
    ///
    /// # Errors
    /// Those of the API server. A database that does not answer is a fact and no error.
    pub async fn observe(&self, resource: &BigTix, requests: Requests) -> Result<Observed, kube::Error> {
        let api_server = ApiServer {
            client: &self.client,
            operator_namespace: &self.operator_namespace,
        };
        let (mut observed, secrets) = api_server.look(resource, requests).await?;
        if let Ok(platform) = observed.verdict.clone() {
            observed.mongodb = self.databases.look(&observed, &platform, &secrets).await;
            let asked = asked_for_metrics(&observed, &platform);
            observed.traffic = self.scraper.traffic(&asked).await;
        }
        Ok(observed)
    }
}

/// What the API server can tell.
pub(crate) struct ApiServer<'a> {
    pub(crate) client: &'a Client,
    pub(crate) operator_namespace: &'a str,
}

impl ApiServer<'_> {
    /// A shop without its database and its metrics, and the Secrets that are the operator's to make.
    async fn look(
        &self,
        resource: &BigTix,
        requests: Requests,
    ) -> Result<(Observed, BTreeMap<String, Secret>), kube::Error> {
        let namespace = resource.namespace().unwrap_or_default();
        let verdict = leave::meaning(resource, &self.catalog().await?);
        let Requests { backups, restores } = requests;
        let optional_kinds = self.optional_kinds().await?;
        let mut observed = Observed {
            live: self
                .live(&namespace, &resource.name_any(), &optional_kinds)
                .await?,
            resource: resource.clone(),
            verdict,
            namespace: namespace.clone(),
            owner: resource.controller_owner_ref(&()).unwrap_or_default(),
            operator_namespace: self.operator_namespace.to_owned(),
            secrets: BTreeMap::new(),
            brought: BTreeMap::new(),
            backups,
            restores,
            mongodb: MongodbFacts::Absent,
            traffic: BTreeMap::new(),
            optional_kinds,
        };
        observed
            .restores
            .retain(|restore| restore.spec.shop == resource.name_any());
        let mut secrets = BTreeMap::new();
        if let Ok(platform) = observed.verdict.clone() {
            secrets = self.secrets(observed.shop(&platform)).await?;
            observed.brought = self.brought(&namespace, &platform).await?;
            observed.secrets = secrets
                .iter()
                .map(|(name, secret)| (name.clone(), facts_of(secret)))
                .collect();
        }
        Ok((observed, secrets))
    }

    /// The releases that this program knows, and those of the ConfigMap beside the operator, one in each entry. One that
    /// cannot be used is left out.
    pub(crate) async fn catalog(&self) -> Result<Catalog, kube::Error> {
        let api = Api::<ConfigMap>::namespaced(self.client.clone(), self.operator_namespace);
        let further = api
            .get_opt(RELEASES)
            .await?
            .and_then(|found| found.data)
            .unwrap_or_default();
        let extend = |catalog: Catalog, (entry, text): (String, String)| {
            catalog.clone().with(&text).unwrap_or_else(|error| {
                tracing::warn!(config_map = RELEASES, entry, %error, "a release cannot be used");
                catalog
            })
        };
        Ok(further.into_iter().fold(Catalog::embedded(), extend))
    }

    /// Kinds that a cluster may lack and this one has by now.
    async fn optional_kinds(&self) -> Result<BTreeSet<String>, kube::Error> {
        let mut groups = BTreeMap::new();
        for kind in Kind::ALL.into_iter().filter(|kind| kind.is_optional()) {
            let resource = kind.resource();
            groups
                .entry(resource.api_version)
                .or_insert_with(BTreeSet::new)
                .insert(resource.kind);
        }
        let mut found = BTreeSet::new();
        for (group, kinds) in groups {
            match self.client.list_api_group_resources(&group).await {
                Ok(list) => found.extend(
                    list.resources
                        .into_iter()
                        .map(|resource| resource.kind)
                        .filter(|kind| kinds.contains(kind)),
                ),
                Err(kube::Error::Api(answer)) if answer.code == NOT_FOUND => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn live(
        &self,
        namespace: &str,
        name: &str,
        optional_kinds: &BTreeSet<String>,
    ) -> Result<Live, kube::Error> {
        let ours = ListParams::default().labels(&format!(
            "app.kubernetes.io/name={APPLICATION},{INSTANCE_LABEL}={name},{MANAGED_BY_LABEL}={MANAGER}"
        ));
        let mut live = Live::default();
        for kind in Kind::ALL {
            let resource = kind.resource();
            if kind.is_optional() && !optional_kinds.contains(&resource.kind) {
                continue;
            }
            let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), namespace, &resource);
            for mut object in api.list(&ours).await? {
                // The items of a list do not say what they are.
                object.types = Some(TypeMeta {
                    api_version: resource.api_version.clone(),
                    kind: resource.kind.clone(),
                });
                let name = object.name_any();
                if object.metadata.deletion_timestamp.is_some() {
                    continue;
                }
                let value = serde_json::to_value(&object).unwrap_or(Value::Null);
                match kind {
                    Kind::Deployment => keep(&mut live.deployments, &name, &value),
                    Kind::StatefulSet => keep(&mut live.stateful_sets, &name, &value),
                    Kind::Ingress => keep(&mut live.ingresses, &name, &value),
                    _ => {}
                }
                live.objects.insert((kind, name), value);
            }
        }
        live.pods = Api::<Pod>::namespaced(self.client.clone(), namespace)
            .list(&ours)
            .await?
            .items;
        let claims = Api::<PersistentVolumeClaim>::namespaced(self.client.clone(), namespace);
        let of_shop = ListParams::default().labels(&format!(
            "app.kubernetes.io/name={APPLICATION},{INSTANCE_LABEL}={name}"
        ));
        live.claims = claims
            .list(&of_shop)
            .await?
            .into_iter()
            .map(|claim| (claim.name_any(), claim))
            .collect();
        Ok(live)
    }

    /// The Secrets that are the operator's to make, those that are there.
    async fn secrets(&self, shop: Shop<'_>) -> Result<BTreeMap<String, Secret>, kube::Error> {
        let api = Api::<Secret>::namespaced(self.client.clone(), shop.namespace);
        let mut found = BTreeMap::new();
        for wanted in own(shop) {
            found.extend(
                api.get_opt(&wanted.name)
                    .await?
                    .map(|secret| (wanted.name, secret)),
            );
        }
        Ok(found)
    }

    /// Which entries the Secrets that users bring have.
    async fn brought(
        &self,
        namespace: &str,
        platform: &Platform,
    ) -> Result<BTreeMap<String, Option<BTreeSet<String>>>, kube::Error> {
        let api = Api::<Secret>::namespaced(self.client.clone(), namespace);
        let mut found = BTreeMap::new();
        for (name, _) in expected_secrets(platform) {
            let secret = api.get_opt(name.as_str()).await?;
            found.insert(name.to_string(), secret.as_ref().map(secret::entries));
        }
        Ok(found)
    }
}

/// What cannot be read is left out, and is applied anew.
fn keep<K: Resource + DeserializeOwned>(into: &mut BTreeMap<String, K>, name: &str, value: &Value) {
    match serde_json::from_value(value.clone()) {
        Ok(object) => {
            into.insert(name.to_owned(), object);
        }
        Err(error) => tracing::warn!(name, %error, "an object cannot be read"),
    }
}

fn facts_of(secret: &Secret) -> SecretFacts {
    let values: String = secret
        .data
        .iter()
        .flatten()
        .map(|(name, value)| format!("{name}={:?}\n", value.0))
        .collect();
    SecretFacts {
        entries: secret::entries(secret),
        digest: digest(&values),
        rotated_at: secret
            .annotations()
            .get(&secret::rotated_at_annotation())
            .and_then(|at| at.parse::<Timestamp>().ok()),
    }
}
