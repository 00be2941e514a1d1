//! A shop whose events are spread over two partitions: the shop's own store, and a mongod beside it that dies.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bigtix_contracts::api::orders::Order;
use bigtix_contracts::api::tickets::{Event, Ticket};
use bigtix_contracts::{Cents, OrderId, TicketId};
use bigtix_testkit::eventually;
use bigtix_testkit::stores::{HeldPort, Mongod, StoresConfig};
use bigtix_tests::shop::{further_partition, kill};
use bigtix_tests::world::Crowd;
use bigtix_tests::{Mode, Person, Shop, World};
use futures::future::join_all;
use serde_json::{Value, json};

/// How many tickets an event has for a crowd.
const TICKETS: usize = 20;

/// Runs it all, with a shop of its own.
pub(crate) fn two_partitions_sell_side_by_side_and_one_outlives_the_other() -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let config = beside(folder.path())?;
        let second = Mongod::start(&config).await.map_err(|error| error.to_string())?;
        let uri = second.admin_uri();
        let shop = Shop::start(Mode::Separate { instances: 2 }, &further_partition(&uri))
            .map_err(|error| error.to_string())?;
        let world = World::new(Arc::new(shop), Crowd::default());
        let events = an_event_of_each(&world).await;
        a_crowd_gets_each_ticket_once(&world, &events).await;
        what_becomes_of_orders_is_shown_everywhere(&world, &events).await;
        instances_that_die_find_everything_again(&world, &events).await;
        let second =
            a_partition_that_is_away_takes_nothing_else_with_it(&world, &events, second, &config).await;
        world.shop().stop().await;
        second.stop().await;
        Ok(())
    })
}

/// A mongod that keeps its port when it is started again.
fn beside(folder: &Path) -> Result<StoresConfig, String> {
    let port = HeldPort::find().map_err(|error| error.to_string())?;
    let mut config = StoresConfig::new(folder, ["orders"]);
    config.mongodb_port = Some(port.number());
    Ok(config)
}

fn partition_of(order: OrderId) -> u8 {
    order.bytes()[4]
}

/// An event of each partition, by its number, with their seller.
struct Events {
    seller: Person,
    events: [Event; 2],
}

impl Events {
    async fn list(&self, number: usize) -> Ticket {
        let listed = self.seller.lists_for(&self.events[number], 1, Cents(2000)).await;
        listed.into_iter().next().expect("a ticket")
    }
}

/// Which partition an event belongs to is seen by the first order of it.
async fn an_event_of_each(world: &World) -> Events {
    let (seller, buyer) = world.two_people().await;
    let mut found: [Option<Event>; 2] = [None, None];
    while found.iter().any(Option::is_none) {
        let event = seller.adds_an_event("Somewhere").await;
        let ticket = &seller.lists_for(&event, 1, Cents(2000)).await[0];
        let order = buyer.reserves(ticket.id).await;
        found[usize::from(partition_of(order.id))] = Some(event);
    }
    Events {
        seller,
        events: found.map(|event| event.expect("both were found")),
    }
}

async fn wants(world: &World, buyer: &Person, wish: Value) -> bigtix_tests::Answer {
    world.post("/api/orders").by(buyer).json(wish).send().await
}

async fn is_shown(world: &World, ticket: TicketId, status: &str) {
    let path = format!("/api/tickets/{ticket}");
    eventually(&format!("{ticket} to be shown as {status}"), async || {
        (world.get(&path).await.is(200).string("/status") == status).then_some(())
    })
    .await;
}

async fn a_crowd_gets_each_ticket_once(world: &World, events: &Events) {
    for event in &events.events {
        events.seller.lists_for(event, TICKETS, Cents(2000)).await;
    }
    let buyers = world.people(4 * TICKETS).await;
    let asks = buyers.iter().enumerate().map(|(n, buyer)| {
        let event = events.events[n % 2].id;
        wants(world, buyer, json!({"eventId": event, "quantity": 1}))
    });
    let answers = join_all(asks).await;
    let mut sold = BTreeSet::new();
    for answer in answers {
        match answer.status {
            201 => assert!(
                sold.insert(answer.string("/ticket/id")),
                "a ticket is in two orders"
            ),
            _ => drop(answer.refuses(400, "Sold out")),
        }
    }
    assert_eq!(sold.len(), 2 * TICKETS);
    for ticket in sold {
        is_shown(world, ticket.parse().expect("an id"), "reserved").await;
    }
}

