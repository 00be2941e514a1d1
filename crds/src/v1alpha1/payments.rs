//! The Stripe account.

use super::defaults::default_is_the_empty_object;
use super::formats;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The Stripe account that is charged, or none.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("has(self.secretName) || !(has(self.apiURL) || has(self.scriptURL))").message("needs secretName, because without an account the stand-in for Stripe is used").field_path(".secretName"),
)]
pub struct Payments {
    /// Secret in the same namespace with secretKey, publishableKey and webhookSecret. Left out, a stand-in for Stripe runs
    /// beside the services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::object_name")]
    pub secret_name: Option<String>,
    /// Where Stripe's API is called, without a path. Left out, Stripe itself.
    #[serde(rename = "apiURL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::url")]
    pub api_url: Option<String>,
    /// Script of Stripe that the pay page loads. Left out, the one that Stripe serves.
    #[serde(rename = "scriptURL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::url")]
    pub script_url: Option<String>,
}

default_is_the_empty_object!(Payments);
