//! The way in.

use serde_json::{Value, json};

use crate::shops::{example, find, kinds, list, objects, of_kind, shop, text};

fn routes(objects: &[Value]) -> Vec<(String, String)> {
    let paths = &find(objects, "Ingress", "shop")["spec"]["rules"][0]["http"]["paths"];
    let route = |path: &Value| {
        (
            text(&path["path"]).to_owned(),
            text(&path["backend"]["service"]["name"]).to_owned(),
        )
    };
    list(paths).map(route).collect()
}

#[test]
fn what_the_release_has_can_be_reached() {
    let built = routes(&objects(&example("minimal")));
    assert!(built.contains(&("/api/orders".to_owned(), "shop-orders".to_owned())));
    assert!(built.contains(&("/".to_owned(), "shop-web".to_owned())));
}

#[test]
fn no_ingress_is_built_where_none_is_wanted() {
    let objects = objects(&shop(json!({"ingress": {"enabled": false}})));
    assert!(of_kind(&objects, "Ingress").is_empty());
}

#[test]
fn a_certificate_comes_from_where_the_owner_says() {
    let production = objects(&example("production"));
    let ingress = find(&production, "Ingress", "shop");
    assert_eq!(
        ingress["metadata"]["annotations"]["cert-manager.io/cluster-issuer"],
        "letsencrypt"
    );
    let tls = json!([{"hosts": ["tickets.example.com"], "secretName": "shop-tls"}]);
    assert_eq!(
        (&ingress["spec"]["tls"], &ingress["spec"]["ingressClassName"]),
        (&tls, &json!("nginx"))
    );
    let minimal = objects(&example("minimal"));
    let ingress = find(&minimal, "Ingress", "shop");
    assert!(ingress["spec"]["tls"].is_null() && ingress["metadata"]["annotations"].is_null());
}

#[test]
fn the_owners_annotations_win() {
    let (_, platform) = kinds()
        .into_iter()
        .find(|(kind, _)| *kind == "balanced by aws")
        .expect("there is one");
    let objects = objects(&platform);
    let ingress = find(&objects, "Ingress", "shop");
    let annotations = ingress["metadata"]["annotations"]
        .as_object()
        .expect("annotations");
    let annotation = |name: &str| {
        annotations
            .get(&format!("alb.ingress.kubernetes.io/{name}"))
            .map(text)
    };
    assert_eq!(annotation("healthcheck-path"), Some("/livez"));
    assert_eq!(annotation("target-type"), Some("ip"));
    assert_eq!(annotation("ssl-redirect"), Some("443"));
    assert!(annotation("certificate-arn").is_some_and(|arn| arn.starts_with("arn:aws:acm:")));
    assert!(ingress["spec"]["tls"].is_null());
}
