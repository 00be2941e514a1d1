//! Looking from outside the cluster's network, where its API server answers and its pods do not.

use bigtix_crds::{BigTix, Platform};
use kube::{Client, ResourceExt};

use super::facts::{Member, MongodbFacts, Observed};
use super::{ApiServer, Requests};
use crate::build::mongodb::User;
use crate::build::{mongodb, store};
use crate::names::Component;

/// Somebody who has a kubeconfig, and is not the operator.
#[derive(Clone)]
pub struct Outside {
    /// The API server.
    pub client: Client,
    /// Where the operator runs.
    pub operator_namespace: String,
}

impl Outside {
    /// Everything about one shop as the operator would observe it now; of the database what the status says, and nothing of
    /// how pods answer.
    ///
    /// # Errors
    /// Those of the API server. It has to let Secrets of the shop's namespace be read, because pods are replaced when those
    /// change; only their digests are kept.
    pub async fn observe(&self, resource: &BigTix) -> Result<Observed, kube::Error> {
        let api_server = ApiServer {
            client: &self.client,
            operator_namespace: &self.operator_namespace,
        };
        let namespace = resource.namespace().unwrap_or_default();
        let requests = Requests::listed(&self.client, &namespace).await?;
        let (mut observed, _) = api_server.look(resource, requests).await?;
        if let Ok(platform) = observed.verdict.clone() {
            observed.mongodb = told(&observed, &platform);
        }
        Ok(observed)
    }
}

/// The database as it was when the shop was last up: as many members as there are pods, a user for each service that runs,
/// and those of backups where they have a Secret.
fn told(observed: &Observed, platform: &Platform) -> MongodbFacts {
    let status = observed.resource.status.as_ref();
    let was_up = status.is_some_and(|status| status.version.current.is_some());
    let name = Component::Mongodb.object_name(platform);
    let set = observed.live.stateful_sets.get(&name);
    let (Some(_), Some(set)) = (store::managed(&platform.stores.mongodb), set) else {
        return MongodbFacts::Absent;
    };
    if !was_up {
        return MongodbFacts::Fresh;
    }
    let count = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let addresses = (0..u32::try_from(count).unwrap_or(1))
        .map(|ordinal| mongodb::member_address(observed.shop(platform), ordinal));
    let stores = status
        .map(|status| status.data_stores.as_slice())
        .unwrap_or_default();
    let told = stores
        .iter()
        .find(|store| store.name == Component::Mongodb.as_str());
    let primary = told.and_then(|store| store.primary.clone());
    let member = |(at, address): (usize, String)| Member {
        is_primary: primary.as_ref().map_or(at == 0, |primary| *primary == address),
        is_healthy: true,
        address,
    };
    let is_there = |user: &User| match user {
        User::Service(service) => {
            let name = Component::Service(*service).object_name(platform);
            observed.live.deployments.contains_key(&name)
        }
        User::Reader | User::Writer => observed.secrets.contains_key(&user.password(platform).0),
    };
    MongodbFacts::Set {
        members: addresses.enumerate().map(member).collect(),
        version: told.and_then(|store| store.version.clone()),
        users: mongodb::users(platform).filter(is_there).collect(),
    }
}
