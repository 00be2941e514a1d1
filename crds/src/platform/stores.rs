//! The data stores.

use super::{Image, ObjectName, Quantity, Resources, SecretName};

/// The three data stores.
#[derive(Clone, Debug, PartialEq)]
pub struct Stores {
    /// Where everything that must not be lost is kept.
    pub mongodb: Store,
    /// Carries events.
    pub nats: Store,
    /// Orders timers.
    pub redis: Store,
}

/// Who runs a store.
#[derive(Clone, Debug, PartialEq)]
pub enum Store {
    /// The operator.
    Managed(ManagedStore),
    /// Somebody else.
    External {
        /// Its entry `uri` says how to connect.
        secret_name: SecretName,
    },
}

/// A store that the operator runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ManagedStore {
    /// Number of members.
    pub replicas: u32,
    /// Image that each member runs.
    pub image: Image,
    /// Version of the store, as `8.0`.
    pub version: String,
    /// Volume of each member.
    pub storage: Storage,
    /// Processor and memory of each member.
    pub resources: Resources,
}

/// A volume.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    /// Its size.
    pub size: Quantity,
    /// Its class; none means the cluster's default.
    pub class_name: Option<ObjectName>,
}
