//! What services and the edge say of themselves.

use bigtix_tests::suite::Scenario;
use bigtix_tests::{Ask, World, scenarios};
use reqwest::Method;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    every_service_says_how_it_is,
    the_edge_serves_the_documents,
    calls_between_services_are_not_routed,
];

async fn every_service_says_how_it_is(world: World) {
    for (name, facts) in &world.shop().run().services {
        for instance in &facts.instances {
            let get = |path: &str| Ask::new(Method::GET, format!("{}{path}", instance.url));
            get("/livez").await.is(200);
            get("/readyz").await.is(200);
            let version = get("/version").await.is(200);
            version.has_exactly(&["service", "version", "revision"]);
            assert_eq!(&version.string("/service"), name);
            assert_eq!(version.string("/version"), facts.version);
            let metrics = get("/metrics").await.is(200);
            assert!(metrics.text.contains("http_requests_total"), "{metrics}");
            if name != "expiration" && name != "web" {
                let document = get("/openapi.json").await.is(200);
                assert!(document.json["paths"].is_object(), "{document}");
            }
        }
    }
    let instances = match world.shop().mode() {
        bigtix_tests::Mode::OneProcess => 1,
        bigtix_tests::Mode::Separate { instances } => instances,
    };
    for service in bigtix_tests::shop::SERVICES {
        assert_eq!(
            world.shop().service_pids(service).len(),
            instances,
            "instances of {service}"
        );
    }
}

async fn the_edge_serves_the_documents(world: World) {
    let page = world.get("/api/docs").await.is(200);
    let content_type = page.header("content-type").unwrap_or_default();
    assert!(content_type.starts_with("text/html"), "{content_type}");
    for service in ["auth", "tickets", "orders", "payments"] {
        let document = world.get(&format!("/api/docs/{service}.json")).await.is(200);
        let paths = document.json["paths"].as_object().expect("paths");
        assert!(!paths.is_empty());
        let version = &world.shop().run().services[service].version;
        assert_eq!(&document.string("/info/version"), version);
    }
    world
        .get("/api/docs/nothing.json")
        .await
        .refuses(404, "Not found");
}

async fn calls_between_services_are_not_routed(world: World) {
    let person = world.person().await;
    for path in [
        "/internal/claim",
        "/internal/orders/claim",
        "/claim",
        "/api/orders/internal/claim",
    ] {
        let answer = world.post(path).by(&person).json(serde_json::json!({})).await;
        assert!(matches!(answer.status, 404 | 405), "{answer}");
    }
}
