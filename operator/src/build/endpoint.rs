//! Names for pods: Services.

use k8s_openapi::api::core::v1::{Service as CoreService, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Child, Shop, meta};
use crate::names::{self, Component};

/// A port as pods name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// At most 15 characters.
    pub name: &'static str,
    /// On the pod and on its Service alike, so that a network policy and a URL say the same number.
    pub number: u16,
}

/// One address for all ready pods of a component.
#[must_use]
pub fn balanced(shop: Shop<'_>, component: Component, ports: &[Port]) -> Child {
    service(
        shop,
        component,
        component.object_name(shop.platform),
        ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            ports: Some(ports.iter().map(service_port).collect()),
            ..ServiceSpec::default()
        },
    )
}

/// A name for each pod of a store. Members have to find each other in order to become ready, so it does not wait for that.
#[must_use]
pub fn members(shop: Shop<'_>, component: Component, ports: &[Port]) -> Child {
    service(
        shop,
        component,
        names::members(shop.platform, component),
        ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            ports: Some(ports.iter().map(service_port).collect()),
            ..ServiceSpec::default()
        },
    )
}

fn service(shop: Shop<'_>, component: Component, name: String, spec: ServiceSpec) -> Child {
    let selector = Some(names::selector(shop.platform, component));
    Child::Service(CoreService {
        metadata: meta::named(shop, component, name),
        spec: Some(ServiceSpec { selector, ..spec }),
        ..CoreService::default()
    })
}

fn service_port(port: &Port) -> ServicePort {
    ServicePort {
        name: Some(port.name.to_owned()),
        port: port.number.into(),
        protocol: Some("TCP".to_owned()),
        target_port: Some(IntOrString::String(port.name.to_owned())),
        ..ServicePort::default()
    }
}
