//! What a resource means.

use crate::files::{bigtix, read};
use bigtix_crds::platform::{
    BackupTarget, EnvValue, NetworkPolicy, Payments, Platform, Replicas, Store, Tls, Workload,
};
use bigtix_crds::{Service, Version, parse, validate};
use serde_json::{Value, json};
use std::time::Duration;

fn meant(spec: Value) -> Platform {
    validate(&bigtix(spec)).expect("accepted")
}

fn example(name: &str) -> Platform {
    validate(&parse(&read(&format!("examples/{name}.yaml"))).expect("a resource")).expect("accepted")
}

fn members(store: &Store) -> Option<u32> {
    match store {
        Store::Managed(managed) => Some(managed.replicas),
        Store::External { .. } => None,
    }
}

fn of(shop: &Platform, service: Service) -> &Workload {
    shop.services.get(service).expect("the release has it")
}

#[test]
fn the_minimal_shop_has_one_of_each_and_no_stripe() {
    let shop = example("minimal");
    assert_eq!(shop.name.as_str(), "shop");
    assert_eq!(shop.version, Version::new(1, 0, 0));
    for (service, workload) in shop.services.iter() {
        assert_eq!(workload.replicas, Replicas::Fixed(1), "{service}");
        assert_eq!(workload.image.as_str(), format!("ghcr.io/bigtix/{service}:1.0.0"));
    }
    let stores = [&shop.stores.mongodb, &shop.stores.nats, &shop.stores.redis];
    assert_eq!(stores.map(members), [Some(1), Some(1), Some(1)]);
    assert_eq!(shop.payments, Payments::StripeDouble);
    assert_eq!(shop.reservation, Duration::from_secs(900));
    assert_eq!(shop.max_held_tickets_per_user, 100);
    assert_eq!(shop.session.lifetime, Duration::from_secs(43_200));
    assert_eq!((shop.session.rotate_after, shop.session.compat), (None, false));
    assert_eq!(shop.ingress.url(), "http://bigtix.localhost");
    assert_eq!(
        shop.network_policy,
        NetworkPolicy::Enforced {
            ingress_namespace: None
        }
    );
    assert!(shop.upgrade.is_approved(&Version::new(9, 9, 9)));
    assert_eq!((shop.backup, shop.restart_at), (None, None));
}

#[test]
fn production_means_three_members_and_two_pods() {
    let shop = example("production");
    assert_eq!(of(&shop, Service::Auth).replicas, Replicas::Fixed(2));
    assert_eq!(of(&shop, Service::Orders).replicas.at_least(), 2);
    let stores = [&shop.stores.mongodb, &shop.stores.nats, &shop.stores.redis];
    assert_eq!(stores.map(members), [Some(3), Some(3), Some(1)]);
    assert_eq!(shop.ingress.url(), "https://tickets.example.com");
    let Tls::CertManager {
        secret_name, issuer, ..
    } = shop.ingress.tls
    else {
        panic!("{:?}", shop.ingress.tls)
    };
    assert_eq!(
        (secret_name.as_str(), issuer.as_str()),
        ("shop-tls", "letsencrypt")
    );
    let Payments::Account {
        api_url, script_url, ..
    } = shop.payments
    else {
        panic!("{:?}", shop.payments)
    };
    assert_eq!(api_url.as_str(), "https://api.stripe.com");
    assert_eq!(script_url.as_str(), "https://js.stripe.com/v3/");
    let backup = shop.backup.expect("backups");
    assert!(matches!(backup.target, BackupTarget::S3 { bucket, .. } if bucket == "example-tickets"));
}

#[test]
fn production_needs_no_sizes_to_be_named() {
    let shop = meant(json!({
        "profile": "Production",
        "payments": {"secretName": "stripe"},
        "ingress": {"tls": {"mode": "Secret", "secretName": "tls"}},
        "backup": {"schedule": "0 2 * * *", "volume": {}},
    }));
    assert_eq!(
        [&shop.stores.mongodb, &shop.stores.nats].map(members),
        [Some(3), Some(3)]
    );
    assert!(
        shop.services
            .iter()
            .all(|(_, workload)| workload.replicas == Replicas::Fixed(2))
    );
}

#[test]
fn a_rollout_that_needs_approval_waits_for_its_version() {
    let upgrade = example("staged-rollout").upgrade;
    assert!(upgrade.is_approved(&Version::new(1, 0, 0)));
    assert!(!upgrade.is_approved(&Version::new(1, 0, 1)));
    assert_eq!(upgrade.windows[0].duration, Duration::from_secs(3 * 3600));
}

#[test]
fn a_service_can_have_a_version_or_an_image_of_its_own() {
    let shop = meant(json!({
        "images": {"registry": "registry.example.com:5000/tix"},
        "services": {"tickets": {"version": "1.0.1"}, "auth": {"image": "auth@sha256:0f"}},
    }));
    let image = |service| of(&shop, service).image.to_string();
    assert_eq!(
        image(Service::Tickets),
        "registry.example.com:5000/tix/tickets:1.0.1"
    );
    assert_eq!(image(Service::Auth), "auth@sha256:0f");
    assert_eq!(
        image(Service::Orders),
        "registry.example.com:5000/tix/orders:1.0.0"
    );
}

#[test]
fn one_half_of_a_size_brings_the_other() {
    let resources = |resources: Value| {
        let shop = meant(json!({"services": {"orders": {"resources": resources}}}));
        let resources = of(&shop, Service::Orders).resources.clone();
        let limit =
            |limit: Option<bigtix_crds::platform::Quantity>| limit.map_or(String::new(), |limit| limit.0);
        [
            resources.cpu.request.0,
            limit(resources.cpu.limit),
            resources.memory.request.0,
            limit(resources.memory.limit),
        ]
    };
    assert_eq!(resources(json!({})), ["50m", "", "32Mi", "256Mi"]);
    assert_eq!(
        resources(json!({"requests": {"cpu": 2, "memory": "1Gi"}})),
        ["2", "", "1Gi", "1Gi"]
    );
    assert_eq!(
        resources(json!({"limits": {"cpu": "1", "memory": "16Mi"}})),
        ["1", "1", "16Mi", "16Mi"]
    );
}

#[test]
fn administrators_are_compared_in_lower_case() {
    let shop = meant(json!({"administrators": ["B@x.org", "a@x.org", "b@x.org"]}));
    let emails: Vec<_> = shop.administrators.iter().map(ToString::to_string).collect();
    assert_eq!(emails, ["a@x.org", "b@x.org"]);
}

#[test]
fn variables_come_from_where_they_are_kept() {
    let shop = meant(json!({"services": {"orders": {"env": [
        {"name": "A", "value": ""},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
    ]}}}));
    let env = &of(&shop, Service::Orders).env;
    assert_eq!(env[0].value, EnvValue::Literal(String::new()));
    assert!(
        matches!(&env[1].value, EnvValue::ConfigMapKey { name, key } if name.as_str() == "m" && key == "k")
    );
}

#[test]
fn an_external_store_is_not_run() {
    let shop = meant(json!({"mongodb": {"external": {"secretName": "atlas"}}}));
    assert!(
        matches!(shop.stores.mongodb, Store::External { secret_name } if secret_name.as_str() == "atlas")
    );
}
