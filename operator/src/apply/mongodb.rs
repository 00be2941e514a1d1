//! Calls to the database as its administrator: to make the set, to change its members, to make users.

use std::collections::BTreeSet;

use ::mongodb::error::Error;
use ::mongodb::{Client, Database};
use bigtix_crds::{Platform, Service};
use bson::{Bson, Document, doc};

use super::{Applier, ApplyError, api, platform};
use crate::build::mongodb::{self as built, User};
use crate::names::{self, Component};
use crate::next::mongodb::MongodbStep;
use crate::observe::facts::{MongodbFacts, Observed};
use crate::observe::mongodb_code as code;
use crate::secret;

const ALREADY_INITIALIZED: i32 = 23;
const ROLE_EXISTS: i32 = 51002;
const USER_EXISTS: i32 = 51003;
/// How long others have to catch up before a primary that leaves gives up.
const CATCH_UP_SECONDS: i32 = 10;
/// How long it does not stand for election again.
const STEP_DOWN_SECONDS: i32 = 60;

impl Applier {
    pub(super) async fn mongodb(
        &self,
        observed: &Observed,
        step: &MongodbStep,
    ) -> Result<String, ApplyError> {
        let platform = platform(observed)?;
        let secrets = self.secrets(&observed.namespace);
        let name = names::credentials(platform, Component::Mongodb);
        let key = secrets
            .get(&name)
            .await
            .map_err(api(format!("Secret {name} cannot be read")))
            .map(|secret| secret::text(&secret, built::KEY_FILE))?
            .ok_or(ApplyError::NoSecret(name))?;
        let client = |address: &str| self.databases.direct(observed, address, &key);
        match step {
            MongodbStep::Initiate { address } => {
                initiate(&client(address)?, address).await?;
                Ok(format!("MongoDB: a set of {address}"))
            }
            MongodbStep::Add { ordinal, address } => {
                let member = doc! { "_id": i64::from(*ordinal), "host": address };
                reconfigure(&client(&primary(observed))?, |members| {
                    members.push(member.into())
                })
                .await?;
                Ok(format!("MongoDB: {address} taken in"))
            }
            MongodbStep::Remove {
                address,
                is_primary: true,
            } => {
                step_down(&client(address)?).await?;
                Ok(format!("MongoDB: {address} hands over"))
            }
            MongodbStep::Remove {
                address,
                is_primary: false,
            } => {
                let stays = |member: &Bson| host(member) != Some(address.as_str());
                reconfigure(&client(&primary(observed))?, |members| members.retain(stays)).await?;
                Ok(format!("MongoDB: {address} let go"))
            }
            MongodbStep::Users(users) => {
                self.users(observed, platform, users, &client(&primary(observed))?)
                    .await
            }
        }
    }

    async fn users(
        &self,
        observed: &Observed,
        platform: &Platform,
        users: &BTreeSet<User>,
        client: &Client,
    ) -> Result<String, ApplyError> {
        let admin = client.database(built::USERS_DATABASE);
        for user in users {
            let (name, entry) = user.password(platform);
            let secret = self
                .secrets(&observed.namespace)
                .get(&name)
                .await
                .map_err(api(format!("Secret {name} cannot be read")))?;
            let password = secret::text(&secret, entry).ok_or(ApplyError::NoSecret(name))?;
            if let User::Service(service) = user {
                make_role(&admin, *service).await?;
            }
            let roles = built::roles(*user, platform);
            make(&admin, *user, &password, &roles).await?;
        }
        let names: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
        Ok(format!("MongoDB: users for {}", names.join(", ")))
    }
}

fn primary(observed: &Observed) -> String {
    match &observed.mongodb {
        MongodbFacts::Set { members, .. } => members
            .iter()
            .find(|member| member.is_primary)
            .map(|member| member.address.clone())
            .unwrap_or_default(),
        MongodbFacts::Absent | MongodbFacts::Silent(_) | MongodbFacts::Fresh => String::new(),
    }
}

async fn initiate(client: &Client, address: &str) -> Result<(), Error> {
    let config = doc! {
        "_id": built::REPLICA_SET,
        "members": [{ "_id": 0, "host": address }],
        // Whoever writes waits for a majority anyway; this is for whoever forgets to ask.
        "writeConcernMajorityJournalDefault": true,
    };
    unless(
        client
            .database("admin")
            .run_command(doc! { "replSetInitiate": config })
            .await,
        ALREADY_INITIALIZED,
    )
}

/// Changes the list of members by what the primary has now, one version up: two who do so at once do not both succeed.
async fn reconfigure(primary: &Client, change: impl FnOnce(&mut Vec<Bson>)) -> Result<(), Error> {
    let admin = primary.database("admin");
    let found = admin.run_command(doc! { "replSetGetConfig": 1 }).await?;
    let mut config = found.get_document("config").cloned().map_err(Error::custom)?;
    let version = config.get_i32("version").unwrap_or(1);
    let mut members = config.get_array("members").cloned().map_err(Error::custom)?;
    change(&mut members);
    config.insert("version", version + 1);
    config.insert("members", members);
    admin
        .run_command(doc! { "replSetReconfig": config })
        .await
        .map(drop)
}

async fn step_down(primary: &Client) -> Result<(), Error> {
    let command = doc! {
        "replSetStepDown": STEP_DOWN_SECONDS,
        "secondaryCatchUpPeriodSecs": CATCH_UP_SECONDS,
    };
    primary.database("admin").run_command(command).await.map(drop)
}

/// The role of who may change the validators of one database's collections.
async fn make_role(admin: &Database, service: Service) -> Result<(), Error> {
    let make_role = doc! {
        "createRole": built::role(service),
        "privileges": [{ "resource": { "db": service.as_str(), "collection": "" }, "actions": ["collMod"] }],
        "roles": [],
    };
    unless(admin.run_command(make_role).await, ROLE_EXISTS)
}

async fn make(admin: &Database, user: User, password: &str, roles: &[Document]) -> Result<(), Error> {
    let described = |command: &str| {
        doc! {
            command: user.as_str(),
            "pwd": password,
            "roles": roles,
            "mechanisms": ["SCRAM-SHA-256"],
            "customData": { "passwordDigest": secret::password_digest(password) },
        }
    };
    match admin.run_command(described("createUser")).await {
        Err(error) if code(&error) == Some(USER_EXISTS) => {
            admin.run_command(described("updateUser")).await.map(drop)
        }
        outcome => outcome.map(drop),
    }
}

fn host(member: &Bson) -> Option<&str> {
    member.as_document()?.get_str("host").ok()
}

fn unless(result: Result<Document, Error>, expected: i32) -> Result<(), Error> {
    match result {
        Err(error) if code(&error) != Some(expected) => Err(error),
        _ => Ok(()),
    }
}
