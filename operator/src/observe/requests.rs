//! The backups and restores of a namespace.

use bigtix_crds::{BigTixBackup, BigTixRestore};
use kube::api::{Api, ListParams};
use kube::runtime::reflector::Store;
use kube::runtime::reflector::store::WriterDropped;
use kube::{Client, ResourceExt};

/// All of one namespace, also those of other shops.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    /// Whatever asked for them.
    pub backups: Vec<BigTixBackup>,
    /// In any order.
    pub restores: Vec<BigTixRestore>,
}

/// As the watch has them, so that no pass asks for them.
#[derive(Clone)]
pub struct Watched {
    /// Of every namespace that is watched.
    pub backups: Store<BigTixBackup>,
    /// Of every namespace that is watched.
    pub restores: Store<BigTixRestore>,
}

/// The watch has ended, because the operator ends.
#[derive(Debug, thiserror::Error)]
#[error("backups and restores are watched no more")]
pub struct Gone(#[from] WriterDropped);

impl Watched {
    /// Those of a namespace, once they have been listed.
    ///
    /// # Errors
    /// When the watch has ended.
    pub async fn of(&self, namespace: &str) -> Result<Requests, Gone> {
        let Self { backups, restores } = self;
        Ok(Requests {
            backups: within(backups, namespace).await?,
            restores: within(restores, namespace).await?,
        })
    }
}

impl Requests {
    /// As the API server lists them.
    ///
    /// # Errors
    /// The API server's.
    pub(super) async fn listed(client: &Client, namespace: &str) -> Result<Self, kube::Error> {
        let all = ListParams::default();
        let backups = Api::<BigTixBackup>::namespaced(client.clone(), namespace);
        let restores = Api::<BigTixRestore>::namespaced(client.clone(), namespace);
        Ok(Self {
            backups: backups.list(&all).await?.items,
            restores: restores.list(&all).await?.items,
        })
    }
}

async fn within<K>(store: &Store<K>, namespace: &str) -> Result<Vec<K>, WriterDropped>
where
    K: ResourceExt<DynamicType = ()> + Clone + 'static,
{
    store.wait_until_ready().await?;
    let all = store.state().into_iter();
    let own = all.filter(|found| found.namespace().as_deref() == Some(namespace));
    Ok(own.map(|found| K::clone(&found)).collect())
}
