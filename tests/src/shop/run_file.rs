//! `run.json`, which says where everything of a running shop is.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What a running shop says of itself.
#[derive(Clone, Deserialize)]
pub struct RunFile {
    /// The edge.
    pub url: String,
    /// The process that started everything.
    pub pid: u32,
    /// The services by name.
    pub services: BTreeMap<String, ServiceFacts>,
    /// mongod.
    pub mongodb: MongoFacts,
    /// nats-server.
    pub nats: StoreFacts,
    /// redis-server.
    pub redis: StoreFacts,
    /// The Stripe double; absent where the resource names an account at Stripe.
    #[serde(default)]
    pub stripe: Option<StripeFacts>,
}

/// Where a service is.
#[derive(Debug, Clone, Deserialize)]
pub struct ServiceFacts {
    /// The first instance's process.
    pub pid: u32,
    /// The first instance's address.
    pub url: String,
    /// The service's version.
    pub version: String,
    /// Every instance.
    pub instances: Vec<InstanceFacts>,
}

/// Where one instance of a service is.
#[derive(Debug, Clone, Deserialize)]
pub struct InstanceFacts {
    /// Its process.
    pub pid: u32,
    /// Its address.
    pub url: String,
}

/// Where mongod is. The address contains a password.
#[derive(Clone, Deserialize)]
pub struct MongoFacts {
    /// Its process.
    pub pid: u32,
    /// Its address.
    pub uri: String,
}

/// Where another store is. The address contains a password.
#[derive(Clone, Deserialize)]
pub struct StoreFacts {
    /// Its process.
    pub pid: u32,
    /// Its address.
    pub url: String,
}

/// Where the Stripe double is.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StripeFacts {
    /// Its process.
    pub pid: u32,
    /// Its address.
    pub url: String,
    /// What its webhooks are signed with.
    pub webhook_secret: String,
}
