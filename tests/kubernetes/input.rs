//! What is missing, wrong or somebody else's: each has a condition that says what to do.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use bigtix_tests::cluster::{Cluster, Customer, Request, SYSTEM};
use serde_json::{Value, json};

use crate::install::resource;
use crate::rollouts::SERVICES;

const PATIENCE: Duration = Duration::from_secs(120);
const DEFINITION: &str = "customresourcedefinition/bigtixes.bigtix.dev";

/// A resource that was stored under another definition cannot be read, and holds up nobody else.
pub(crate) async fn a_resource_that_cannot_be_read_is_reported_and_passed_over(
    cluster: &Cluster,
) -> Result<()> {
    let other = cluster.within("shop-that-cannot-be-read");
    other.fresh_namespace()?;
    let definition = cluster.get(&[DEFINITION])?;
    let mut lax = definition.clone();
    lax["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] =
        json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    // It would name a field that is not described any more.
    if let Some(version) = lax["spec"]["versions"][0].as_object_mut() {
        version.remove("selectableFields");
    }
    replace_definition(cluster, lax)?;
    let mut broken = resource();
    broken["spec"]["hibernate"] = json!("perhaps");
    // The API server serves a changed definition a moment later.
    let stored = other.until("it is stored", PATIENCE, || Ok(other.apply(&broken).is_ok()));
    replace_definition(cluster, definition)?;
    stored?;
    other.until("it is reported", PATIENCE, || {
        let shop = bigtix_tests::cluster::Shop(other.get(&["bigtix", "shop"])?);
        let (status, reason, message) = shop.condition("Ready");
        Ok(status == "False" && reason == "Unreadable" && message.contains("kubectl edit"))
    })?;
    let events = other.run(&["get", "events", "--output=jsonpath={.items[*].reason}"])?;
    ensure!(events.contains("Unreadable"), "no event says so: {events}");

    cluster.run(&["delete", "deployment/shop-auth", "--wait=false"])?;
    cluster.until_shop("the other shop is mended meanwhile", PATIENCE, |shop| {
        shop.is("Ready")
    })?;
    other.remove_namespace()
}

fn replace_definition(cluster: &Cluster, mut definition: Value) -> Result<()> {
    if let Some(metadata) = definition["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
    }
    cluster
        .feed(&["replace", "--filename=-"], &definition.to_string())
        .map(drop)
}

pub(crate) async fn a_storage_class_that_is_missing_is_asked_for(cluster: &Cluster) -> Result<()> {
    let default = |is_default: bool| {
        let annotation = format!("storageclass.kubernetes.io/is-default-class={is_default}");
        cluster.run(&["annotate", "storageclass", "--all", "--overwrite", &annotation])
    };
    let other = cluster.within("shop-without-storage");
    other.fresh_namespace()?;
    default(false)?;
    let mut shop = resource();
    shop["spec"]["ingress"] = json!({"enabled": false});
    other.apply(&shop)?;
    let asked = other.until_shop("asked for", PATIENCE, |shop| {
        let (status, reason, message) = shop.condition("Ready");
        status == "False" && reason == "DataStoresNotReady" && message.contains("no storage class")
    });
    default(true)?;
    asked?;
    other.until_shop("the volumes are there", PATIENCE, |shop| {
        !shop.condition("Ready").2.contains("storage class")
    })?;
    other.remove_namespace()
}

/// Payments ends, and its last words are what Stripe says.
pub(crate) async fn a_stripe_key_that_is_refused_is_said(cluster: &Cluster) -> Result<()> {
    let other = cluster.within("shop-with-a-wrong-key");
    other.fresh_namespace()?;
    other.apply(&stripe_of_its_own())?;
    let entries = [
        "--from-literal=secretKey=sk_test_wrong",
        "--from-literal=webhookSecret=whsec_x",
        "--from-literal=publishableKey=pk_test_x",
    ];
    other.run(&[&["create", "secret", "generic", "stripe"], entries.as_slice()].concat())?;
    let mut shop = resource();
    shop["spec"]["payments"] = json!({
        "secretName": "stripe",
        "apiURL": format!("http://stripe.{}.svc.cluster.local:8420", other.namespace()),
    });
    shop["spec"]["ingress"] = json!({"enabled": false});
    other.apply(&shop)?;
    // Payments comes after everything else, so this is as long as a whole shop takes.
    other.until_shop("said", 2 * PATIENCE, |shop| {
        let (status, _, message) = shop.condition("Ready");
        status == "False" && message.contains("STRIPE_SECRET_KEY") && !message.contains("sk_test_wrong")
    })?;
    other.remove_namespace()
}

/// Stripe's double as if it were somebody else's: no part of the shop.
fn stripe_of_its_own() -> Value {
    let environment = [
        ("LISTEN", "0.0.0.0:8420"),
        ("STRIPE_SECRET_KEY", "sk_test_right"),
        ("STRIPE_WEBHOOK_SECRET", "whsec_x"),
        ("WEBHOOK_URL", "http://127.0.0.1:9"),
    ]
    .map(|(name, value)| json!({"name": name, "value": value}));
    let container = json!({
        "name": "stripe", "image": "ghcr.io/bigtix/stripe-double:1.0.0", "env": environment,
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
    });
    json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "stripe"},
         "spec": {"selector": {"app": "stripe"}, "ports": [{"port": 8420}]}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "stripe", "labels": {"app": "stripe"}},
         "spec": {"containers": [container], "securityContext": {
             "runAsNonRoot": true, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}}},
    ]})
}

