//! What is generated from the service.

use bigtix_testkit::golden::generated;

#[test]
fn generated_openapi_is_current() {
    let mut text = bigtix_orders::openapi().to_pretty_json().unwrap();
    text.push('\n');
    generated("sdk/openapi/orders.json", &text);
}
