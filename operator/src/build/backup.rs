//! What backups and restores of a shop need beside their Jobs: an identity, two users of the database, and a volume where
//! archives are kept on one.

use bigtix_crds::platform::{BackupTarget, Platform, Storage};
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{Child, Shop, pod, store};
use crate::names::{self, Component};

/// The entry of the Secret with the password of who reads everything.
pub const READER_ENTRY: &str = "backup";
/// The entry of the Secret with the password of who puts everything back.
pub const WRITER_ENTRY: &str = "restore";
/// The entry of an owner's Secret that says who asks an object store.
pub const ACCESS_KEY_ID: &str = "accessKeyId";
/// The entry of an owner's Secret by which that is believed.
pub const SECRET_ACCESS_KEY: &str = "secretAccessKey";

/// What is applied; nothing where no place for archives is named.
#[must_use]
pub fn children(shop: Shop<'_>) -> Vec<Child> {
    let backup = shop.platform.backup.as_ref();
    backup
        .map(|_| pod::account(shop, Component::Backup))
        .into_iter()
        .collect()
}

/// The volume that archives are kept on; none where they are kept in a bucket.
#[must_use]
pub fn storage(platform: &Platform) -> Option<&Storage> {
    match &platform.backup.as_ref()?.target {
        BackupTarget::Volume(storage) => Some(storage),
        BackupTarget::S3 { .. } => None,
    }
}

/// Its claim. No shop owns it: archives outlive the shop whose they are.
#[must_use]
pub fn claim(shop: Shop<'_>) -> Option<PersistentVolumeClaim> {
    let Storage { size, class_name } = storage(shop.platform)?;
    Some(PersistentVolumeClaim {
        metadata: ObjectMeta {
            name: Some(names::archives(shop.platform)),
            namespace: Some(shop.namespace.to_owned()),
            labels: Some(names::component_labels(shop.platform, Component::Backup)),
            ..ObjectMeta::default()
        },
        spec: Some(store::volume(size, class_name.as_ref())),
        ..PersistentVolumeClaim::default()
    })
}