/// Paid, given up, and edited before it is bought, in each partition; and all of it in one list.
async fn what_becomes_of_orders_is_shown_everywhere(world: &World, events: &Events) {
    let buyer = world.person().await;
    let mut expected: Vec<(OrderId, &str)> = Vec::new();
    for number in 0..2 {
        let (paid, given_up, edited) =
            futures::join!(events.list(number), events.list(number), events.list(number));
        let (order, _) = buyer.buys(world, paid.id).await;
        expected.push((order.id, "complete"));
        is_shown(world, paid.id, "sold").await;

        let order = buyer.reserves(given_up.id).await;
        buyer.client.cancel_order(order.id).await.expect("a cancellation");
        expected.push((order.id, "cancelled"));
        is_shown(world, given_up.id, "available").await;

        let path = format!("/api/tickets/{}", edited.id);
        let edit = || {
            world
                .patch(&path)
                .by(&events.seller)
                .json(json!({"price": 30}))
                .send()
        };
        edit().await.is(200);
        let order = buyer.reserves(edited.id).await;
        assert_eq!(order.total.0, Cents(3000));
        edit().await.refuses(400, "Cannot edit a reserved ticket");
        expected.push((order.id, "created"));
        assert_eq!(usize::from(partition_of(order.id)), number);
    }
    let list = world.get("/api/orders").by(&buyer).await;
    let orders = list.is(200).json.as_array().cloned().unwrap_or_default();
    let listed: Vec<_> = orders
        .iter()
        .rev()
        .map(|order| (text(order, "id"), text(order, "status")))
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(id, status)| (id.to_string(), (*status).to_owned()))
        .collect();
    assert_eq!(listed, expected);
}

fn text(order: &Value, name: &str) -> String {
    order[name].as_str().unwrap_or_default().to_owned()
}

async fn instances_that_die_find_everything_again(world: &World, events: &Events) {
    let (buyer, rival) = world.two_people().await;
    let mut held: Vec<(Ticket, Order)> = Vec::new();
    for number in 0..2 {
        let ticket = events.list(number).await;
        let order = buyer.reserves(ticket.id).await;
        held.push((ticket, order));
    }
    for instance in &world.shop().run_now().services["orders"].instances {
        kill(instance.pid);
    }
    for (ticket, order) in held {
        let path = format!("/api/orders/{}", order.id);
        eventually("orders to be back", async || {
            let answer = world.get(&path).by(&buyer).await;
            (answer.status == 200).then(|| assert_eq!(answer.string("/status"), "created"))
        })
        .await;
        let refused = wants(world, &rival, json!({"ticketId": ticket.id})).await;
        refused.refuses(400, "Ticket is already reserved");
    }
}

/// The first partition sells, and says so, while the second one's store is gone; that one loses nothing.
async fn a_partition_that_is_away_takes_nothing_else_with_it(
    world: &World,
    events: &Events,
    second: Mongod,
    config: &StoresConfig,
) -> Mongod {
    let (buyer, rival) = world.two_people().await;
    let (held, free) = (events.list(1).await, events.list(1).await);
    let order = buyer.reserves(held.id).await;
    second.stop().await;
    let ticket = events.list(0).await;
    let away = async {
        let answer = wants(world, &buyer, json!({"ticketId": free.id})).await;
        assert_eq!(answer.status, 503, "{answer}");
    };
    let there = async {
        buyer.buys(world, ticket.id).await;
        is_shown(world, ticket.id, "sold").await;
    };
    futures::join!(away, there);

    let second = Mongod::start(config).await.expect("the store again");
    eventually("the second partition to sell again", async || {
        (wants(world, &buyer, json!({"ticketId": free.id})).await.status == 201).then_some(())
    })
    .await;
    is_shown(world, free.id, "reserved").await;
    let shown = buyer.client.order(order.id).await.expect("the order");
    assert_eq!(json!(shown.status), "created");
    let refused = wants(world, &rival, json!({"ticketId": held.id})).await;
    refused.refuses(400, "Ticket is already reserved");
    second
}
