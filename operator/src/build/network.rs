//! Who may speak to whom: nobody, but for the edges of one table. Each component has one policy with the ends of its edges.

mod edges;

use std::collections::BTreeMap;

use bigtix_crds::platform;
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub use edges::{Edge, End, edges};

use super::{Child, Shop, components, meta};
use crate::names::{self, Component};

/// The label that every namespace has, with its name.
const NAMESPACE_LABEL: &str = "kubernetes.io/metadata.name";
/// What is no public address: private networks, what a provider shares out, this link with the cloud's metadata,
/// this machine, and what is set aside for measurements, which some clusters use for themselves.
const NOT_PUBLIC_V4: [&str; 7] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
];
const NOT_PUBLIC_V6: [&str; 3] = ["::1/128", "fc00::/7", "fe80::/10"];
/// Where names are asked for. A policy sees the pod's port, and some clusters' servers listen on the second one.
const DNS_PORTS: [i32; 2] = [53, 5353];

/// All policies; none where the shop shall have none. What allows comes before what refuses.
#[must_use]
pub fn children(shop: Shop<'_>) -> Vec<Child> {
    match shop.platform.network_policy {
        platform::NetworkPolicy::Disabled => Vec::new(),
        platform::NetworkPolicy::Enforced { ingress_namespace: _ } => {
            let edges = edges(shop);
            let mut children: Vec<_> = components(shop)
                .into_iter()
                .map(|component| of_component(shop, component, &edges))
                .collect();
            children.extend([names_may_be_asked_for(shop), nothing_else(shop)]);
            children
        }
    }
}

fn of_component(shop: Shop<'_>, component: Component, edges: &[Edge]) -> Child {
    let here = End::Pods(component);
    let ingress: Vec<_> = edges
        .iter()
        .filter(|edge| edge.to == here)
        .map(|edge| NetworkPolicyIngressRule {
            from: peers(shop, &edge.from),
            ports: ports(edge),
        })
        .collect();
    let egress: Vec<_> = edges
        .iter()
        .filter(|edge| edge.from == here)
        .map(|edge| NetworkPolicyEgressRule {
            to: peers(shop, &edge.to),
            ports: ports(edge),
        })
        .collect();
    let spec = NetworkPolicySpec {
        pod_selector: Some(meta::selector(shop, component)),
        policy_types: both(),
        ingress: (!ingress.is_empty()).then_some(ingress),
        egress: (!egress.is_empty()).then_some(egress),
    };
    Child::NetworkPolicy(NetworkPolicy {
        metadata: meta::component(shop, component),
        spec: Some(spec),
    })
}

fn names_may_be_asked_for(shop: Shop<'_>) -> Child {
    let port = |protocol: &str, number| NetworkPolicyPort {
        port: Some(IntOrString::Int(number)),
        protocol: Some(protocol.to_owned()),
        end_port: None,
    };
    let ports = DNS_PORTS
        .iter()
        .flat_map(|number| [port("UDP", *number), port("TCP", *number)]);
    // To anybody, because a cluster's servers may be pods or an address of each node.
    let rule = NetworkPolicyEgressRule {
        to: None,
        ports: Some(ports.collect()),
    };
    let spec = NetworkPolicySpec {
        pod_selector: Some(all_pods(shop)),
        policy_types: Some(vec!["Egress".to_owned()]),
        egress: Some(vec![rule]),
        ingress: None,
    };
    let metadata = meta::shared(shop, format!("{}-dns", shop.platform.name));
    Child::NetworkPolicy(NetworkPolicy {
        metadata,
        spec: Some(spec),
    })
}

fn nothing_else(shop: Shop<'_>) -> Child {
    let spec = NetworkPolicySpec {
        pod_selector: Some(all_pods(shop)),
        policy_types: both(),
        ..NetworkPolicySpec::default()
    };
    let metadata = meta::shared(shop, format!("{}-default-deny", shop.platform.name));
    Child::NetworkPolicy(NetworkPolicy {
        metadata,
        spec: Some(spec),
    })
}

fn both() -> Option<Vec<String>> {
    Some(vec!["Ingress".to_owned(), "Egress".to_owned()])
}

fn all_pods(shop: Shop<'_>) -> LabelSelector {
    LabelSelector {
        match_labels: Some(names::instance_labels(shop.platform)),
        ..LabelSelector::default()
    }
}

/// None means anybody.
fn peers(shop: Shop<'_>, end: &End) -> Option<Vec<NetworkPolicyPeer>> {
    let peer = NetworkPolicyPeer::default();
    let block = |cidr: &str, except: &[&str]| NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: cidr.to_owned(),
            except: Some(except.iter().map(|cidr| (*cidr).to_owned()).collect()),
        }),
        ..NetworkPolicyPeer::default()
    };
    match end {
        End::Pods(component) => Some(vec![NetworkPolicyPeer {
            pod_selector: Some(meta::selector(shop, *component)),
            ..peer
        }]),
        End::Namespace(name) => {
            let labels = BTreeMap::from([(NAMESPACE_LABEL.to_owned(), name.clone())]);
            let selector = LabelSelector {
                match_labels: Some(labels),
                ..LabelSelector::default()
            };
            Some(vec![NetworkPolicyPeer {
                namespace_selector: Some(selector),
                ..peer
            }])
        }
        End::AnyNamespace => Some(vec![NetworkPolicyPeer {
            namespace_selector: Some(LabelSelector::default()),
            ..peer
        }]),
        End::Public => Some(vec![
            block("0.0.0.0/0", &NOT_PUBLIC_V4),
            block("::/0", &NOT_PUBLIC_V6),
        ]),
        End::Anybody => None,
    }
}

/// None means any port.
fn ports(edge: &Edge) -> Option<Vec<NetworkPolicyPort>> {
    let port = |number: u16| NetworkPolicyPort {
        port: Some(IntOrString::Int(number.into())),
        protocol: Some("TCP".to_owned()),
        end_port: None,
    };
    edge.port.map(|number| vec![port(number)])
}
