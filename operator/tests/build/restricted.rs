//! Every pod passes what Kubernetes calls the restricted Pod Security Standard, and a little more.

use serde_json::{Value, json};

use crate::shops::{containers, kinds, list, objects, workloads};

/// Kinds of volumes that the standard allows.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// What the standard has against a pod.
fn objections(template: &Value) -> Vec<String> {
    let pod = &template["spec"];
    let mut objections = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            objections.push(what.to_owned());
        }
    };
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        demand(pod[field] != true, field);
    }
    for volume in list(&pod["volumes"]) {
        let kinds = volume
            .as_object()
            .expect("a volume")
            .keys()
            .filter(|key| *key != "name");
        demand(
            kinds.clone().all(|kind| VOLUMES.contains(&kind.as_str())),
            "a kind of volume",
        );
    }
    let security = &pod["securityContext"];
    demand(security["seccompProfile"]["type"] == "RuntimeDefault", "seccomp");
    demand(security["runAsNonRoot"] == true, "runAsNonRoot");
    demand(security["runAsUser"] != 0, "runAsUser");
    demand(security["sysctls"].is_null(), "sysctls");
    for container in list(&pod["initContainers"]).chain(list(&pod["containers"])) {
        let security = &container["securityContext"];
        demand(security["allowPrivilegeEscalation"] == false, "escalation");
        demand(security["privileged"] != true, "privileged");
        demand(security["capabilities"]["drop"] == json!(["ALL"]), "capabilities");
        demand(security["capabilities"]["add"].is_null(), "added capabilities");
        demand(security["procMount"].is_null(), "procMount");
        for field in ["runAsNonRoot", "runAsUser", "seccompProfile", "seLinuxOptions"] {
            demand(security[field].is_null(), field);
        }
        demand(
            list(&container["ports"]).all(|port| port["hostPort"].is_null()),
            "hostPort",
        );
    }
    objections
}

#[test]
fn every_pod_is_restricted() {
    for (kind, platform) in kinds() {
        let objects = objects(&platform);
        for workload in workloads(&objects) {
            let found = objections(&workload["spec"]["template"]);
            assert!(
                found.is_empty(),
                "{kind}: {}: {found:?}",
                workload["metadata"]["name"]
            );
        }
    }
}

#[test]
fn the_standard_is_checked_at_all() {
    let objects = objects(&crate::shops::example("minimal"));
    let template = &workloads(&objects)[0]["spec"]["template"];
    for (path, value) in [
        ("/spec/securityContext/runAsNonRoot", json!(false)),
        ("/spec/securityContext/seccompProfile", json!(null)),
        ("/spec/containers/0/securityContext/capabilities/drop", json!([])),
        ("/spec/containers/0/securityContext/privileged", json!(true)),
        (
            "/spec/initContainers/0/securityContext/allowPrivilegeEscalation",
            json!(null),
        ),
        ("/spec/volumes/0", json!({"name": "x", "hostPath": {"path": "/"}})),
    ] {
        let mut worse = template.clone();
        *worse.pointer_mut(path).expect("it is there") = value;
        assert!(!objections(&worse).is_empty(), "{path}");
    }
}

#[test]
fn no_pod_writes_to_its_image_or_speaks_to_the_api() {
    for (kind, platform) in kinds() {
        let objects = objects(&platform);
        for workload in workloads(&objects) {
            let (name, pod) = (
                &workload["metadata"]["name"],
                &workload["spec"]["template"]["spec"],
            );
            assert_eq!(pod["automountServiceAccountToken"], false, "{kind}: {name}");
            assert_eq!(pod["enableServiceLinks"], false, "{kind}: {name}");
            for container in containers(workload) {
                assert_eq!(
                    container["securityContext"]["readOnlyRootFilesystem"], true,
                    "{kind}: {name}"
                );
                assert!(
                    container["resources"]["requests"]["memory"].is_string(),
                    "{kind}: {name}"
                );
                assert!(
                    container["resources"]["requests"]["cpu"].is_string(),
                    "{kind}: {name}"
                );
            }
        }
    }
}
