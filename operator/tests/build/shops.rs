//! Shops of many kinds, and what is built of them.

use std::collections::BTreeMap;

use bigtix_crds::{Platform, Version, from_value, parse, validate};
use bigtix_operator::backups::facts::Task;
use bigtix_operator::backups::job::{Work, job};
use bigtix_operator::backups::location::Location;
use bigtix_operator::build::service::Running;
use bigtix_operator::build::{self, Child, Circumstances, Shop, TemplateSizes, mongodb};
use bigtix_operator::names;
use bigtix_testkit::golden::workspace_root;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::{Value, json};

pub(crate) const NAMESPACE: &str = "tickets";
pub(crate) const OPERATOR_NAMESPACE: &str = "bigtix-system";
pub(crate) const EXAMPLES: [&str; 3] = ["minimal", "production", "staged-rollout"];
/// As long as a name can be.
const LONG_NAME: &str = "a-shop-that-has-a-name-of-forty-letters-";

pub(crate) fn example(name: &str) -> Platform {
    let path = workspace_root().join(format!("examples/{name}.yaml"));
    let text = std::fs::read_to_string(path).expect("an example");
    validate(&parse(&text).expect("a resource")).expect("accepted")
}

pub(crate) fn shop(spec: Value) -> Platform {
    named("shop", spec)
}

fn resource(name: &str, mut spec: Value) -> bigtix_crds::BigTix {
    spec["version"] = json!("1.0.0");
    let resource = json!({
        "apiVersion": "bigtix.dev/v1alpha1",
        "kind": "BigTix",
        "metadata": {"name": name},
        "spec": spec,
    });
    from_value(resource).expect("a resource")
}

pub(crate) fn named(name: &str, spec: Value) -> Platform {
    validate(&resource(name, spec)).expect("accepted")
}

/// One of each kind that differs in what is built.
pub(crate) fn kinds() -> Vec<(&'static str, Platform)> {
    let mut kinds: Vec<_> = EXAMPLES.iter().map(|name| (*name, example(name))).collect();
    let external = |name: &str| json!({"external": {"secretName": name}});
    let specs = [
        (
            "external",
            json!({"mongodb": external("m"), "nats": external("n"), "redis": external("r")}),
        ),
        (
            "account",
            json!({
                "payments": {"secretName": "stripe", "apiURL": "http://stripe.example.com:8080"},
                "observability": {"otlpEndpoint": "http://collector.traces:80", "podMonitor": true, "alerts": true},
                "images": {"registry": "registry.example.com/tix", "pullSecrets": [{"name": "pull"}]},
            }),
        ),
        (
            "balanced by aws",
            json!({"ingress": {
                "className": "alb",
                "annotations": {"alb.ingress.kubernetes.io/healthcheck-path": "/livez"},
                "tls": {"mode": "ACM", "certificateARN": "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"},
            }}),
        ),
        (
            "importing",
            json!({
                "ingress": {"host": "x.example.com", "tls": {"mode": "Secret", "secretName": "certificate"}},
                "services": {"tickets": {"env": [
                    {"name": "TICKETMASTER_API_KEY", "valueFrom": {"secretKeyRef": {"name": "provider", "key": "k"}}},
                    {"name": "MONGODB_DATABASE", "value": "other"},
                {"name": "NATS_PREFIX", "value": ""},
                    {"name": "LOG", "valueFrom": {"configMapKeyRef": {"name": "logs", "key": "filter"}}},
                ]}},
                "networkPolicy": {"ingressNamespace": "ingress-nginx"},
            }),
        ),
        (
            "open",
            json!({"networkPolicy": {"enabled": false}, "ingress": {"enabled": false}}),
        ),
        (
            "backed up to a volume",
            json!({"backup": {"volume": {}}, "mongodb": external("m")}),
        ),
        ("monitored", json!({"observability": {"podMonitor": true}})),
        ("asleep", json!({"hibernate": true, "deletionPolicy": "Delete"})),
    ];
    kinds.extend(specs.map(|(name, spec)| (name, shop(spec))));
    let long = LONG_NAME.trim_end_matches('-').to_owned() + "x";
    kinds.push((
        "long",
        named(
            &long,
            json!({"profile": "Development", "nats": {"managed": {"replicas": 5}}}),
        ),
    ));
    kinds
}

