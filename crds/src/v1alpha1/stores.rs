//! The data stores. One that names neither `managed` nor `external` is managed, with every default.
//!
//! The rules about growth stand at the store and not at its storage, because a transition rule is only asked about
//! fields that both the old and the new resource have, and leaving a size out must not shrink a volume either.

use super::defaults::default_is_the_empty_object;
use super::formats;
use super::services::Resources;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// MongoDB, where everything that must not be lost is kept.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("!(has(self.managed) && has(self.external))", "set managed or external, not both"),
    validation = ("has(self.external) == has(oldSelf.external)", "managed and external cannot be switched in place"),
    validation = Rule::new("has(self.external) || quantity(has(self.managed) ? self.managed.storage.size : '2Gi').compareTo(quantity(has(oldSelf.managed) ? oldSelf.managed.storage.size : '2Gi')) >= 0").message("storage can only grow").field_path(".managed.storage.size"),
    validation = Rule::new("has(self.external) || (has(self.managed) && has(self.managed.storage.storageClassName) ? self.managed.storage.storageClassName : '') == (has(oldSelf.managed) && has(oldSelf.managed.storage.storageClassName) ? oldSelf.managed.storage.storageClassName : '')").message("cannot be changed, because volumes exist").field_path(".managed.storage.storageClassName"),
)]
pub struct Mongodb {
    /// A replica set that the operator runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedMongodb>,
    /// A replica set that somebody else runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
}

/// A replica set that the operator runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ManagedMongodb {
    /// Number of members, odd. Left out, 1 in Development and 3 in Production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 7))]
    #[x_kube(validation = ("self % 2 == 1", "must be odd so that an election can succeed"))]
    pub replicas: Option<i32>,
    /// Image. Left out, the official one of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::image")]
    pub image: Option<String>,
    /// Version of MongoDB.
    #[serde(default = "ManagedMongodb::version")]
    #[schemars(schema_with = "formats::store_version")]
    pub version: String,
    /// The volume of each member.
    #[serde(default)]
    pub storage: Storage,
    /// Processor and memory of each member.
    #[serde(default)]
    pub resources: Resources,
}

impl ManagedMongodb {
    fn version() -> String {
        "8.0".to_owned()
    }
}

/// NATS with JetStream, which carries events from service to service.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("!(has(self.managed) && has(self.external))", "set managed or external, not both"),
    validation = ("has(self.external) == has(oldSelf.external)", "managed and external cannot be switched in place"),
    validation = Rule::new("has(self.external) || quantity(has(self.managed) ? self.managed.storage.size : '2Gi').compareTo(quantity(has(oldSelf.managed) ? oldSelf.managed.storage.size : '2Gi')) >= 0").message("storage can only grow").field_path(".managed.storage.size"),
    validation = Rule::new("has(self.external) || (has(self.managed) && has(self.managed.storage.storageClassName) ? self.managed.storage.storageClassName : '') == (has(oldSelf.managed) && has(oldSelf.managed.storage.storageClassName) ? oldSelf.managed.storage.storageClassName : '')").message("cannot be changed, because volumes exist").field_path(".managed.storage.storageClassName"),
)]
pub struct Nats {
    /// A cluster that the operator runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedNats>,
    /// A cluster that somebody else runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
}

/// A NATS cluster that the operator runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ManagedNats {
    /// Number of servers: 1, 3 or 5. Left out, 1 in Development and 3 in Production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    #[x_kube(validation = ("self in [1, 3, 5]", "must be 1, 3 or 5 so that a majority can be kept"))]
    pub replicas: Option<i32>,
    /// Image. Left out, the official one of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::image")]
    pub image: Option<String>,
    /// Version of nats-server.
    #[serde(default = "ManagedNats::version")]
    #[schemars(schema_with = "formats::store_version")]
    pub version: String,
    /// The volume of each server.
    #[serde(default)]
    pub storage: Storage,
    /// Processor and memory of each server.
    #[serde(default)]
    pub resources: Resources,
}

impl ManagedNats {
    fn version() -> String {
        "2.14".to_owned()
    }
}

/// Redis, which orders the timers of reservations.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = ("!(has(self.managed) && has(self.external))", "set managed or external, not both"),
    validation = Rule::new("has(self.external) || has(oldSelf.external) || quantity(has(self.managed) ? self.managed.storage.size : '2Gi').compareTo(quantity(has(oldSelf.managed) ? oldSelf.managed.storage.size : '2Gi')) >= 0").message("storage can only grow").field_path(".managed.storage.size"),
    validation = Rule::new("has(self.external) || has(oldSelf.external) || (has(self.managed) && has(self.managed.storage.storageClassName) ? self.managed.storage.storageClassName : '') == (has(oldSelf.managed) && has(oldSelf.managed.storage.storageClassName) ? oldSelf.managed.storage.storageClassName : '')").message("cannot be changed, because volumes exist").field_path(".managed.storage.storageClassName"),
)]
pub struct Redis {
    /// A server that the operator runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed: Option<ManagedRedis>,
    /// A server that somebody else runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
}

/// A Redis server that the operator runs.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct ManagedRedis {
    /// Number of servers. One is enough, because Redis holds nothing that cannot be rebuilt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 7))]
    #[x_kube(validation = ("self == 1", "must be 1, because Redis holds only what can be rebuilt"))]
    pub replicas: Option<i32>,
    /// Image. Left out, the official one of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::image")]
    pub image: Option<String>,
    /// Version of Redis.
    #[serde(default = "ManagedRedis::version")]
    #[schemars(schema_with = "formats::store_version")]
    pub version: String,
    /// The server's volume.
    #[serde(default)]
    pub storage: Storage,
    /// Processor and memory of the server.
    #[serde(default)]
    pub resources: Resources,
}

impl ManagedRedis {
    fn version() -> String {
        "7.2".to_owned()
    }
}

/// A store that somebody else runs.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct External {
    /// Secret in the same namespace whose entry `uri` says how to connect, credentials included.
    #[schemars(schema_with = "formats::object_name")]
    pub secret_name: String,
}

/// A volume.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Storage {
    /// Its size, such as 10Gi. It can grow and never shrink.
    #[serde(default = "Storage::size")]
    #[schemars(schema_with = "formats::size")]
    pub size: String,
    /// Class of the volume. Left out, the cluster's default. It cannot be changed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::object_name")]
    pub storage_class_name: Option<String>,
}

impl Storage {
    /// The rules about growth above repeat it, for a store that is left out.
    fn size() -> String {
        "2Gi".to_owned()
    }
}

default_is_the_empty_object!(
    Mongodb,
    ManagedMongodb,
    Nats,
    ManagedNats,
    Redis,
    ManagedRedis,
    Storage
);
