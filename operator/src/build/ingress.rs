//! The way in: the rows of the route table whose services the release has.

use std::collections::BTreeMap;

use bigtix_crds::Service;
use bigtix_crds::platform::{IssuerKind, Tls};
use bigtix_crds::routes::ROUTES;
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};

use super::service::PUBLIC;
use super::{Child, Shop, meta};
use crate::names::Component;

/// The class of the controller that makes load balancers of AWS.
const AWS_CLASS: &str = "alb";
const AWS: &str = "alb.ingress.kubernetes.io";

/// The Ingress, if one is wanted and the release has anything to be reached.
#[must_use]
pub fn children(shop: Shop<'_>) -> Vec<Child> {
    let wanted = &shop.platform.ingress;
    let paths: Vec<_> = routed(shop)
        .map(|(prefix, service)| path(shop, prefix, service))
        .collect();
    if !wanted.enabled || paths.is_empty() {
        return Vec::new();
    }
    let mut metadata = meta::shared(shop, shop.platform.name.to_string());
    let annotations = annotations(shop);
    metadata.annotations = (!annotations.is_empty()).then_some(annotations);
    let rule = IngressRule {
        host: Some(wanted.host.to_string()),
        http: Some(HTTPIngressRuleValue { paths }),
    };
    vec![Child::Ingress(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.as_ref().map(ToString::to_string),
            rules: Some(vec![rule]),
            tls: encryption(shop),
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    })]
}

/// The prefixes that lead to a service of the release.
pub(super) fn routed(shop: Shop<'_>) -> impl Iterator<Item = (&'static str, Service)> {
    ROUTES
        .iter()
        .filter(move |route| shop.platform.services.get(route.service).is_some())
        .map(|route| (route.prefix, route.service))
}

fn path(shop: Shop<'_>, prefix: &str, service: Service) -> HTTPIngressPath {
    let port = ServiceBackendPort {
        name: Some(PUBLIC.name.to_owned()),
        number: None,
    };
    HTTPIngressPath {
        path: Some(prefix.to_owned()),
        path_type: "Prefix".to_owned(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: Component::Service(service).object_name(shop.platform),
                port: Some(port),
            }),
            resource: None,
        },
    }
}

fn encryption(shop: Shop<'_>) -> Option<Vec<IngressTLS>> {
    let wanted = &shop.platform.ingress;
    match &wanted.tls {
        Tls::Disabled | Tls::Acm { certificate_arn: _ } => None,
        Tls::Secret { secret_name } | Tls::CertManager { secret_name, .. } => Some(vec![IngressTLS {
            hosts: Some(vec![wanted.host.to_string()]),
            secret_name: Some(secret_name.to_string()),
        }]),
    }
}

/// Ours, and over them the user's, who may know better.
fn annotations(shop: Shop<'_>) -> BTreeMap<String, String> {
    let wanted = &shop.platform.ingress;
    let mut annotations = BTreeMap::new();
    let mut add = |name: String, value: &str| annotations.insert(name, value.to_owned());
    let is_aws = wanted
        .class_name
        .as_ref()
        .is_some_and(|class| class.as_str() == AWS_CLASS);
    if is_aws || matches!(wanted.tls, Tls::Acm { .. }) {
        // Straight to the pods, so that one that drains is known to the load balancer.
        add(format!("{AWS}/target-type"), "ip");
        add(format!("{AWS}/healthcheck-path"), "/readyz");
    }
    match &wanted.tls {
        Tls::Disabled | Tls::Secret { secret_name: _ } => {}
        Tls::CertManager {
            secret_name: _,
            issuer,
            issuer_kind,
        } => {
            let kind = match issuer_kind {
                IssuerKind::ClusterIssuer => "cluster-issuer",
                IssuerKind::Issuer => "issuer",
            };
            add(format!("cert-manager.io/{kind}"), issuer.as_str());
        }
        Tls::Acm { certificate_arn } => {
            add(format!("{AWS}/certificate-arn"), certificate_arn);
            add(format!("{AWS}/listen-ports"), r#"[{"HTTP": 80}, {"HTTPS": 443}]"#);
            add(format!("{AWS}/ssl-redirect"), "443");
        }
    }
    annotations.extend(wanted.annotations.clone());
    annotations
}
