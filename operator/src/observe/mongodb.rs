//! Asking the database about itself, as the members' own user.
//!
//! A set without users lets in nobody from outside, but the members know each other by their key, and whoever has it is
//! one of them: `__system` with the key as its password. So the operator needs no administrator's password.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::mongodb::Client;
use ::mongodb::error::{Error, ErrorKind};
use ::mongodb::options::{AuthMechanism, ClientOptions, Credential, ServerAddress};
use bigtix_crds::Platform;
use bson::{Document, doc};
use k8s_openapi::api::core::v1::Secret;

use super::facts::{Member, MongodbFacts, Observed};
use crate::build::mongodb::User;
use crate::build::{mongodb, store};
use crate::names::{self, Component};
use crate::secret;

/// How long a database may take to answer.
const PATIENCE: Duration = Duration::from_secs(4);
const NOT_YET_INITIALIZED: i32 = 94;
const AUTHENTICATION_FAILED: i32 = 18;

/// Connections by shop.
#[derive(Clone, Default)]
pub struct Databases(Arc<Mutex<BTreeMap<(String, String), Connected>>>);

#[derive(Clone)]
struct Connected {
    key_digest: String,
    client: Client,
}

impl Databases {
    /// The database as it describes itself.
    pub(super) async fn look(
        &self,
        observed: &Observed,
        platform: &Platform,
        secrets: &BTreeMap<String, Secret>,
    ) -> MongodbFacts {
        let has_pods = observed
            .live
            .stateful_sets
            .get(&Component::Mongodb.object_name(platform))
            .and_then(|set| set.status.as_ref()?.ready_replicas)
            .is_some_and(|ready| ready > 0);
        let key = secrets
            .get(&names::credentials(platform, Component::Mongodb))
            .and_then(|secret| secret::text(secret, mongodb::KEY_FILE));
        let (Some(managed), true, Some(key)) = (store::managed(&platform.stores.mongodb), has_pods, key)
        else {
            return MongodbFacts::Absent;
        };
        let shop = observed.shop(platform);
        let mut fallback = MongodbFacts::Absent;
        // Any member of the set can tell. One that lost its volume knows of none, so the others are asked too.
        for ordinal in 0..managed.replicas.max(1) {
            let address = mongodb::member_address(shop, ordinal);
            let answer = self.ask(observed, &address, &key, secrets, platform).await;
            match (answer, &fallback) {
                (Ok(facts @ MongodbFacts::Set { .. }), _) => return facts,
                (Ok(facts), MongodbFacts::Absent | MongodbFacts::Silent(_)) => fallback = facts,
                (Err(error), MongodbFacts::Absent) => fallback = MongodbFacts::Silent(described(&error)),
                (Ok(_) | Err(_), _) => {}
            }
        }
        fallback
    }

    async fn ask(
        &self,
        observed: &Observed,
        address: &str,
        key: &str,
        secrets: &BTreeMap<String, Secret>,
        platform: &Platform,
    ) -> Result<MongodbFacts, Error> {
        let client = self.direct(observed, address, key)?;
        let admin = client.database("admin");
        let status = match admin.run_command(doc! { "replSetGetStatus": 1 }).await {
            Ok(status) => status,
            Err(error) if code(&error) == Some(NOT_YET_INITIALIZED) => return Ok(MongodbFacts::Fresh),
            Err(error) => return Err(error),
        };
        let members: Vec<Member> = status
            .get_array("members")
            .into_iter()
            .flatten()
            .filter_map(|member| Some(self::member(member.as_document()?)))
            .collect();
        let primary = members.iter().find(|member| member.is_primary);
        let (mut users, mut version) = (BTreeSet::new(), None);
        if let Some(primary) = primary {
            let client = self.direct(observed, &primary.address, key)?;
            let admin = client.database("admin");
            version = admin
                .run_command(doc! { "buildInfo": 1 })
                .await?
                .get_str("version")
                .ok()
                .map(str::to_owned);
            let found = admin.run_command(doc! { "usersInfo": 1 }).await?;
            users = known_users(&found, platform, secrets);
        }
        Ok(MongodbFacts::Set {
            members,
            version,
            users,
        })
    }

