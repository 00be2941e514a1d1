//! A seller who changes a ticket while a buyer reserves it.

use bigtix_contracts::Cents;
use bigtix_tests::suite::Scenario;
use bigtix_tests::{World, scenarios};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::rounds;

pub(crate) const ALL: &[(&str, Scenario)] = scenarios![
    an_order_of_three_with_one_taken_leaves_the_others_free,
    orders_that_share_tickets_never_share_one,
    an_edit_and_a_reservation_never_both_win_on_old_terms,
    a_withdrawal_and_a_reservation_never_both_succeed,
    an_order_after_an_edit_has_the_new_price,
    a_cancelled_ticket_is_free_at_once,
];

async fn an_order_of_three_with_one_taken_leaves_the_others_free(world: World) {
    let seller = world.person().await;
    let (first, second) = world.two_people().await;
    for round in rounds(&world) {
        let event = seller.adds_an_event("Three").await;
        let tickets = seller.lists_for(&event, 3, Cents(1000)).await;
        let taken = first.reserves(tickets[round % 3].id).await;
        let all =
            json!({"tickets": tickets.iter().map(|ticket| json!({"id": ticket.id})).collect::<Vec<_>>()});
        let place = world.post("/api/orders").by(&second).json(all);
        place.await.refuses(400, "Ticket is already reserved");
        for ticket in tickets.iter().filter(|ticket| ticket.id != taken.ticket.id) {
            second.reserves(ticket.id).await;
        }
    }
}

async fn orders_that_share_tickets_never_share_one(world: World) {
    let seller = world.person().await;
    let buyers = world.people(12).await;
    for round in rounds(&world) {
        let event = seller.adds_an_event("Overlap").await;
        let tickets = seller.lists_for(&event, 6, Cents(1000)).await;
        // Each wants three that begin at another place, so every two neighbours want a ticket in common.
        let wants = buyers.iter().enumerate().map(|(n, buyer)| {
            let three: Vec<Value> = (0..3).map(|at| json!({"id": tickets[(n + at) % 6].id})).collect();
            world
                .post("/api/orders")
                .by(buyer)
                .json(json!({"tickets": three}))
                .send()
        });
        let mut held: Vec<String> = Vec::new();
        for answer in join_all(wants).await {
            match answer.status {
                201 => held.extend((0..3).map(|at| answer.string(&format!("/tickets/{at}/id")))),
                _ => {
                    answer.refuses(400, "Ticket is already reserved");
                }
            }
        }
        let count = held.len();
        held.sort();
        held.dedup();
        assert_eq!(held.len(), count, "a ticket is in two orders, round {round}");
        assert!(count >= 3, "nobody got anything, round {round}");
    }
}

/// Whatever comes first wins: the edit is refused, or the order has the new price. An order at the old price beside an
/// edit that succeeded would be both.
async fn an_edit_and_a_reservation_never_both_win_on_old_terms(world: World) {
    let (seller, buyer) = world.two_people().await;
    let (mut edited, mut refused) = (0, 0);
    for round in rounds(&world) {
        let ticket = seller.lists(Cents(2000)).await;
        let edit = world
            .patch(&format!("/api/tickets/{}", ticket.id))
            .by(&seller)
            .json(json!({"price": 30}));
        let place = world
            .post("/api/orders")
            .by(&buyer)
            .json(json!({"ticketId": ticket.id}));
        let (edit, place) = match round % 2 {
            0 => futures::join!(edit.send(), place.send()),
            _ => {
                let (place, edit) = futures::join!(place.send(), edit.send());
                (edit, place)
            }
        };
        let price = |answer: &bigtix_tests::Answer| answer.json["total"].as_f64();
        match (edit.status, place.status) {
            (200, 201) => {
                edited += 1;
                assert_eq!(price(&place), Some(30.0), "sold at the old price, round {round}");
                assert_eq!(place.json["ticket"]["version"], edit.json["version"]);
            }
            (400, 201) => {
                refused += 1;
                edit.refuses(400, "Cannot edit a reserved ticket");
                assert_eq!(price(&place), Some(20.0), "round {round}");
            }
            // The edit holds the ticket for a moment, and a buyer who comes then is told so.
            (200, 400) => {
                edited += 1;
                place.refuses(400, "Ticket is already reserved");
                let later = buyer.reserves(ticket.id).await;
                assert_eq!(later.total.0, Cents(3000), "round {round}");
            }
            _ => panic!("round {round}: {edit} and {place}"),
        }
    }
    println!("edited first {edited} times, reserved first {refused} times");
}

async fn a_withdrawal_and_a_reservation_never_both_succeed(world: World) {
    let (seller, buyer) = world.two_people().await;
    for round in rounds(&world) {
        let ticket = seller.lists(Cents(2000)).await;
        let path = format!("/api/tickets/{}", ticket.id);
        let withdraw = world.delete(&path).by(&seller);
        let place = world
            .post("/api/orders")
            .by(&buyer)
            .json(json!({"ticketId": ticket.id}));
        let (withdraw, place) = futures::join!(withdraw.send(), place.send());
        match (withdraw.status, place.status) {
            (200, 400) => {
                let problem = place.problem();
                let known = ["Ticket is no longer for sale", "Ticket is already reserved"];
                assert!(
                    known.contains(&problem.message.as_str()),
                    "round {round}: {place}"
                );
                let later = world
                    .post("/api/orders")
                    .by(&buyer)
                    .json(json!({"ticketId": ticket.id}));
                later.await.refuses(400, "Ticket is no longer for sale");
            }
            (400, 201) => {
                withdraw.refuses(400, "Cannot withdraw a reserved ticket");
                let shown = world.get(&path).await.is(200);
                assert_ne!(shown.string("/status"), "withdrawn", "round {round}");
            }
            _ => panic!("round {round}: {withdraw} and {place}"),
        }
    }
}

async fn an_order_after_an_edit_has_the_new_price(world: World) {
    let (seller, buyer) = world.two_people().await;
    for round in rounds(&world) {
        let ticket = seller.lists(Cents(2000)).await;
        let path = format!("/api/tickets/{}", ticket.id);
        for price in [21, 22, 23] {
            let body = json!({"price": price});
            world.patch(&path).by(&seller).json(body).await.is(200);
            let order = buyer.reserves(ticket.id).await;
            assert_eq!(order.total.0, Cents(price * 100), "round {round}");
            buyer.client.cancel_order(order.id).await.expect("a cancellation");
        }
    }
}

async fn a_cancelled_ticket_is_free_at_once(world: World) {
    let seller = world.person().await;
    let (first, second) = world.two_people().await;
    let ticket = seller.lists(Cents(2000)).await;
    for _ in rounds(&world) {
        for buyer in [&first, &second] {
            let order = buyer.reserves(ticket.id).await;
            buyer.client.cancel_order(order.id).await.expect("a cancellation");
        }
    }
}
