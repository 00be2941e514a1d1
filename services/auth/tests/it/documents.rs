//! What is generated from the service.

use bigtix_testkit::golden::generated;
use reqwest::Method;

use crate::house::House;

#[test]
fn generated_openapi_is_current() {
    let mut text = bigtix_auth::openapi().to_pretty_json().unwrap();
    text.push('\n');
    generated("sdk/openapi/auth.json", &text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_serves_its_description_and_its_operations() {
    let house = House::open().await;
    let served = house.ask(Method::GET, "/openapi.json", &[], None).await;
    assert_eq!(served.body, serde_json::to_value(bigtix_auth::openapi()).unwrap());
    let version = house.ask(Method::GET, "/version", &[], None).await;
    assert_eq!(version.body["service"], "auth");
    assert_eq!(house.ask(Method::GET, "/readyz", &[], None).await.status, 200);
    assert_eq!(
        house
            .ask(Method::GET, "/api/users/nobody", &[], None)
            .await
            .errors(),
        (404, vec![("", "Not found")])
    );
    assert_eq!(
        house
            .ask(Method::GET, "/api/users/signup", &[], None)
            .await
            .status,
        405
    );
    house.close().await;
}
