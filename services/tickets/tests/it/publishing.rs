//! What others learn of tickets.

use std::sync::{Arc, Mutex};

use bigtix_contracts::events::{Envelope, TicketState};
use bigtix_service::inbox::{HandlerError, Subscription};
use bigtix_testkit::eventually;
use reqwest::Method;
use serde_json::json;

use crate::market::{Market, ticket_id};

#[tokio::test(flavor = "multi_thread")]
async fn the_last_state_of_a_ticket_reaches_everybody() {
    let market = Market::open().await;
    let seller = market.person();
    let heard: Arc<Mutex<Vec<Envelope<TicketState>>>> = Arc::default();
    let subscription = Subscription::new("tests-tickets", {
        let heard = heard.clone();
        move |events: Vec<Envelope<TicketState>>| {
            heard.lock().unwrap().extend(events);
            async { Ok::<(), HandlerError>(()) }
        }
    });
    let listening =
        tokio::spawn(subscription.run(market.mongo().await, market.bus().await, Default::default()));
    let ticket = market.list(&seller, json!({"title": "T", "price": 1})).await;
    let await_event = async |name: &str| {
        eventually(name, async || {
            heard
                .lock()
                .unwrap()
                .iter()
                .find(|event| event.event_type == name)
                .cloned()
        })
        .await
    };
    assert_eq!(await_event("ticket.created").await.version, 0);
    let path = format!("/api/tickets/{}", ticket["id"].as_str().unwrap());
    market
        .ask(
            &seller,
            Method::PUT,
            &path,
            Some(json!({"title": "T", "price": 2})),
        )
        .await
        .ok(200);
    let updated = await_event("ticket.updated").await;
    assert_eq!(
        (updated.version, updated.data.price.0, updated.data.id),
        (1, 200, ticket_id(&ticket))
    );
    market.ask(&seller, Method::DELETE, &path, None).await.ok(200);
    assert!(await_event("ticket.withdrawn").await.data.withdrawn);
    listening.abort();
    market.close().await;
}
