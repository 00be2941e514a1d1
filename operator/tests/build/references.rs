//! Whatever an object names is built, or is listed among what has to be there.

use std::collections::{BTreeMap, BTreeSet};

use bigtix_crds::Platform;
use bigtix_operator::build::secrets;
use serde_json::Value;

use crate::shops::{containers, find, in_place, kinds, list, objects, of_kind, text, workloads};

/// Secrets that a shop's owner keeps, by name.
fn owners(platform: &Platform) -> BTreeSet<&'static str> {
    let all = [
        "m",
        "n",
        "r",
        "stripe",
        "provider",
        "pull",
        "certificate",
        "backup-bucket",
    ];
    let spelt = format!("{platform:?}");
    all.into_iter()
        .filter(|name| spelt.contains(&format!("\"{name}\"")))
        .collect()
}

/// Every entry of a Secret that pods read.
fn read_entries(objects: &[Value]) -> BTreeSet<(String, String)> {
    let mut entries = BTreeSet::new();
    for workload in workloads(objects) {
        for variable in containers(workload).flat_map(|container| list(&container["env"])) {
            let reference = &variable["valueFrom"]["secretKeyRef"];
            if reference.is_object() {
                entries.insert((
                    text(&reference["name"]).to_owned(),
                    text(&reference["key"]).to_owned(),
                ));
            }
        }
        for volume in list(&workload["spec"]["template"]["spec"]["volumes"]) {
            for item in list(&volume["secret"]["items"]) {
                let name = text(&volume["secret"]["secretName"]).to_owned();
                entries.insert((name, text(&item["key"]).to_owned()));
            }
        }
    }
    entries
}

#[test]
fn every_entry_of_a_secret_that_is_read_is_listed() {
    for (kind, platform) in kinds() {
        let listed: BTreeMap<_, _> = in_place(&platform, secrets::own)
            .into_iter()
            .map(|secret| (secret.name, secret.entries))
            .collect();
        let owners = owners(&platform);
        for (name, key) in read_entries(&objects(&platform)) {
            let is_listed = listed.get(&name).is_some_and(|entries| entries.contains(&key));
            assert!(
                is_listed || owners.contains(name.as_str()),
                "{kind}: {key} of {name}"
            );
        }
    }
}

#[test]
fn every_entry_that_is_listed_is_read() {
    for (kind, platform) in kinds() {
        let read = read_entries(&objects(&platform));
        for secret in in_place(&platform, secrets::own) {
            for entry in secret.entries {
                // One server alone has no routes, and it is the operator who needs the password of Redis as such.
                let is_for_later = ["routes", "password"].contains(&entry.as_str());
                let is_read = read.contains(&(secret.name.clone(), entry.clone()));
                assert!(is_read || is_for_later, "{kind}: {entry} of {}", secret.name);
            }
        }
    }
}

#[test]
fn accounts_configurations_and_volumes_exist() {
    for (kind, platform) in kinds() {
        let objects = objects(&platform);
        for workload in workloads(&objects) {
            let pod = &workload["spec"]["template"]["spec"];
            find(&objects, "ServiceAccount", text(&pod["serviceAccountName"]));
            let mut volumes: BTreeSet<_> = list(&pod["volumes"])
                .map(|volume| text(&volume["name"]))
                .collect();
            let claims = list(&workload["spec"]["volumeClaimTemplates"]);
            volumes.extend(claims.map(|claim| text(&claim["metadata"]["name"])));
            let mut mounted = BTreeSet::new();
            for mount in containers(workload).flat_map(|container| list(&container["volumeMounts"])) {
                mounted.insert(text(&mount["name"]));
            }
            assert_eq!(volumes, mounted, "{kind}: {}", workload["metadata"]["name"]);
            for volume in list(&pod["volumes"]).filter(|volume| volume["configMap"].is_object()) {
                let built = find(&objects, "ConfigMap", text(&volume["configMap"]["name"]));
                assert!(built["data"].is_object(), "{kind}");
            }
        }
    }
}

#[test]
fn ports_that_are_named_are_open() {
    for (kind, platform) in kinds() {
        let objects = objects(&platform);
        for workload in workloads(&objects) {
            for container in containers(workload) {
                let open: BTreeSet<_> = list(&container["ports"])
                    .map(|port| text(&port["name"]))
                    .collect();
                for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
                    for action in ["httpGet", "tcpSocket"] {
                        let port = &container[probe][action]["port"];
                        assert!(port.is_null() || open.contains(text(port)), "{kind}: {port}");
                    }
                }
            }
        }
        for service in of_kind(&objects, "Service") {
            let workload = behind(&objects, service);
            let open: BTreeMap<_, _> = containers(workload)
                .flat_map(|container| list(&container["ports"]))
                .map(|port| (text(&port["name"]), &port["containerPort"]))
                .collect();
            for port in list(&service["spec"]["ports"]) {
                let number = open.get(text(&port["targetPort"])).copied();
                assert_eq!(
                    number,
                    Some(&port["port"]),
                    "{kind}: {}",
                    service["metadata"]["name"]
                );
            }
        }
    }
}

fn behind<'a>(objects: &'a [Value], service: &Value) -> &'a Value {
    let is_behind =
        |workload: &&Value| workload["spec"]["selector"]["matchLabels"] == service["spec"]["selector"];
    workloads(objects)
        .into_iter()
        .find(is_behind)
        .expect("a Service has pods")
}

#[test]
fn stateful_sets_and_autoscalers_name_what_is_built() {
    for (_, platform) in kinds() {
        let objects = objects(&platform);
        for set in of_kind(&objects, "StatefulSet") {
            let service = find(&objects, "Service", text(&set["spec"]["serviceName"]));
            assert_eq!(service["spec"]["clusterIP"], "None");
            assert_eq!(service["spec"]["publishNotReadyAddresses"], true);
        }
        for scaler in of_kind(&objects, "HorizontalPodAutoscaler") {
            let target = find(
                &objects,
                "Deployment",
                text(&scaler["spec"]["scaleTargetRef"]["name"]),
            );
            assert!(target["spec"]["replicas"].is_null());
        }
        for ingress in of_kind(&objects, "Ingress") {
            for path in list(&ingress["spec"]["rules"][0]["http"]["paths"]) {
                let backend = &path["backend"]["service"];
                let service = find(&objects, "Service", text(&backend["name"]));
                let mut ports = list(&service["spec"]["ports"]);
                assert!(ports.any(|port| port["name"] == backend["port"]["name"]));
            }
        }
    }
}