/// Calls `look` with the shop.
pub(crate) fn in_place<T>(platform: &Platform, look: impl FnOnce(Shop<'_>) -> T) -> T {
    let owner = OwnerReference {
        api_version: "bigtix.dev/v1alpha1".to_owned(),
        kind: "BigTix".to_owned(),
        name: platform.name.to_string(),
        uid: "5e0f9d6c-0000-4000-8000-000000000001".to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    };
    look(Shop {
        platform,
        namespace: NAMESPACE,
        owner: &owner,
        operator_namespace: OPERATOR_NAMESPACE,
    })
}

pub(crate) fn children(platform: &Platform) -> Vec<Child> {
    let running: BTreeMap<_, _> = platform
        .services
        .iter()
        .map(|(service, workload)| {
            let replicas = match workload.replicas {
                _ if platform.hibernate => Some(0),
                bigtix_crds::platform::Replicas::Fixed(count) => Some(count),
                bigtix_crds::platform::Replicas::Autoscaled { .. } => None,
            };
            (
                service,
                Running {
                    image: &workload.image,
                    version: &workload.version,
                    replicas,
                },
            )
        })
        .collect();
    let circumstances = Circumstances {
        running: &running,
        session_digest: "0123456789abcdef",
        stripe_double_version: &Version::new(1, 0, 0),
        template_sizes: TemplateSizes::default(),
    };
    in_place(platform, |shop| build::all(shop, circumstances))
}

/// Every object, as the API gets it, the Jobs of a backup and of a restore among them.
pub(crate) fn objects(platform: &Platform) -> Vec<Value> {
    let children = children(platform);
    let children = children.iter().map(|child| child.to_value().expect("plain data"));
    let jobs = jobs(platform);
    let jobs = jobs.iter().map(|job| json!(job));
    children.chain(jobs).collect()
}

/// One for each thing that is done to an archive; none where the shop has no place for archives.
fn jobs(platform: &Platform) -> Vec<Job> {
    let Some(backup) = &platform.backup else {
        return Vec::new();
    };
    let uid = "5e0f9d6c-0000-4000-8000-000000000002";
    let location = Location::new(
        &backup.target,
        names::archives(platform),
        NAMESPACE,
        "before-the-sale",
        uid,
    );
    let owner = OwnerReference {
        api_version: "bigtix.dev/v1alpha1".to_owned(),
        kind: "BigTixBackup".to_owned(),
        name: "before-the-sale".to_owned(),
        uid: uid.to_owned(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    };
    let request = ObjectMeta {
        name: Some(owner.name.clone()),
        namespace: Some(NAMESPACE.to_owned()),
        uid: Some(uid.to_owned()),
        ..ObjectMeta::default()
    };
    let versions = mongodb::with_databases(platform).map(|service| (service, Version::new(1, 0, 0)));
    let versions: Vec<_> = versions.collect();
    let work = |task| Work {
        task,
        location: &location,
        request: &request,
        owner: owner.clone(),
        image: "ghcr.io/bigtix/operator:0.1.0",
        services: &versions,
    };
    in_place(platform, |shop| {
        [Task::Take, Task::Restore, Task::Delete]
            .map(|task| job(shop, &work(task)))
            .into()
    })
}

pub(crate) fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

pub(crate) fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    objects
        .iter()
        .find(is_it)
        .unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// The workloads, each with its pods' template.
pub(crate) fn workloads(objects: &[Value]) -> Vec<&Value> {
    let kinds = ["Deployment", "StatefulSet", "Job"];
    let is_workload = |object: &&Value| kinds.iter().any(|kind| object["kind"] == *kind);
    objects.iter().filter(is_workload).collect()
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// Containers of a workload's pods, those that run first included.
pub(crate) fn containers(workload: &Value) -> impl Iterator<Item = &Value> {
    let pod = &workload["spec"]["template"]["spec"];
    list(&pod["initContainers"]).chain(list(&pod["containers"]))
}

/// Calls `see` with every text below `value` and the names that lead to it.
pub(crate) fn texts(value: &Value, path: &str, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => see(path, text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, path, see)),
        Value::Object(fields) => {
            for (name, field) in fields {
                texts(field, &format!("{path}.{name}"), see);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
