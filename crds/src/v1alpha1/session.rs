//! Sign-ins.

use super::defaults::default_is_the_empty_object;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// How long a sign-in lasts and how its keys change.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("!has(self.rotateAfterDays) || self.rotateAfterDays * 86400 >= self.lifetimeSeconds").message("must be at least as long as lifetimeSeconds, or sessions would end early").field_path(".rotateAfterDays"),
)]
pub struct Session {
    /// How long a sign-in lasts, in seconds.
    #[serde(default = "Session::twelve_hours")]
    #[schemars(range(min = 60, max = 2_592_000))]
    pub lifetime_seconds: i64,
    /// After how many days a new signing key is made; the old one stays valid for one lifetime. Left out, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 365))]
    pub rotate_after_days: Option<i32>,
    /// Whether tokens without an expiry are accepted, as older systems issued them.
    #[serde(default)]
    pub compat: bool,
}

impl Session {
    const fn twelve_hours() -> i64 {
        43_200
    }
}

default_is_the_empty_object!(Session);
