//! What the three stores have in common: members with a volume each.

use bigtix_crds::platform::{DeletionPolicy, ManagedStore, ObjectName, Quantity, Storage, Store};
use k8s_openapi::api::apps::v1::{
    StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec, StatefulSetUpdateStrategy,
};
use k8s_openapi::api::core::v1::{
    ConfigMap, ConfigMapVolumeSource, EmptyDirVolumeSource, KeyToPath, PersistentVolumeClaim,
    PersistentVolumeClaimSpec, SecretVolumeSource, Volume, VolumeMount, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use std::collections::BTreeMap;

use super::pod::{self, Pod};
use super::{Child, Shop, meta};
use crate::names::{self, Component};

/// The name of the volume that each member keeps, and with it the beginning of the claims' names.
pub const DATA: &str = "data";
/// For the group, because secrets belong to root and members run as somebody else.
const SECRET_MODE: i32 = 0o440;

/// The store if the operator runs it.
#[must_use]
pub fn managed(store: &Store) -> Option<&ManagedStore> {
    match store {
        Store::Managed(managed) => Some(managed),
        Store::External { secret_name: _ } => None,
    }
}

/// The size that each member's volume shall have.
#[must_use]
pub fn volume_size(store: &ManagedStore) -> &Quantity {
    &store.storage.size
}

/// The names of the claims of a store's members.
#[must_use]
pub fn claims(shop: Shop<'_>, component: Component, store: &ManagedStore) -> Vec<String> {
    let name = component.object_name(shop.platform);
    (0..store.replicas)
        .map(|ordinal| format!("{DATA}-{name}-{ordinal}"))
        .collect()
}

/// How many members run: none while the shop sleeps.
#[must_use]
pub fn running_members(shop: Shop<'_>, store: &ManagedStore) -> i32 {
    match shop.platform.hibernate {
        true => 0,
        false => i32::try_from(store.replicas).unwrap_or(i32::MAX),
    }
}

/// The members. `template_size` is the size that the set was created with, which it cannot change; none for a new set.
/// `settle` is how many seconds a member has to be ready before the next one is replaced.
#[must_use]
pub fn members(
    shop: Shop<'_>,
    store: &ManagedStore,
    template_size: Option<&Quantity>,
    settle: Option<i32>,
    pod: Pod,
) -> Child {
    let component = pod.component;
    let spec = StatefulSetSpec {
        min_ready_seconds: settle,
        persistent_volume_claim_retention_policy: Some(retention(shop)),
        // Members wait for each other, so none of them may wait to be created.
        pod_management_policy: Some("Parallel".to_owned()),
        replicas: Some(running_members(shop, store)),
        revision_history_limit: Some(3),
        selector: meta::selector(shop, component),
        service_name: Some(names::members(shop.platform, component)),
        template: pod::template(shop, pod),
        update_strategy: Some(StatefulSetUpdateStrategy {
            type_: Some("RollingUpdate".to_owned()),
            ..StatefulSetUpdateStrategy::default()
        }),
        volume_claim_templates: Some(vec![claim(shop, component, store, template_size)]),
        ..StatefulSetSpec::default()
    };
    Child::StatefulSet(StatefulSet {
        metadata: meta::component(shop, component),
        spec: Some(spec),
        ..StatefulSet::default()
    })
}

/// One file of a store's configuration, as its ConfigMap.
#[must_use]
pub fn configuration(shop: Shop<'_>, component: Component, file: &str, text: &str) -> Child {
    Child::ConfigMap(ConfigMap {
        metadata: meta::named(shop, component, names::configuration(shop.platform, component)),
        data: Some(BTreeMap::from([(file.to_owned(), text.to_owned())])),
        ..ConfigMap::default()
    })
}

/// The volume that shows [`configuration`].
#[must_use]
pub fn configuration_volume(shop: Shop<'_>, component: Component, name: &str) -> Volume {
    let source = ConfigMapVolumeSource {
        name: names::configuration(shop.platform, component),
        ..ConfigMapVolumeSource::default()
    };
    Volume {
        name: name.to_owned(),
        config_map: Some(source),
        ..Volume::default()
    }
}

/// A volume that shows one entry of the store's Secret.
#[must_use]
pub fn secret_volume(shop: Shop<'_>, component: Component, name: &str, key: &str) -> Volume {
    let item = KeyToPath {
        key: key.to_owned(),
        path: key.to_owned(),
        mode: None,
    };
    let source = SecretVolumeSource {
        secret_name: Some(names::credentials(shop.platform, component)),
        items: Some(vec![item]),
        default_mode: Some(SECRET_MODE),
        ..SecretVolumeSource::default()
    };
    Volume {
        name: name.to_owned(),
        secret: Some(source),
        ..Volume::default()
    }
}

/// An empty folder; in memory, what is written there never reaches a disk.
#[must_use]
pub fn scratch_volume(name: &str, size: &str, in_memory: bool) -> Volume {
    let source = EmptyDirVolumeSource {
        medium: in_memory.then(|| "Memory".to_owned()),
        size_limit: Some(Quantity(size.to_owned())),
    };
    Volume {
        name: name.to_owned(),
        empty_dir: Some(source),
        ..Volume::default()
    }
}

/// Shows a volume to a container.
#[must_use]
pub fn mount(name: &str, path: &str, read_only: bool) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        read_only: read_only.then_some(true),
        ..VolumeMount::default()
    }
}

/// With `Snapshot` a set that is deleted by accident would take the volumes along before the final backup is there, so there
/// the claims are deleted once it is.
fn retention(shop: Shop<'_>) -> StatefulSetPersistentVolumeClaimRetentionPolicy {
    let when_deleted = match shop.platform.deletion_policy {
        DeletionPolicy::Retain | DeletionPolicy::Snapshot => "Retain",
        DeletionPolicy::Delete => "Delete",
    };
    StatefulSetPersistentVolumeClaimRetentionPolicy {
        when_deleted: Some(when_deleted.to_owned()),
        // Sleep is fewer members too.
        when_scaled: Some("Retain".to_owned()),
    }
}

fn claim(
    shop: Shop<'_>,
    component: Component,
    store: &ManagedStore,
    template_size: Option<&Quantity>,
) -> PersistentVolumeClaim {
    let Storage { size, class_name } = &store.storage;
    PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(DATA.to_owned()),
            labels: Some(names::component_labels(shop.platform, component)),
            ..ObjectMeta::default()
        },
        spec: Some(volume(template_size.unwrap_or(size), class_name.as_ref())),
        ..PersistentVolumeClaim::default()
    }
}

/// A volume for one pod at a time.
#[must_use]
pub fn volume(size: &Quantity, class_name: Option<&ObjectName>) -> PersistentVolumeClaimSpec {
    PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        resources: Some(VolumeResourceRequirements {
            requests: Some(BTreeMap::from([("storage".to_owned(), size.clone())])),
            ..VolumeResourceRequirements::default()
        }),
        storage_class_name: class_name.map(ToString::to_string),
        volume_mode: Some("Filesystem".to_owned()),
        ..PersistentVolumeClaimSpec::default()
    }
}
