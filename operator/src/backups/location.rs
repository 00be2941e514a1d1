//! Where an archive is: as a status has it, and as the Job's program is told.

use bigtix_crds::platform::BackupTarget;
use bigtix_crds::v1alpha1::BigTixBackupStatus;

use crate::names;

/// Where the volume of archives is in a pod.
pub const MOUNTED_AT: &str = "/backups";

const S3: &str = "s3://";
const VOLUME: &str = "volume://";

/// Where one archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A folder of a volume.
    Volume {
        /// The claim.
        claim: String,
        /// The folder.
        folder: String,
    },
    /// Objects of a bucket.
    Bucket {
        /// `s3://bucket/key`.
        address: String,
        /// Where the store is reached; none means AWS.
        endpoint: Option<String>,
        /// Region of the bucket; none means us-east-1.
        region: Option<String>,
        /// The Secret of who asks; none means the pod's own identity.
        secret_name: Option<String>,
    },
}

impl Location {
    /// The place for a new archive. No two requests have the same, in whatever namespace and of whatever time.
    #[must_use]
    pub fn new(target: &BackupTarget, claim: String, namespace: &str, name: &str, uid: &str) -> Self {
        let folder = format!("{name}-{}", names::short(uid));
        match target {
            BackupTarget::Volume(_) => Self::Volume { claim, folder },
            BackupTarget::S3 {
                bucket,
                prefix,
                endpoint,
                region,
                secret_name,
            } => {
                let prefix = prefix.split('/').filter(|part| !part.is_empty());
                let key: Vec<&str> = prefix.chain([namespace, folder.as_str()]).collect();
                Self::Bucket {
                    address: format!("{S3}{bucket}/{}", key.join("/")),
                    endpoint: endpoint.as_ref().map(ToString::to_string),
                    region: region.clone(),
                    secret_name: secret_name.as_ref().map(ToString::to_string),
                }
            }
        }
    }

    /// As it was recorded; none when it was not yet.
    #[must_use]
    pub fn recorded(status: &BigTixBackupStatus) -> Option<Self> {
        let location = status.location.as_deref()?;
        if let Some((claim, folder)) = location
            .strip_prefix(VOLUME)
            .and_then(|rest| rest.split_once('/'))
        {
            return Some(Self::Volume {
                claim: claim.to_owned(),
                folder: folder.to_owned(),
            });
        }
        location.starts_with(S3).then(|| Self::Bucket {
            address: location.to_owned(),
            endpoint: status.endpoint.clone(),
            region: status.region.clone(),
            secret_name: status.secret_name.clone(),
        })
    }

    /// Writes it down.
    pub fn record(self, status: &mut BigTixBackupStatus) {
        match self {
            Self::Volume { claim, folder } => {
                status.location = Some(format!("{VOLUME}{claim}/{folder}"));
            }
            Self::Bucket {
                address,
                endpoint,
                region,
                secret_name,
            } => {
                status.location = Some(address);
                (status.endpoint, status.region, status.secret_name) = (endpoint, region, secret_name);
            }
        }
    }

    /// As the program in the pod is told.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Volume { claim: _, folder } => format!("{MOUNTED_AT}/{folder}"),
            Self::Bucket { address, .. } => address.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bigtix_crds::{from_value, validate};
    use serde_json::{Value, json};

    use super::*;

    fn location(backup: Value) -> Location {
        let resource = from_value(json!({
            "apiVersion": "bigtix.dev/v1alpha1", "kind": "BigTix", "metadata": {"name": "shop"},
            "spec": {"version": "1.0.0", "backup": backup},
        }));
        let platform = validate(&resource.expect("a resource")).expect("a platform");
        let target = platform.backup.expect("backups").target;
        Location::new(&target, "shop-backups".into(), "shops", "monday", "1a2b3c4d-5e6f")
    }

    #[test]
    fn what_is_recorded_is_read_back_and_says_where_the_archive_is() {
        for (backup, recorded, address) in [
            (
                json!({"volume": {}}),
                "volume://shop-backups/monday-1a2b3c4d",
                "/backups/monday-1a2b3c4d",
            ),
            (
                json!({"s3": {"bucket": "tickets", "prefix": "/a//b/", "secretName": "keys", "endpoint": "https://o.example.com"}}),
                "s3://tickets/a/b/shops/monday-1a2b3c4d",
                "s3://tickets/a/b/shops/monday-1a2b3c4d",
            ),
        ] {
            let location = location(backup);
            let mut status = BigTixBackupStatus::default();
            location.clone().record(&mut status);
            assert_eq!(status.location.as_deref(), Some(recorded));
            assert_eq!(Location::recorded(&status), Some(location.clone()));
            assert_eq!(location.address(), address);
        }
    }
}
