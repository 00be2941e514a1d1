//! A shop in a cluster, as its API server has it.

pub(crate) mod logs;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod rollback;

use bigtix_crds::BigTix;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use kube::config::KubeConfigOptions;
use kube::{Client, Config, ResourceExt};

use crate::args::ClusterArgs;

/// Of what is not there, and of what may not be asked for.
const NOT_FOUND: u16 = 404;
const FORBIDDEN: u16 = 403;

/// Why the cluster did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    #[error("no cluster is configured: {0}; name a context of your kubeconfig with --context")]
    NotConfigured(String),
    #[error("{what}: {why}; `kubectl cluster-info` says whether the cluster answers")]
    NoAnswer { what: String, why: String },
    #[error("{what}: you may not do that in this cluster ({why}); ask its administrator for the right")]
    Forbidden { what: String, why: String },
    #[error(
        "the cluster does not know all kinds of BigTix: install the operator first, of the release of this program (docs/kubernetes.md)"
    )]
    NoKind,
    #[error(
        "there is no BigTix {name} in namespace {namespace}: `kubectl get bigtix --all-namespaces` lists them"
    )]
    NoShop { namespace: String, name: String },
    #[error(
        "there is no BigTix in namespace {0}: name another one with --namespace, or make one with kubectl apply"
    )]
    NoShops(String),
    #[error("namespace {namespace} has several: {}; name one with --name", .names.join(", "))]
    Several { namespace: String, names: Vec<String> },
    #[error("the BigTix {0} cannot be read by this bigtix: {1}")]
    Unreadable(String, String),
}

/// A connection, and the namespace that is meant.
pub(crate) struct Cluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    /// What is to be repeated in commands for a person.
    options: String,
}

impl Cluster {
    /// Connects as kubectl would.
    pub(crate) async fn connect(args: &ClusterArgs) -> Result<Self, ClusterError> {
        // The process has one TLS implementation, whichever library asks first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let config = match &args.context {
            Some(context) => {
                let options = KubeConfigOptions {
                    context: Some(context.clone()),
                    ..KubeConfigOptions::default()
                };
                let config = Config::from_kubeconfig(&options).await;
                config.map_err(|error| ClusterError::NotConfigured(error.to_string()))?
            }
            None => {
                let config = Config::infer().await;
                config.map_err(|error| ClusterError::NotConfigured(error.to_string()))?
            }
        };
        let namespace = args
            .namespace
            .clone()
            .unwrap_or_else(|| config.default_namespace.clone());
        let client =
            Client::try_from(config).map_err(|error| ClusterError::NotConfigured(error.to_string()))?;
        Ok(Self {
            client,
            namespace,
            options: options(args),
        })
    }

    /// The shop of that name, or the only one.
    pub(crate) async fn shop(&self, name: Option<&str>) -> Result<BigTix, ClusterError> {
        let api = Api::<BigTix>::namespaced(self.client.clone(), &self.namespace);
        let Some(name) = name else {
            let found = api.list(&ListParams::default()).await;
            let found = found.map_err(|error| failed(&error, "the shops cannot be listed"))?;
            return only(&self.namespace, found.items);
        };
        self.found(name).await?.ok_or_else(|| ClusterError::NoShop {
            namespace: self.namespace.clone(),
            name: name.to_owned(),
        })
    }

    /// The shop of that name, if there is one.
    pub(crate) async fn found(&self, name: &str) -> Result<Option<BigTix>, ClusterError> {
        let api = Api::<BigTix>::namespaced(self.client.clone(), &self.namespace);
        let found = api.get_opt(name).await;
        found.map_err(|error| failed(&error, &format!("the BigTix {name} cannot be read")))
    }

    /// What was told of the shop.
    pub(crate) async fn events(&self, shop: &str) -> Result<Vec<Event>, ClusterError> {
        let api = Api::<Event>::namespaced(self.client.clone(), &self.namespace);
        let found = api.list(&ListParams::default()).await;
        let found = found.map_err(|error| failed(&error, "the events cannot be listed"))?;
        let is_of_shop = |event: &Event| {
            let about = event.regarding.as_ref();
            about.is_some_and(|about| {
                about.kind.as_deref() == Some("BigTix") && about.name.as_deref() == Some(shop)
            })
        };
        Ok(found.items.into_iter().filter(is_of_shop).collect())
    }

    /// A command line for a person to repeat, about the same shop.
    pub(crate) fn command(&self, words: &str, shop: &BigTix) -> String {
        format!(
            "kubectl bigtix {words}{} --namespace {} --name {}",
            self.options,
            self.namespace,
            shop.name_any()
        )
    }
}

fn options(args: &ClusterArgs) -> String {
    let context = args.context.as_ref();
    context
        .map(|context| format!(" --context {context}"))
        .unwrap_or_default()
}

fn only(namespace: &str, found: Vec<BigTix>) -> Result<BigTix, ClusterError> {
    let names: Vec<String> = found.iter().map(ResourceExt::name_any).collect();
    let mut found = found.into_iter();
    match (found.next(), found.next()) {
        (Some(shop), None) => Ok(shop),
        (None, _) => Err(ClusterError::NoShops(namespace.to_owned())),
        (Some(_), Some(_)) => Err(ClusterError::Several {
            namespace: namespace.to_owned(),
            names,
        }),
    }
}

/// What an error of the API server means to a person.
pub(crate) fn failed(error: &kube::Error, what: &str) -> ClusterError {
    let (what, why) = (what.to_owned(), error.to_string());
    match error {
        kube::Error::Api(answer) if answer.code == FORBIDDEN => ClusterError::Forbidden {
            what,
            why: answer.message.clone(),
        },
        kube::Error::Api(answer) if answer.code == NOT_FOUND => ClusterError::NoKind,
        kube::Error::SerdeError(error) => ClusterError::Unreadable(what, error.to_string()),
        _ => ClusterError::NoAnswer { what, why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shop(name: &str) -> BigTix {
        let resource = json!({"apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": name}, "spec": {"version": "1.0.0"}});
        bigtix_crds::from_value(resource).unwrap()
    }

    #[test]
    fn a_shop_needs_no_name_where_it_is_the_only_one() {
        assert_eq!(only("n", vec![shop("a")]).unwrap().name_any(), "a");
        let none = only("n", vec![]).unwrap_err().to_string();
        assert!(none.contains("--namespace"), "{none}");
        let several = only("n", vec![shop("a"), shop("b")]).unwrap_err().to_string();
        assert!(
            several.contains("a, b") && several.contains("--name"),
            "{several}"
        );
    }
}
