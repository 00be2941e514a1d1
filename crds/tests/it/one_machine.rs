//! What `bigtix up` ignores.

use crate::files::{bigtix, read};
use bigtix_crds::{ignored_on_one_machine, parse};
use serde_json::json;

#[test]
fn only_what_was_set_is_named() {
    let minimal = parse(&read("examples/minimal.yaml")).expect("a resource");
    assert_eq!(ignored_on_one_machine(&minimal), Vec::<String>::new());
    let shop = bigtix(json!({
        "reservationSeconds": 3,
        "services": {
            "web": {"replicas": 2, "resources": {"requests": {"cpu": 1}}, "env": [
                {"name": "A", "value": "b"},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
            ]},
            "orders": {"autoscaling": {"minReplicas": 1, "maxReplicas": 2}},
        },
        "mongodb": {"managed": {"storage": {"size": "10Gi"}}},
        "nats": {"external": {"secretName": "nats"}},
        "redis": {"managed": {}},
        "ingress": {"className": "nginx", "annotations": {"a": "b"}},
        "networkPolicy": {"enabled": false},
        "observability": {"otlpEndpoint": "http://x", "alerts": true},
    }));
    assert_eq!(
        ignored_on_one_machine(&shop),
        [
            "spec.ingress.annotations",
            "spec.ingress.className",
            "spec.mongodb.managed.storage.size",
            "spec.nats.external",
            "spec.networkPolicy.enabled",
            "spec.observability.alerts",
            "spec.services.orders.autoscaling",
            "spec.services.web.env[1].valueFrom",
            "spec.services.web.resources.requests.cpu",
        ]
    );
}