    /// A client of one member, kept until the key is another one.
    pub(crate) fn direct(&self, observed: &Observed, address: &str, key: &str) -> Result<Client, Error> {
        let id = (
            format!("{}/{}", observed.namespace, observed.owner.uid),
            address.to_owned(),
        );
        let key_digest = crate::build::meta::digest(key);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connected) = kept.get(&id)
            && connected.key_digest == key_digest
        {
            return Ok(connected.client.clone());
        }
        let client = connect(address, key)?;
        let connected = Connected {
            key_digest,
            client: client.clone(),
        };
        kept.insert(id, connected);
        Ok(client)
    }

    /// Forgets the connections of a shop that is gone.
    pub fn forget(&self, namespace: &str, uid: &str) {
        let shop = format!("{namespace}/{uid}");
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(owner, _), _| *owner != shop);
    }
}

fn connect(address: &str, key: &str) -> Result<Client, Error> {
    let mut credential = Credential::default();
    credential.username = Some("__system".to_owned());
    credential.password = Some(key.to_owned());
    credential.source = Some("local".to_owned());
    credential.mechanism = Some(AuthMechanism::ScramSha256);
    let mut options = ClientOptions::default();
    options.hosts = vec![ServerAddress::parse(address)?];
    options.direct_connection = Some(true);
    options.credential = Some(credential);
    options.app_name = Some(names::MANAGER.to_owned());
    options.server_selection_timeout = Some(PATIENCE);
    options.connect_timeout = Some(PATIENCE);
    options.max_pool_size = Some(2);
    options.max_idle_time = Some(Duration::from_secs(60));
    Client::with_options(options)
}

fn member(member: &Document) -> Member {
    let state = member.get_str("stateStr").unwrap_or_default();
    let answers = member
        .get("health")
        .and_then(|health| health.as_f64().or_else(|| health.as_i32().map(f64::from)))
        .is_some_and(|health| health > 0.0);
    Member {
        address: member.get_str("name").unwrap_or_default().to_owned(),
        is_primary: state == "PRIMARY",
        is_healthy: answers && matches!(state, "PRIMARY" | "SECONDARY"),
    }
}

/// Those whose user was made with the password that their Secret has now.
fn known_users(found: &Document, platform: &Platform, secrets: &BTreeMap<String, Secret>) -> BTreeSet<User> {
    let users = found
        .get_array("users")
        .into_iter()
        .flatten()
        .filter_map(|user| user.as_document());
    let digests: BTreeMap<&str, &str> = users
        .filter_map(|user| {
            let custom = user.get_document("customData").ok()?;
            Some((user.get_str("user").ok()?, custom.get_str("passwordDigest").ok()?))
        })
        .collect();
    let is_known = |user: &User| {
        let (name, entry) = user.password(platform);
        let password = secrets.get(&name).and_then(|secret| secret::text(secret, entry));
        password.is_some_and(|password| {
            digests.get(user.as_str()).copied() == Some(&secret::password_digest(&password))
        })
    };
    mongodb::users(platform).filter(is_known).collect()
}

/// The code of the answer, when it was one.
pub(crate) fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => Some(command.code),
        _ => None,
    }
}

fn described(error: &Error) -> String {
    match error.kind.as_ref() {
        ErrorKind::Authentication { .. } => "it knows another key than its Secret has".to_owned(),
        _ if code(error) == Some(AUTHENTICATION_FAILED) => {
            "it knows another key than its Secret has".to_owned()
        }
        ErrorKind::ServerSelection { .. } => "no answer within four seconds".to_owned(),
        kind => kind.to_string(),
    }
}
