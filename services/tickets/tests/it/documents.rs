//! What is generated from the service.

use bigtix_testkit::golden::generated;

use crate::market::Market;

#[test]
fn generated_openapi_is_current() {
    let mut text = bigtix_tickets::openapi().to_pretty_json().unwrap();
    text.push('\n');
    generated("sdk/openapi/tickets.json", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_serves_its_description_and_its_operations() {
    let market = Market::open().await;
    let served = market.get("/openapi.json").await.ok(200);
    assert_eq!(served, serde_json::to_value(bigtix_tickets::openapi()).unwrap());
    assert_eq!(market.get("/version").await.ok(200)["service"], "tickets");
    assert_eq!(market.get("/readyz").await.status, 200);
    assert_eq!(
        market.get("/api/tickets/a/b/c").await.message(),
        (404, "Not found")
    );
    market.close().await;
}
