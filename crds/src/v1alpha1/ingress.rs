//! How the shop is reached from outside.

use super::defaults::default_is_the_empty_object;
use super::formats;
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The Ingress object, or none.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ingress {
    /// Whether there is an Ingress.
    #[serde(default = "Ingress::enabled")]
    pub enabled: bool,
    /// Name under which browsers find the shop.
    #[serde(default = "Ingress::host")]
    #[schemars(schema_with = "formats::host")]
    pub host: String,
    /// Class of the Ingress, such as nginx or alb. Left out, the cluster's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::object_name")]
    pub class_name: Option<String>,
    /// Annotations that are put on the Ingress as they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64))]
    pub annotations: BTreeMap<String, String>,
    /// Encryption between browser and Ingress.
    #[serde(default)]
    pub tls: Tls,
}

impl Ingress {
    const fn enabled() -> bool {
        true
    }

    fn host() -> String {
        "bigtix.localhost".to_owned()
    }
}

/// Encryption between browser and Ingress.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("self.mode != 'Secret' || has(self.secretName)").message("mode Secret needs secretName").field_path(".secretName"),
    validation = Rule::new("self.mode != 'CertManager' || has(self.issuerRef)").message("mode CertManager needs issuerRef").field_path(".issuerRef"),
    validation = Rule::new("self.mode != 'ACM' || has(self.certificateARN)").message("mode ACM needs certificateARN").field_path(".certificateARN"),
)]
pub struct Tls {
    /// Where the certificate comes from. Disabled: there is none. Secret: a Secret holds it. CertManager: cert-manager
    /// issues it. ACM: the load balancer of AWS holds it.
    #[serde(default)]
    pub mode: TlsMode,
    /// Secret with tls.crt and tls.key. With CertManager it is made, and named after the resource when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::object_name")]
    pub secret_name: Option<String>,
    /// Issuer that cert-manager asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_ref: Option<IssuerRef>,
    /// Certificate in the AWS Certificate Manager.
    #[serde(rename = "certificateARN", default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "formats::certificate_arn")]
    pub certificate_arn: Option<String>,
}

/// Where a certificate comes from.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub enum TlsMode {
    /// There is none.
    #[default]
    Disabled,
    /// A Secret holds it.
    Secret,
    /// cert-manager issues it.
    CertManager,
    /// The load balancer of AWS holds it.
    #[serde(rename = "ACM")]
    Acm,
}

/// An issuer of certificates.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IssuerRef {
    /// Name of the issuer.
    #[schemars(schema_with = "formats::object_name")]
    pub name: String,
    /// Whether it serves one namespace or all.
    #[serde(default)]
    pub kind: IssuerKind,
}

/// Whether an issuer serves one namespace or all.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub enum IssuerKind {
    /// Serves all namespaces.
    #[default]
    ClusterIssuer,
    /// Serves its own namespace.
    Issuer,
}

default_is_the_empty_object!(Ingress, Tls);
