//! What others learn of users.

use std::sync::{Arc, Mutex};

use bigtix_contracts::events::{Envelope, UserState};
use bigtix_service::Settings;
use bigtix_service::inbox::{HandlerError, Subscription};
use bigtix_service::nats::{Bus, NatsConfig};
use bigtix_testkit::eventually;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_is_told_without_the_password() {
    let house = House::open().await;
    let id = house.sign_up("ann@example.com").await.body["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let heard: Arc<Mutex<Vec<Envelope<UserState>>>> = Arc::default();
    let subscription = Subscription::new("tests-users", {
        let heard = heard.clone();
        move |events: Vec<Envelope<UserState>>| {
            heard.lock().unwrap().extend(events);
            async { Ok::<(), HandlerError>(()) }
        }
    });
    let mut settings = Settings::from_map(house.values.clone());
    let bus = Bus::connect(&NatsConfig::read(&mut settings), "tests")
        .await
        .unwrap();
    let listening = tokio::spawn(subscription.run(house.mongo().await, bus, Default::default()));
    let event = eventually("the event of the sign-up", async || {
        heard.lock().unwrap().first().cloned()
    })
    .await;
    listening.abort();
    assert_eq!((event.event_type.as_str(), event.version), ("user.created", 0));
    assert_eq!(
        (event.data.id.to_string(), event.data.email.as_str()),
        (id, "ann@example.com")
    );
    assert!(!serde_json::to_string(&event).unwrap().contains("argon2"));
    house.close().await;
}
