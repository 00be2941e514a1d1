//! How every object of a shop is called, and the labels by which it is found again.

use std::collections::BTreeMap;

use bigtix_crds::{Platform, Service};

/// The prefix of our own labels and annotations.
pub const DOMAIN: &str = "bigtix.dev";

/// Names the shop that an object belongs to.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// Says what part of the shop an object is: a service's or a store's name.
pub const COMPONENT_LABEL: &str = "app.kubernetes.io/component";
/// Says who made it.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// The value of [`MANAGED_BY_LABEL`] on everything that is ours.
pub const MANAGER: &str = "bigtix-operator";
/// The value of `app.kubernetes.io/name` on everything that belongs to a shop.
pub const APPLICATION: &str = "bigtix";

/// On a backup that the schedule asked for; those of people are never deleted by the operator.
pub const SCHEDULED_LABEL: &str = "bigtix.dev/scheduled";
/// On the backup that was taken of a shop before its volumes were deleted.
pub const FINAL_LABEL: &str = "bigtix.dev/final";
/// Names the request, by its uid, that a Job and its pods work for.
pub const REQUEST_LABEL: &str = "bigtix.dev/request";

/// A part of a shop that has pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// The database.
    Mongodb,
    /// The bus.
    Nats,
    /// The timers.
    Redis,
    /// What stands for Stripe where there is no account.
    StripeDouble,
    /// Who takes backups and puts them back: the pods of Jobs.
    Backup,
    /// One of the services.
    Service(Service),
}

impl Component {
    /// As it stands in names and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mongodb => "mongodb",
            Self::Nats => "nats",
            Self::Redis => "redis",
            Self::StripeDouble => "stripe",
            Self::Backup => "backup",
            Self::Service(service) => service.as_str(),
        }
    }

    /// The name of the component's objects: workload, Service, ServiceAccount, budget, policy.
    #[must_use]
    pub fn object_name(self, platform: &Platform) -> String {
        format!("{}-{}", platform.name, self.as_str())
    }
}

/// The labels by which a shop's objects are selected.
#[must_use]
pub fn instance_labels(platform: &Platform) -> BTreeMap<String, String> {
    labels([
        ("app.kubernetes.io/name", APPLICATION),
        (INSTANCE_LABEL, platform.name.as_str()),
        (MANAGED_BY_LABEL, MANAGER),
    ])
}

/// The labels by which a component's pods are selected. They never change, because a selector cannot.
#[must_use]
pub fn selector(platform: &Platform, component: Component) -> BTreeMap<String, String> {
    labels([
        ("app.kubernetes.io/name", APPLICATION),
        (INSTANCE_LABEL, platform.name.as_str()),
        (COMPONENT_LABEL, component.as_str()),
    ])
}

/// All labels of a component's objects.
#[must_use]
pub fn component_labels(platform: &Platform, component: Component) -> BTreeMap<String, String> {
    let mut labels = instance_labels(platform);
    labels.append(&mut selector(platform, component));
    labels
}

/// The labels of what is left when its shop has gone. Nothing selects it.
#[must_use]
pub fn labels_of_nobody(component: Component) -> BTreeMap<String, String> {
    labels([
        ("app.kubernetes.io/name", APPLICATION),
        (COMPONENT_LABEL, component.as_str()),
        (MANAGED_BY_LABEL, MANAGER),
    ])
}

/// The Service of a store by which its members find each other, before they are ready too. Clients of MongoDB go by it as
/// well: it is their one seed.
#[must_use]
pub fn members(platform: &Platform, component: Component) -> String {
    let name = component.object_name(platform);
    match component {
        Component::Nats | Component::Redis => format!("{name}-members"),
        Component::Mongodb | Component::StripeDouble | Component::Backup | Component::Service(_) => name,
    }
}

/// The ConfigMap with the configuration of one store.
#[must_use]
pub fn configuration(platform: &Platform, component: Component) -> String {
    format!("{}-config", component.object_name(platform))
}

/// The Secret with the passwords of one component: of a store its administrator's and its members' key, of a service
/// those with which it reaches the stores.
#[must_use]
pub fn credentials(platform: &Platform, component: Component) -> String {
    format!("{}-credentials", component.object_name(platform))
}

/// The final backup of the shop with that uid. A later shop of the same name has one of its own.
#[must_use]
pub fn final_backup(shop: &str, uid: &str) -> String {
    format!("{shop}-final-{}", short(uid))
}

/// As much of a uid as tells two objects of one name apart.
#[must_use]
pub fn short(uid: &str) -> String {
    const LENGTH: usize = 8;
    uid.chars().take(LENGTH).collect()
}

/// The claim of the volume that archives are kept on.
#[must_use]
pub fn archives(platform: &Platform) -> String {
    format!("{}-backups", platform.name)
}

/// The Secret with the keys of session tokens.
#[must_use]
pub fn session_keys(platform: &Platform) -> String {
    format!("{}-session-keys", platform.name)
}

/// The Secret with the keys of the tokens that services show each other.
#[must_use]
pub fn service_keys(platform: &Platform) -> String {
    format!("{}-service-keys", platform.name)
}

fn labels<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