/// First a cluster does not have the kinds of the Prometheus operator, then it has.
pub(crate) async fn a_kind_that_is_missing_is_said_and_noticed_when_it_comes(
    cluster: &Cluster,
) -> Result<()> {
    cluster.patch_shop(&json!({"spec": {"observability": {"podMonitor": true, "alerts": true}}}))?;
    cluster.until_shop("said", PATIENCE, |shop| {
        let (status, reason, message) = shop.condition("MonitoringReady");
        status == "False" && reason == "KindMissing" && message.contains("PodMonitor") && shop.is("Ready")
    })?;
    for (kind, plural) in [
        ("PodMonitor", "podmonitors"),
        ("PrometheusRule", "prometheusrules"),
    ] {
        cluster.apply(&definition_of(kind, plural))?;
    }
    let made = ["get", "podmonitors,prometheusrules", "--output=name"];
    cluster.until("the kinds are served", PATIENCE, || {
        Ok(cluster.run(&made).is_ok())
    })?;
    // Something happens to the shop, as it does within five minutes at the latest.
    cluster.run(&["delete", "networkpolicy/shop-dns"])?;
    cluster.until("both are made", PATIENCE, || {
        Ok(cluster.run(&made)?.lines().count() == 2)
    })?;
    cluster.until_shop("all is there", PATIENCE, |shop| {
        shop.is("MonitoringReady") && shop.is("Ready")
    })?;
    // The operator looks for kinds that are missing every half minute; from then on it is told.
    cluster.until("the operator watches", PATIENCE, || {
        let requests = cluster.whole_audit_log().of_operator()?;
        let is_watch = |request: &Request| request.verb == "watch" && request.resource() == "podmonitors";
        Ok(requests.iter().any(is_watch))
    })?;
    cluster.run(&["delete", "podmonitor", "--all"])?;
    let took = cluster.until("it is mended", Duration::from_secs(10), || {
        Ok(cluster.run(&made)?.lines().count() == 2)
    })?;
    println!("  mended after {:.1} s", took.as_secs_f64());
    cluster.patch_shop(&json!({"spec": {"observability": {"podMonitor": false, "alerts": false}}}))?;
    cluster.until("both go", PATIENCE, || Ok(cluster.run(&made)?.is_empty()))?;
    for plural in ["podmonitors", "prometheusrules"] {
        cluster.run(&[
            "delete",
            "customresourcedefinition",
            &format!("{plural}.monitoring.coreos.com"),
        ])?;
    }
    Ok(())
}

