//! The services.

use super::{ConfigMapName, Image, Quantity, SecretName};
use crate::Service;
use semver::Version;
use std::collections::BTreeMap;
use std::time::Duration;

/// One entry for each service of the release.
#[derive(Clone, Debug, PartialEq)]
pub struct Services(BTreeMap<Service, Workload>);

impl Services {
    pub(crate) fn new(described: BTreeMap<Service, Workload>) -> Self {
        Self(described)
    }

    /// How one service runs; none when the release has no such service.
    #[must_use]
    pub fn get(&self, service: Service) -> Option<&Workload> {
        self.0.get(&service)
    }

    /// Every service with how it runs, in the order in which a release is rolled out.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (Service, &Workload)> {
        self.0.iter().map(|(service, workload)| (*service, workload))
    }
}

/// How one service runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Version of the service.
    pub version: Version,
    /// Image that its pods run.
    pub image: Image,
    /// How many pods.
    pub replicas: Replicas,
    /// Processor and memory of each pod.
    pub resources: Resources,
    /// Further environment variables.
    pub env: Vec<EnvVar>,
}

/// How many pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// That many.
    Fixed(u32),
    /// As many as their load asks for.
    Autoscaled {
        /// Fewest.
        min: u32,
        /// Most.
        max: u32,
        /// Share of the requested processor that is aimed at.
        target_cpu_percent: u32,
        /// For how long the load has to be low before pods go.
        scale_down_stabilization: Duration,
    },
}

impl Replicas {
    /// How many run at least, which is how many run where nothing scales them.
    #[must_use]
    pub const fn at_least(self) -> u32 {
        match self {
            Self::Fixed(count) => count,
            Self::Autoscaled { min, .. } => min,
        }
    }
}

/// Processor and memory; a request never exceeds its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Resources {
    /// Of processors.
    pub cpu: Amounts,
    /// Of bytes.
    pub memory: Amounts,
}

/// What is promised and what may not be exceeded.
#[derive(Clone, Debug, PartialEq)]
pub struct Amounts {
    /// What is promised.
    pub request: Quantity,
    /// What may not be exceeded; none means no bound.
    pub limit: Option<Quantity>,
}

/// One environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvVar {
    /// Its name.
    pub name: String,
    /// Its value or where that is kept.
    pub value: EnvValue,
}

/// A variable's value or where that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvValue {
    /// The value itself.
    Literal(String),
    /// An entry of a Secret.
    SecretKey {
        /// The Secret.
        name: SecretName,
        /// The entry.
        key: String,
    },
    /// An entry of a ConfigMap.
    ConfigMapKey {
        /// The ConfigMap.
        name: ConfigMapName,
        /// The entry.
        key: String,
    },
}
