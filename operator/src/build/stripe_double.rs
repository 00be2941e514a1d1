//! What stands for Stripe where there is no account. No money moves, and nothing is kept.

use std::collections::BTreeMap;

use bigtix_crds::platform::Payments;
use bigtix_crds::{Service, Version};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{Container, EnvVar};

use super::endpoint::{self, Port};
use super::pod::{self, Pace, Pod};
use super::{Child, Shop, meta, service};
use crate::names::{self, Component};

/// Where it is called.
pub const PORT: Port = Port {
    name: "http",
    number: 8420,
};
/// The entry with the shop's key, in the double's Secret as in the one of an account.
pub const SECRET_KEY: &str = "secretKey";
/// The entry with what webhooks are signed with, in the double's Secret as in the one of an account.
pub const WEBHOOK_SECRET: &str = "webhookSecret";

const ME: Component = Component::StripeDouble;
const GRACE_SECONDS: i64 = 10;

/// Everything that carries the double; nothing where there is an account.
#[must_use]
pub fn children(shop: Shop<'_>, version: &Version) -> Vec<Child> {
    match &shop.platform.payments {
        Payments::StripeDouble => vec![
            pod::account(shop, ME),
            endpoint::balanced(shop, ME, &[PORT]),
            Child::Deployment(deployment(shop, version)),
        ],
        Payments::Account { .. } => Vec::new(),
    }
}

/// Where the double is called.
#[must_use]
pub fn url(shop: Shop<'_>) -> String {
    format!("http://{}:{}", ME.object_name(shop.platform), PORT.number)
}

/// Where the double tells of what has happened.
#[must_use]
pub fn webhook_url(shop: Shop<'_>) -> String {
    format!(
        "{}/api/webhooks/stripe",
        service::public_url(shop, Service::Payments)
    )
}

/// Everything about its pods goes by its own version: it holds payments in its memory, and another release of the shop shall
/// not replace them.
fn deployment(shop: Shop<'_>, version: &Version) -> Deployment {
    let image = format!("{}/stripe-double:{version}", shop.platform.registry);
    let container = Container {
        env: Some(environment(shop)),
        ports: pod::ports(&[PORT]),
        startup_probe: Some(pod::tcp(PORT, Pace::START)),
        liveness_probe: Some(pod::tcp(PORT, Pace::ALIVE)),
        readiness_probe: Some(pod::tcp(PORT, Pace::READY)),
        ..pod::container("stripe", &image, &pod::needs("20m", "32Mi", "128Mi"))
    };
    let template = pod::template(
        shop,
        Pod {
            component: ME,
            version: version.to_string(),
            annotations: BTreeMap::new(),
            init_containers: Vec::new(),
            container,
            volumes: Vec::new(),
            owns_volumes: false,
            grace: GRACE_SECONDS,
            revision_label: Some("pod-template-hash"),
        },
    );
    Deployment {
        metadata: meta::component(shop, ME),
        spec: Some(DeploymentSpec {
            replicas: Some(i32::from(!shop.platform.hibernate)),
            revision_history_limit: Some(3),
            selector: meta::selector(shop, ME),
            // Two of them would each know half of the payments.
            strategy: Some(DeploymentStrategy {
                type_: Some("Recreate".to_owned()),
                rolling_update: None,
            }),
            template,
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn environment(shop: Shop<'_>) -> Vec<EnvVar> {
    let credentials = names::credentials(shop.platform, ME);
    vec![
        pod::literal("LISTEN", format!("0.0.0.0:{}", PORT.number)),
        pod::literal("WEBHOOK_URL", webhook_url(shop)),
        pod::secret("STRIPE_SECRET_KEY", &credentials, SECRET_KEY),
        pod::secret("STRIPE_WEBHOOK_SECRET", &credentials, WEBHOOK_SECRET),
    ]
}
