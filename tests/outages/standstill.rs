//! Redis, NATS and the expiration service are told to stand still, and a shop goes on selling.

use bigtix_contracts::Cents;
use bigtix_testkit::eventually;
use bigtix_tests::shop::{Paused, kill};
use bigtix_tests::suite::Scenario;
use bigtix_tests::{Mode, World, scenarios};
use serde_json::json;

use crate::expiry::until_expired;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    a_cancelled_ticket_is_free_at_once,
    an_expired_ticket_is_free_at_once,
    an_order_is_paid,
    what_happened_meanwhile_arrives_afterwards,
    a_killed_store_comes_back,
];

/// Redis and NATS, and the expiration service where it has processes of its own.
fn stand_still(world: &World) -> Paused {
    let run = world.shop().run_now();
    let mut pids = vec![run.redis.pid, run.nats.pid];
    if let Mode::Separate { .. } = world.shop().mode() {
        let instances = &run.services["expiration"].instances;
        pids.extend(instances.iter().map(|instance| instance.pid));
    }
    Paused::processes(pids)
}

async fn a_cancelled_ticket_is_free_at_once(world: World) {
    let (seller, buyer) = world.two_people().await;
    let late = world.person().await;
    let paused = stand_still(&world);
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    buyer.client.cancel_order(order.id).await.expect("a cancellation");
    late.reserves(ticket.id).await;
    drop(paused);
}

async fn an_expired_ticket_is_free_at_once(world: World) {
    let (seller, buyer) = world.two_people().await;
    let late = world.person().await;
    let paused = stand_still(&world);
    let ticket = seller.lists(Cents(2000)).await;
    let order = buyer.reserves(ticket.id).await;
    let shown = until_expired(&world, &buyer, order.id).await;
    assert_eq!(shown.string("/reason"), "expired");
    late.reserves(ticket.id).await;
    drop(paused);
}

async fn an_order_is_paid(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let paused = stand_still(&world);
    let (order, _) = buyer.buys(&world, ticket.id).await;
    let shown = buyer.client.order(order.id).await.expect("the order");
    assert_eq!(json!(shown.status), "complete");
    let place = world
        .post("/api/orders")
        .by(&seller)
        .json(json!({"ticketId": ticket.id}));
    place.await.is(400);
    drop(paused);
}

async fn what_happened_meanwhile_arrives_afterwards(world: World) {
    let (seller, buyer) = world.two_people().await;
    let event = seller.adds_an_event("Meanwhile").await;
    let paused = stand_still(&world);
    let tickets = seller.lists_for(&event, 2, Cents(2000)).await;
    buyer.buys(&world, tickets[0].id).await;
    drop(paused);
    let path = format!("/api/tickets/{}", tickets[0].id);
    eventually("the ticket to be shown as sold", async || {
        (world.get(&path).await.is(200).string("/status") == "sold").then_some(())
    })
    .await;
    let order = json!({"eventId": event.id, "quantity": 1});
    world.post("/api/orders").by(&buyer).json(order).await.is(201);
}

/// What was answered stays true over the death of the bus, and `bigtix up` starts it again.
async fn a_killed_store_comes_back(world: World) {
    let (seller, buyer) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    let run = world.shop().run_now();
    kill(run.nats.pid);
    kill(run.redis.pid);
    buyer.buys(&world, ticket.id).await;
    let path = format!("/api/tickets/{}", ticket.id);
    eventually("the ticket to be shown as sold", async || {
        (world.get(&path).await.is(200).string("/status") == "sold").then_some(())
    })
    .await;
}
