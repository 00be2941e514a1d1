//! More buyers than tickets.

use std::collections::{BTreeMap, BTreeSet};

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::world::{PASSWORD, unique};
use bigtix_tests::{Answer, World, scenarios};
use futures::future::join_all;
use serde_json::json;

use crate::rounds;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    of_fifty_buyers_one_gets_the_ticket,
    of_five_hundred_buyers_fifty_get_a_ticket_of_the_event,
    of_fifty_sign_ups_of_one_address_one_succeeds,
    a_buyer_who_asks_fifty_times_has_one_order,
    a_payment_that_is_asked_for_ten_times_is_made_once,
];

/// How often each outcome came: status, and the reason of a refusal.
fn tally(answers: &[Answer]) -> BTreeMap<(u16, String), usize> {
    let mut outcomes = BTreeMap::new();
    for answer in answers {
        let reason = match answer.status {
            400.. => answer.problem().message,
            _ => String::new(),
        };
        *outcomes.entry((answer.status, reason)).or_default() += 1;
    }
    outcomes
}

fn outcomes<const N: usize>(expected: [(u16, &str, usize); N]) -> BTreeMap<(u16, String), usize> {
    expected
        .into_iter()
        .map(|(status, reason, times)| ((status, reason.to_owned()), times))
        .collect()
}

async fn of_fifty_buyers_one_gets_the_ticket(world: World) {
    let seller = world.person().await;
    let buyers = world.people(50).await;
    for round in rounds(&world) {
        let ticket = seller.lists(Cents(2000)).await;
        let wants = |buyer| {
            world
                .post("/api/orders")
                .by(buyer)
                .json(json!({"ticketId": ticket.id}))
                .send()
        };
        let answers = join_all(buyers.iter().map(wants)).await;
        let expected = outcomes([(201, "", 1), (400, "Ticket is already reserved", 49)]);
        assert_eq!(tally(&answers), expected, "round {round}");
    }
}

async fn of_five_hundred_buyers_fifty_get_a_ticket_of_the_event(world: World) {
    let seller = world.person().await;
    let buyers = world.people(500).await;
    for round in rounds(&world) {
        let event = seller.adds_an_event(&format!("Round {round}")).await;
        seller.lists_for(&event, 50, Cents(2000)).await;
        let wish = json!({"eventId": event.id, "quantity": 1});
        let wants = |buyer| world.post("/api/orders").by(buyer).json(wish.clone()).send();
        let answers = join_all(buyers.iter().map(wants)).await;
        let expected = outcomes([(201, "", 50), (400, "Sold out", 450)]);
        assert_eq!(tally(&answers), expected, "round {round}");
        let got = answers.iter().filter(|answer| answer.status == 201);
        let tickets: BTreeSet<String> = got.map(|answer| answer.string("/ticket/id")).collect();
        assert_eq!(tickets.len(), 50, "each ticket once, round {round}");
    }
}

async fn of_fifty_sign_ups_of_one_address_one_succeeds(world: World) {
    for round in rounds(&world) {
        let body = json!({"email": format!("{}@people.test", unique("same")), "password": PASSWORD});
        let sign_up = |_| world.post("/api/users/signup").json(body.clone()).send();
        let answers = join_all((0..50).map(sign_up)).await;
        let expected = outcomes([(201, "", 1), (400, "Email in use", 49)]);
        assert_eq!(tally(&answers), expected, "round {round}");
    }
}

async fn a_buyer_who_asks_fifty_times_has_one_order(world: World) {
    let seller = world.person().await;
    for round in rounds(&world) {
        // Nobody may ask much more often than this within a second.
        let buyer = world.person().await;
        let ticket = seller.lists(Cents(2000)).await;
        let key = unique("key");
        let wants = |_| {
            world
                .post("/api/orders")
                .by(&buyer)
                .key(&key)
                .json(json!({"ticketId": ticket.id}))
                .send()
        };
        let answers = join_all((0..50).map(wants)).await;
        let orders: BTreeSet<String> = answers
            .into_iter()
            .map(|answer| answer.is(201).string("/id"))
            .collect();
        assert_eq!(orders.len(), 1, "round {round}");
    }
}

async fn a_payment_that_is_asked_for_ten_times_is_made_once(world: World) {
    let (seller, buyer) = world.two_people().await;
    for round in rounds(&world) {
        let ticket = seller.lists(Cents(2000)).await;
        let order = buyer.reserves(ticket.id).await;
        let card = world.good_card().await;
        let pay = |_| {
            world
                .post("/api/payments")
                .by(&buyer)
                .json(json!({"token": card, "orderId": order.id}))
                .send()
        };
        let mut charged = BTreeSet::new();
        for answer in join_all((0..10).map(pay)).await {
            match answer.status {
                201 => {
                    charged.insert(answer.string("/stripeId"));
                }
                _ => {
                    answer.refuses(400, "Order is already complete");
                }
            }
        }
        assert_eq!(charged.len(), 1, "round {round}");
    }
}