fn definition_of(kind: &str, plural: &str) -> Value {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.monitoring.coreos.com")},
        "spec": {
            "group": "monitoring.coreos.com", "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

/// Whoever sets a field that is ours is named.
pub(crate) async fn somebody_else_who_sets_a_field_is_named(cluster: &Cluster) -> Result<()> {
    let image = "orders=somebody.else/orders:1";
    cluster.run(&[
        "set",
        "image",
        "deployment/shop-orders",
        image,
        "--field-manager=another-tool",
    ])?;
    cluster.until_shop("named", PATIENCE, |shop| {
        let (status, reason, message) = shop.condition("Contested");
        status == "True"
            && reason == "ForeignManager"
            && message.contains("another-tool")
            && message.contains("image")
    })?;
    let events = cluster.run(&["get", "events", "--output=jsonpath={.items[*].reason}"])?;
    ensure!(events.contains("FieldContested"), "no event says so: {events}");
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    Ok(())
}

/// A release that says that it cannot follow the one that runs moves nothing.
pub(crate) async fn a_release_that_is_too_far_away_is_refused(cluster: &Cluster) -> Result<()> {
    learn_release(cluster, "2.0.0", "~1.9")?;
    // Not the pods, of which some may still be on their way out: a generation counts each change of what is wanted.
    let generations = || {
        let names = "--output=jsonpath={range .items[*]}{.metadata.uid}={.metadata.generation} {end}";
        cluster.run(&["get", "deployments,statefulsets", names])
    };
    let before = generations()?;
    cluster.patch_shop(&json!({"spec": {"version": "2.0.0"}}))?;
    cluster.until_shop("refused", PATIENCE, |shop| {
        let (status, reason, message) = shop.condition("Ready");
        status == "False" && reason == "UnsupportedStep" && message.contains("2.0.0") && shop.is("Available")
    })?;
    cluster.patch_shop(&json!({"spec": {"version": "1.0.0"}}))?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    let after = generations()?;
    ensure!(after == before, "something was moved: {before}, then {after}");
    Ok(())
}

/// What a shop no longer wants goes, and comes back when it is wanted again.
pub(crate) async fn what_is_no_longer_wanted_goes(cluster: &Cluster) -> Result<()> {
    let names = |kinds: &str| cluster.run(&["get", kinds, "--output=name"]);
    let uri = "--from-literal=uri=redis://redis.example.com:6379";
    cluster.run(&["create", "secret", "generic", "a-redis", uri])?;
    let account = [
        "--from-literal=secretKey=sk_test_x",
        "--from-literal=webhookSecret=whsec_x",
        "--from-literal=publishableKey=pk_test_x",
    ];
    cluster.run(&[&["create", "secret", "generic", "an-account"], account.as_slice()].concat())?;
    cluster.patch_shop(&json!({"spec": {
        "ingress": {"enabled": false}, "payments": {"secretName": "an-account"},
        "redis": {"managed": null, "external": {"secretName": "a-redis"}},
    }}))?;
    cluster.until(
        "Ingress, Redis and the stand-in for Stripe are gone",
        PATIENCE,
        || {
            let left = names("ingress,statefulset,deployment,serviceaccount,service")?;
            Ok(["redis", "ingress", "stripe"]
                .iter()
                .all(|gone| !left.contains(gone)))
        },
    )?;
    let redis = resource()["spec"]["redis"]["managed"].clone();
    cluster.patch_shop(&json!({"spec": {
        "ingress": {"enabled": true}, "payments": {"secretName": null},
        "redis": {"managed": redis, "external": null},
    }}))?;
    cluster.until_shop("Ready", PATIENCE, |shop| shop.is("Ready"))?;
    cluster.run(&["delete", "secret", "a-redis", "an-account"])?;
    let seller = Customer::new().await?;
    seller.lists().await.map(drop)
}

/// Tells the operator of a release of which every service has the same version.
fn learn_release(cluster: &Cluster, version: &str, reachable_from: &str) -> Result<()> {
    let services = BTreeMap::from(SERVICES.map(|service| (service, version)));
    let release = json!({"version": version, "reachableFrom": reachable_from, "services": services});
    let releases = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bigtix-releases"},
        "data": {format!("{version}.json"): release.to_string()}});
    cluster.within(SYSTEM).apply(&releases)
}
