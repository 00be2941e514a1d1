//! What an operator of a shop relies on: who is not able to work says so.

use bigtix_testkit::eventually;
use serde_json::json;

use crate::machine::{self, Machine, hold, release};

#[tokio::test]
async fn a_service_whose_store_does_not_answer_is_not_ready() {
    let machine = Machine::new();
    let up = machine.bigtix(&["up", "--detach", "--separate", "--port", "0"]);
    assert_eq!(up.code, 0, "{up:?}");
    let run = machine.run_file().unwrap();
    let mongod = run["mongodb"]["pid"].as_u64().unwrap();
    let services = run["services"].as_object().unwrap();
    let url = |service: &str| format!("{}/readyz", services[service]["url"].as_str().unwrap());

    // The pages have no store: they say what is away.
    let with_stores = || services.keys().filter(|service| *service != "web");
    hold(mongod);
    for service in with_stores() {
        eventually(
            &format!("{service} says that it is not ready, and why"),
            async || {
                let (status, body) = machine::get(&url(service)).await;
                (status == 503 && body == json!({"ready": false, "reason": ["mongodb"]})).then_some(())
            },
        )
        .await;
        let live = machine::get(&url(service).replace("readyz", "livez")).await;
        assert_eq!(live.0, 200, "{service}: a restart would not help");
    }
    assert_eq!(machine::get(&url("web")).await.0, 200);
    release(mongod);
    for service in with_stores() {
        eventually(&format!("{service} is ready again"), async || {
            (machine::get(&url(service)).await.0 == 200).then_some(())
        })
        .await;
    }
}
