//! `bigtix dead-letters` against a shop that runs: what can be handled is, and goes; what cannot stays.

use bigtix_service::Secret;
use bigtix_service::mongo::{Mongo, MongoConfig};
use bigtix_testkit::eventually;
use bson::doc;

use crate::machine::Machine;

const EVENT: &str = include_str!("../../../sdk/contracts/fixtures/events/orders.order.created.1.json");

async fn bury(mongo: &Mongo, message: &str, event: &str) {
    let letter = doc! {
        "_id": format!("tickets-orders/{message}"), "consumer": "tickets-orders", "subject": "orders.order.x",
        "event": event, "error": "it could not be read", "at": bson::DateTime::now(), "attempts": 1_i64, "replay": false,
    };
    mongo.collection("dead_letters").insert_one(letter).await.unwrap();
}

#[tokio::test]
async fn a_dead_letter_is_shown_and_replayed() {
    let machine = Machine::new();
    let up = machine.bigtix(&["up", "--detach", "--port", "0"]);
    assert_eq!(up.code, 0, "{up:?}");
    let none = machine.bigtix(&["dead-letters", "list"]);
    assert_eq!(none.stdout.trim(), "There are no dead letters", "{none:?}");

    let run = machine.run_file().unwrap();
    let config = MongoConfig {
        uri: Secret::new(run["mongodb"]["uri"].as_str().unwrap().to_owned()),
        database: "tickets".to_owned(),
    };
    let mongo = Mongo::connect(&config).await.unwrap();
    bury(&mongo, "whole", EVENT).await;
    bury(&mongo, "broken", "{\"id\":").await;
    let both = machine.bigtix(&["dead-letters", "list"]).stdout;
    for id in ["tickets/tickets-orders/whole", "tickets/tickets-orders/broken"] {
        assert!(both.contains(id), "{both}");
    }
    assert!(
        both.contains("failed 1 times") && both.contains("it could not be read"),
        "{both}"
    );

    let unknown = machine.bigtix(&["dead-letters", "replay", "tickets/tickets-orders/other"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown
            .stderr
            .contains("there is no dead letter tickets/tickets-orders/other"),
        "{unknown:?}"
    );
    let replay = machine.bigtix(&["dead-letters", "replay"]);
    assert_eq!(
        replay.stdout.trim(),
        "2 dead letters are handled once more",
        "{replay:?}"
    );
    eventually(
        "the readable letter to go and the other to fail again",
        async || {
            let left = machine.bigtix(&["dead-letters", "list"]).stdout;
            (!left.contains("/whole") && left.contains("failed 2 times")).then_some(())
        },
    )
    .await;
}
